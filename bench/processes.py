"""Processes that a benchmark starts for itself, and stops."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The repository, which modules are imported from."""

START_SECONDS = 30
STOP_SECONDS = 5


class ProcessError(Exception):
    """A process failed, or did not begin to listen; the text has what it said last."""


def free_port() -> int:
    """A port of the loopback interface on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python(
    *arguments: str, environment: Mapping[str, str] | None, log: Path, interpreter: Path | None = None
) -> None:
    """Run Python to its end, in the repository; what it says goes to `log`.

    `environment` is this process's own, `interpreter` the one that runs this, where they are None.

    Raises:
        ProcessError: It failed.
    """
    command = [str(interpreter or sys.executable), *arguments]
    with log.open("wb") as output:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=output, stderr=output, check=False)
    if done.returncode:
        raise ProcessError(f"{command!r} ended with {done.returncode}:\n{_end_of(log)}")


@contextmanager
def listening(
    command: Sequence[str], *, port: int, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A process that listens on `port` for as long as the context lasts; what it says goes to `log`.

    Raises:
        ProcessError: It ended, or did not listen in time.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _wait_for(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise ProcessError(f"{process.args!r} does not listen:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]
