"""A chunk of a file: its records as lines of the event store, as changes of properties, and as rejects."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from functions.core.compression import GzipReader, GzipWriter
from functions.core.converter.rows import Reject, Rows
from functions.core.events import identities, timestamps
from functions.core.events.exported import Recorder
from functions.core.events.fields import DataType
from functions.core.events.rules import Row, Rules
from functions.core.events.stamps import Stamps
from functions.core.formats.tolerant import RecordBatch, Unread
from functions.core.imports import Counters

_BLOCK = 1024 * 1024
_AT_ONCE = 2_000
"""Lines that are compressed together."""

UNWRITABLE = Reject("what it becomes cannot be written as JSON")
UNWRITTEN = (ValueError, OverflowError, RecursionError)
"""What is raised where a value cannot be."""

_encode_into = msgspec.json.Encoder(decimal_format="number").encode_into
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """What a record claims: its insert id, of its device, or of its user where it has none."""

    record: int
    insert_id: str
    device: str


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A record that changes properties: of a user, of groups, or of a profile."""

    record: int
    kind: DataType
    row: Row


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """What some records of a file became, in their order; records are numbered from 1 over the whole file.

    `lines` are those of the event store, gzip of one member, `size` bytes without it, staged when `staged` says, in
    microseconds; `numbers` are their records. `rejects` are lines too. It can be encoded, to be what a repetition
    goes on with.
    """

    id: str
    counters: Counters
    lines: bytes
    size: int
    staged: int
    numbers: list[int]
    claims: list[Claim]
    changes: list[Change]
    rejects: bytes

    def without(self, refused: frozenset[int]) -> "Chunk":
        """The chunk without these records, which repeat others."""
        if not refused:
            return self
        numbered = zip(self.numbers, self.events(), strict=True)
        kept = [msgspec.Raw(line) for number, line in numbered if number not in refused]
        lines, size = packed(kept)
        changes = [change for change in self.changes if change.record not in refused]
        counters = msgspec.structs.replace(
            self.counters,
            events=len(kept),
            properties=len(changes),
            duplicates=self.counters.duplicates + len(self.numbers) - len(kept),
        )
        return msgspec.structs.replace(
            self,
            counters=counters,
            lines=lines,
            size=size,
            numbers=[number for number in self.numbers if number not in refused],
            changes=changes,
        )

    def stamped(self, stamps: Stamps) -> "Chunk":
        """The chunk as it is when it is staged anew, in a later hour."""
        anew = {
            "server_upload_time": timestamps.text(stamps.server_upload),
            "processed_time": timestamps.text(stamps.processed),
        }
        lines, size = packed(_members(line) | anew for line in self.events())
        return msgspec.structs.replace(self, lines=lines, size=size, staged=stamps.server_upload)

    def noting(self, passed: Mapping[str, int]) -> "Chunk":
        """The chunk, of whose records so many came to nothing for these reasons, too."""
        passed = {**self.counters.passed, **{reason: count for reason, count in passed.items() if count}}
        counters = msgspec.structs.replace(self.counters, passed=passed)
        return msgspec.structs.replace(self, counters=counters)

    def events(self) -> Iterator[bytes]:
        """Each event as JSON."""
        reader = GzipReader(io.BytesIO(self.lines), self.id)
        rest = b""
        while data := reader.read(_BLOCK):
            *whole, rest = (rest + data).split(b"\n")
            yield from whole


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """How a source's records become events.

    `claims` says whether insert ids are claimed; `made` whether those that are made for records without one are,
    too; None makes none.
    """

    project: int
    rows: Rows
    rules: Rules
    claims: bool = True
    made: bool | None = False


class Chunker:
    """Converts the records of one file; `now` is its time in milliseconds."""

    def __init__(self, conversion: Conversion, *, bucket: str, key: str, now: int) -> None:
        self._conversion = conversion
        self._bucket = bucket
        self._key = key
        self._now = now

    def convert(self, batches: Iterable[RecordBatch], *, id: str, first: int, stamps: Stamps) -> Chunk:  # noqa: A002 - the field's name
        """The chunk of these records, of which so many `first` ones of the file come before."""
        made = _Made(self._conversion, Recorder(self._conversion.project, stamps, part=id))
        convert, now = self._conversion.rows.row, self._now
        number = first
        for batch in batches:
            for place, record in enumerate(batch.records()):
                number += 1
                if isinstance(record, Unread):
                    reject = Reject(record.reason)
                    made.reject(reject, self._told(batch, place, number), detail=record.detail)
                    continue
                row = convert(record, now)
                if isinstance(row, dict):
                    self._take(made, row, number, batch, place)
                elif isinstance(row, Reject):
                    made.reject(row, self._told(batch, place, number))
                else:
                    made.passed[row.reason] += 1
            made.pack()
        return made.chunk(id, number - first, staged=stamps.server_upload)

    def _take(self, made: "_Made", row: Row, number: int, batch: RecordBatch, place: int) -> None:
        conversion = self._conversion
        kind = conversion.rules.kind(row)
        if kind is not DataType.EVENT:
            made.changes.append(Change(number, kind, row))
            return
        given = identities.insert_id(row)
        if given is None and conversion.made is not None:
            row["insert_id"] = identities.made_insert_id(self._bucket, self._key, number)
        wanted = conversion.claims and (given is not None or bool(conversion.made))
        if not made.event(row, number, claim=identities.claim(row) if wanted else None):
            made.reject(UNWRITABLE, self._told(batch, place, number))

    def _told(self, batch: RecordBatch, place: int, number: int) -> dict[str, Any]:
        """Where a record is, and what stands there; of a large one its beginning, and its size."""
        original = batch.original(place)
        text = original.text.decode(errors="backslashreplace")
        told = {"file": batch.origin, "record": number, "line": batch.line(place), "text": text}
        return told if original.whole else told | {"text_bytes": original.size}


class _Made:
    """What has become of records so far."""

    def __init__(self, conversion: Conversion, recorder: Recorder) -> None:
        self._defaults = conversion.rules.with_defaults({}).items()
        # Events of a mirror come without enrichment: none of them changes a profile.
        self._syncs = conversion.rules.strategy != "mirror"
        self._record = recorder.record
        self._lines = _Lines()
        self._rejects = _Lines()
        self._reasons: Counter[str] = Counter()
        self._claimed: dict[tuple[str, str], int] = {}
        self._numbers: list[int] = []
        self._duplicates = 0
        self.passed: Counter[str] = Counter()
        self.changes: list[Change] = []

    def event(self, row: Row, number: int, *, claim: tuple[str, str] | None) -> bool:
        """Add an event, unless it repeats one of this chunk; false where it cannot be written as JSON."""
        if claim is not None and claim in self._claimed:
            self._duplicates += 1
            return True
        # The row is nobody else's; a copy of each would cost as much as its conversion.
        for name, value in self._defaults:
            if row.get(name) is None:
                row[name] = value
        if not self._lines.add(self._record(row, len(self._numbers) + 1)):
            return False
        self._numbers.append(number)
        if claim is not None:
            self._claimed[claim] = number
        if self._syncs and row["$skip_user_properties_sync"] is False and row.get("user_properties"):
            self.changes.append(Change(number, DataType.USER_PROPERTIES, row))
        return True

    def reject(self, reject: Reject, told: dict[str, Any], *, detail: str = "") -> None:
        """Add a record that is refused."""
        self._reasons[f"{reject.field}: {reject.reason}" if reject.field else reject.reason] += 1
        given = {"field": reject.field, "operator": reject.operator, "reason": reject.reason}
        self._rejects.add(told | given | ({"detail": detail} if detail else {}))

    def pack(self) -> None:
        """Compress what there is."""
        self._lines.pack()
        self._rejects.pack()

    def chunk(self, id: str, records: int, *, staged: int) -> Chunk:  # noqa: A002 - as above
        """All of it."""
        lines, size = self._lines.end()
        rejects, _ = self._rejects.end()
        return Chunk(
            id=id,
            counters=Counters(
                records=records,
                events=len(self._numbers),
                properties=len(self.changes),
                duplicates=self._duplicates,
                rejects=dict(self._reasons),
                passed=dict(self.passed),
            ),
            lines=lines,
            size=size,
            staged=staged,
            numbers=self._numbers,
            claims=[Claim(number, *claim) for claim, number in self._claimed.items()],
            changes=self.changes,
            rejects=rejects if self._reasons else b"",
        )


class _Lines:
    """Lines as gzip, compressed many at a time."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._size = 0
        self._target = io.BytesIO()
        self._gzip = GzipWriter(self._target)

    def add(self, value: Any) -> bool:
        """Add a value as a line of JSON; false, and nothing added, where it cannot be one."""
        waiting = self._waiting
        before = len(waiting)
        try:
            _encode_into(value, waiting, before)
        except UNWRITTEN:
            del waiting[before:]
            return False
        waiting += b"\n"
        return True

    def pack(self) -> None:
        """Compress the lines that wait."""
        self._size += self._gzip.write(memoryview(self._waiting))
        self._waiting = bytearray()

    def end(self) -> tuple[bytes, int]:
        """All lines as gzip, and their bytes without it."""
        self.pack()
        self._gzip.close()
        return self._target.getvalue(), self._size


def packed(lines: Iterable[Any]) -> tuple[bytes, int]:
    """Values as lines of JSON in gzip, and their bytes without it."""
    packed, rest = _Lines(), iter(lines)
    while some := list(islice(rest, _AT_ONCE)):
        for each in some:
            packed.add(each)
        packed.pack()
    return packed.end()
