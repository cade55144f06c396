"""Runs the embedded cloud until it is told to end: in the foreground, or as `local.running.up` starts it."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from threading import Event

from infra.app import template
from infra.config import ConfigError
from local.accounts import StackError
from local.cloud import Cloud
from local.mappings import UnsupportedMappingError
from local.running import LocalCloudError, Running, announced, directory, held_up
from local.schedules import UnsupportedScheduleError


def run(*, name: str, ready: Callable[[Running], None] = lambda _: None) -> None:
    """Run our own stack under a name until SIGINT or SIGTERM; `ready` is called when clients may come.

    Raises:
        LocalCloudError: One is up.
        ConfigError: The name is none that a deployment can have.
        StackError: The stack could not be created.
    """
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with held_up():
        logs = directory() / "logs"
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir()
        with Cloud(template({"name": name}), name=name, polling=True, logs=logs) as cloud:
            running = Running(
                pid=os.getpid(),
                name=name,
                environment=cloud.environment,
                outputs=cloud.outputs,
                logs=str(logs),
            )
            with announced(running):
                ready(running)
                ended.wait()


if __name__ == "__main__":
    try:
        run(name=sys.argv[1])
    except (
        ConfigError,
        LocalCloudError,
        StackError,
        UnsupportedMappingError,
        UnsupportedScheduleError,
    ) as error:
        raise SystemExit(str(error)) from error
