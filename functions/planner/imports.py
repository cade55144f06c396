"""The job for imports: every minute the files that nobody is at work on, and the passes whose time has come.

Two planners at once do no harm: a file has its lease, and a pass is begun by who stores it first.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from functions.adapters import telemetry
from functions.adapters.discoveries import Discoveries
from functions.adapters.files import FileLedger
from functions.adapters.scans import Scans
from functions.adapters.sending import Sender
from functions.core import scanning
from functions.core.arrivals import FileTask, ScanTask
from functions.core.definitions.discovery import Discovery
from functions.core.errors import SluiceError
from functions.core.import_tasks import import_task
from functions.core.imports import OPEN, FileState
from functions.core.outcomes import unforeseen
from functions.core.scanning import Pass
from functions.core.sealing import AGAIN_SECONDS

_AT_ONCE = 100
"""Files that are read from the ledger together."""

_Name = tuple[str, str]
"""A source, and the key of one of its files."""


class SeenFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What a planner saw: files of enabled sources that nobody has begun, and the age of the oldest of them."""

    waiting: int = 0
    oldest_seconds: int = 0

    def __add__(self, other: "SeenFiles") -> "SeenFiles":
        return SeenFiles(
            waiting=self.waiting + other.waiting,
            oldest_seconds=max(self.oldest_seconds, other.oldest_seconds),
        )


class ImportPlanner:
    """Looks after files and passes through its ports; `clock` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        discoveries: Discoveries,
        files: FileLedger,
        scans: Scans,
        tasks: Sender,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._discoveries = discoveries
        self._files = files
        self._scans = scans
        self._tasks = tasks
        self._clock = clock

    def plan(self, *, seconds: float) -> SeenFiles:
        """Look after passes, then after files, of another shard first each minute, for no longer than so long."""
        end = time.monotonic() + seconds
        sources = self._enabled()
        for found in sources.values():
            if time.monotonic() >= end:
                break
            self._look_at_pass(found)
        seen = SeenFiles()
        unfinished = self._files.unfinished(first=int(self._clock()) // 60)
        for names in _batched(name for name in unfinished if name[0] in sources):
            if time.monotonic() >= end:
                telemetry.logger.warning("out of time", waiting_files=seen.waiting)
                break
            seen += self._look_at_files(names)
        return seen

    def _enabled(self) -> dict[str, Discovery]:
        """The sources that find files now; those of the others wait for them."""
        found: dict[str, Discovery] = {}
        for name in self._discoveries.names():
            try:
                if (source := self._discoveries.enabled(name)) is not None:
                    found[name] = source
            except Exception as error:  # noqa: BLE001 - one source must never keep the others from being looked at
                _told(error, source=name)
        return found

    def _look_at_pass(self, found: Discovery) -> None:
        """Begin a pass over the source's bucket, or ask for the rest of one, if it is time to."""
        try:
            wanted = _wanted(found, self._scans.get(found.name), now=int(self._clock()))
            if wanted is not None and self._scans.put(wanted) is not None:
                self._tasks.send([import_task(ScanTask(source_id=found.name, began=wanted.began))])
        except Exception as error:  # noqa: BLE001 - as above
            _told(error, source=found.name)

    def _look_at_files(self, names: list[_Name]) -> SeenFiles:
        """Ask for those that nobody is at work on; where it cannot be done for all at once, for each by itself."""
        try:
            return self._ask_again(names)
        except Exception as error:  # noqa: BLE001 - as above
            if len(names) == 1:
                _told(error, source=names[0][0])
                return SeenFiles()
        return sum((self._look_at_files([name]) for name in names), SeenFiles())

    def _ask_again(self, names: list[_Name]) -> SeenFiles:
        now = int(self._clock())
        files = [file for file in self._files.each(names) if file.state in OPEN]
        waited = [now - file.found_at for file in files if file.state is FileState.WAITING]
        late = [file for file in files if now >= max(file.look_at, file.leased_until)]
        self._tasks.send(import_task(FileTask(source_id=file.source, key=file.key)) for file in late)
        for file in late:
            self._files.replace(msgspec.structs.replace(file, look_at=now + AGAIN_SECONDS))
        return SeenFiles(waiting=len(waited), oldest_seconds=max(waited, default=0))


def _wanted(found: Discovery, last: Pass | None, *, now: int) -> Pass | None:
    """The pass that is to be stored, and its task sent: the next one, or the one that nobody goes on with."""
    if scanning.due(last, minutes=found.scan_every_minutes, now=now):
        return scanning.next_pass(found.name, last, now=now)
    return scanning.asked_again(last, now=now) if last else None


def _batched(names: Iterable[_Name]) -> Iterator[list[_Name]]:
    rest = iter(names)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def _told(error: Exception, *, source: str) -> None:
    reason = error.text if isinstance(error, SluiceError) else unforeseen(error)
    telemetry.logger.warning("source not looked at", source=source, reason=reason)
