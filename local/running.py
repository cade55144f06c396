"""The embedded cloud that keeps running: who holds it up, how to reach it, how to end it.

One for each user of the machine. Its process holds a lock for as long as it lives, so a state that a crash
left behind deceives nobody. What the cloud holds is gone with its process.
"""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

_LOOK_SECONDS = 0.05


class LocalCloudError(RuntimeError):
    """The embedded cloud is not in the state that was asked for; the text says why."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """An embedded cloud that is up."""

    pid: int
    name: str
    environment: dict[str, str]
    """What a client needs in its environment."""
    outputs: dict[str, str]
    logs: str
    """The folder with one log for each function."""


def up(*, name: str, seconds: float = 60) -> Running:
    """Start an embedded cloud in the background and wait until it is ready.

    Raises:
        LocalCloudError: One is up, or it did not start; the text says what it said last.
    """
    if status():
        raise LocalCloudError("it is up; `sluice local down` ends it")
    with held_up():
        _state().unlink(missing_ok=True)  # else `status` would take the lock while the process wants it
    output = directory() / "output.log"
    with output.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 # our own module
            [sys.executable, "-m", "local.daemon", name],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        if running := status():
            process.returncode = 0  # it outlives this process; Popen would warn of one that nobody waited for
            return running
        time.sleep(_LOOK_SECONDS)
    process.kill()
    process.wait()
    said = output.read_text(errors="replace").strip().rpartition("\n")[2]
    raise LocalCloudError(f"it did not start: {said or 'it said nothing'} (all of it: {output})")


def down(*, seconds: float = 30) -> Running | None:
    """End the embedded cloud, kindly at first; gives what was up, or None.

    It finishes the batches in hand for `seconds`, then it is killed.
    """
    running = status()
    if running is None:
        return None
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    # Its state is gone first, its ports are next, the lock is last.
    while _is_held_up() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    if _is_held_up():
        os.kill(running.pid, signal.SIGKILL)
    return running


def status() -> Running | None:
    """The embedded cloud that is up and ready, if there is one."""
    try:
        stated = msgspec.json.decode(_state().read_bytes(), type=Running)
    except FileNotFoundError:
        return None
    return stated if _is_held_up() else None


def _is_held_up() -> bool:
    try:
        with held_up():
            return False
    except LocalCloudError:
        return True


@contextmanager
def held_up() -> Iterator[None]:
    """Be the process that holds the embedded cloud up.

    Raises:
        LocalCloudError: Another process is.
    """
    with (directory() / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalCloudError("it is up; `sluice local down` ends it") from error
        yield


@contextmanager
def announced(running: Running) -> Iterator[None]:
    """Let others find this process's cloud while the block runs."""
    unfinished = _state().with_suffix(".unfinished")
    unfinished.write_bytes(msgspec.json.encode(running))
    unfinished.replace(_state())
    try:
        yield
    finally:
        _state().unlink()


def directory() -> Path:
    """The user's own folder for what runs; for nobody else to read or to replace.

    Raises:
        LocalCloudError: It belongs to another user.
    """
    given = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(given, "sluice") if given else Path(tempfile.gettempdir(), f"sluice-{os.getuid()}")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.lstat().st_uid != os.getuid():
        raise LocalCloudError(f"{path} belongs to another user")
    return path


def _state() -> Path:
    return directory() / "state.json"
