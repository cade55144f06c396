"""Files that are imported: once per source, resumed where they stopped, their counts kept."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from functions.core.digests import digest
from functions.core.event_groups import Hour

_FIRST_LOOK_SECONDS = 900
"""Whoever finds a file begins it, or sends a task: only what is not begun by then is looked after."""


class FileState(StrEnum):
    """`waiting` is known and not begun; `reading` is under way, by an invocation that has its lease, or by none."""

    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


OPEN = frozenset({FileState.WAITING, FileState.READING})
"""Those of a file that somebody has still to do something with."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an object, as a listing or its head tells; `modified` is in milliseconds since the epoch."""

    key: str
    etag: str
    size: int
    modified: int
    version_id: str | None = None


class Counters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a file's records; of rejects and of those passed over, how many for each reason."""

    records: int = 0
    events: int = 0
    properties: int = 0
    duplicates: int = 0
    rejects: Mapping[str, int] = {}
    passed: Mapping[str, int] = {}

    def __add__(self, other: "Counters") -> "Counters":
        return Counters(
            records=self.records + other.records,
            events=self.events + other.events,
            properties=self.properties + other.properties,
            duplicates=self.duplicates + other.duplicates,
            rejects=_added(self.rejects, other.rejects),
            passed=_added(self.passed, other.passed),
        )

    @property
    def rejected(self) -> int:
        """How many records were refused."""
        return sum(self.rejects.values())


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Chunks of a file, one after another, whose parts are in one hour of a project."""

    project: int
    hour: int
    first: int
    last: int


class ImportFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file as the ledger has it; times are seconds since the epoch, unless they say otherwise.

    What is pinned when it is first opened: `etag` and `version_id` (every read asks for them), the version of the
    source, the size of a chunk, and `now` in milliseconds. `chunks` are committed: reading goes on after so many
    `counters.records`. `look_at`, `leased_until`, `lease`, `attempts` and `revision` are as of
    `functions.core.runs.Run`; `spans` are the chunks that have a part in the event store. `changed_at` is when
    another version was seen under its key, in milliseconds.
    """

    source: str
    bucket: str
    key: str
    etag: str
    size: int
    modified: int
    found_at: int
    version_id: str | None = None
    state: FileState = FileState.WAITING
    version: int | None = None
    chunk_records: int = 0
    chunk_bytes: int = 0
    now: int = 0
    chunks: int = 0
    counters: Counters = Counters()
    spans: tuple[Span, ...] = ()
    look_at: int = 0
    leased_until: int = 0
    lease: str = ""
    attempts: int = 0
    done_at: int | None = None
    code: str | None = None
    text: str = ""
    changed_at: int | None = None
    revision: int = 0

    @property
    def digest(self) -> str:
        """A name for the file: 32 hexadecimal digits of its source, bucket and key."""
        return digest(self.source, self.bucket, self.key)

    @property
    def chunk_id(self) -> str:
        """The name of the chunk that comes next: of this version of the file, and of no other."""
        return self._chunk(self.chunks)

    @property
    def parts(self) -> list[str]:
        """The keys of what was committed of it to the event store."""
        return [
            Hour(span.project, span.hour).key(self._chunk(number))
            for span in self.spans
            for number in range(span.first, span.last + 1)
        ]

    def _chunk(self, number: int) -> str:
        return digest(self.source, self.bucket, self.key, self.etag, self.version_id or "", str(number))


def waiting(found: Found, *, source: str, bucket: str, now: int) -> ImportFile:
    """The file that was found."""
    return ImportFile(
        source=source,
        bucket=bucket,
        key=found.key,
        etag=found.etag,
        version_id=found.version_id,
        size=found.size,
        modified=found.modified,
        found_at=now,
        look_at=now + _FIRST_LOOK_SECONDS,
    )


def pinned(file: ImportFile, *, version: int, now: int, records: int, size: int) -> ImportFile:
    """The file when it is first opened: nothing of this is changed any more while it is read."""
    return msgspec.structs.replace(
        file, state=FileState.READING, version=version, now=now, chunk_records=records, chunk_bytes=size
    )


def after_chunk(file: ImportFile, counters: Counters, hour: Hour | None) -> ImportFile:
    """The file once another chunk is committed; `hour` is that of its part, if it has one."""
    spans = file.spans
    if hour is not None:
        span = Span(hour.project, hour.number, file.chunks, file.chunks)
        last = spans[-1] if spans else None
        if last and (last.project, last.hour, last.last + 1) == (span.project, span.hour, span.first):
            spans, span = spans[:-1], msgspec.structs.replace(last, last=span.last)
        spans = (*spans, span)
    counters = file.counters + counters
    return msgspec.structs.replace(file, chunks=file.chunks + 1, counters=counters, spans=spans)


def finished(
    file: ImportFile, state: FileState, *, now: int, code: str | None = None, text: str = ""
) -> ImportFile:
    """The file when nothing more is done with it."""
    return msgspec.structs.replace(
        file, state=state, done_at=now, code=code, text=text, leased_until=0, lease="", attempts=0
    )


def anew(file: ImportFile, found: Found, *, now: int) -> ImportFile:
    """The file as it is begun anew, as the version that is there now."""
    fresh = waiting(found, source=file.source, bucket=file.bucket, now=now)
    return msgspec.structs.replace(fresh, revision=file.revision)


def _added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}
