"""A chunk of a file: its records as lines of the event store, as changes of properties, and as rejects."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from functions.core.compression import GzipReader, GzipWriter
from functions.core.converter.rows import Passed, Reject, Rows
from functions.core.errors import Refused
from functions.core.events import identities, timestamps
from functions.core.events.exported import Recorder
from functions.core.events.fields import DataType
from functions.core.events.rules import Row, Rules
from functions.core.events.stamps import Stamps
from functions.core.formats import json_values
from functions.core.formats.rows import Batch, JsonBatch
from functions.core.formats.rows import Row as Record
from functions.core.imports import Counters

_BLOCK = 1024 * 1024
_encode = msgspec.json.Encoder(decimal_format="number").encode
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
        kept = [
            line for number, line in zip(self.numbers, self._lines(), strict=True) if number not in refused
        ]
        lines, size = _packed(kept)
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
            "server_upload_time": msgspec.Raw(_encode(timestamps.text(stamps.server_upload))),
            "processed_time": msgspec.Raw(_encode(timestamps.text(stamps.processed))),
        }
        lines, size = _packed(_encode(_members(line) | anew) for line in self._lines())
        return msgspec.structs.replace(self, lines=lines, size=size, staged=stamps.server_upload)

    def noting(self, passed: Mapping[str, int]) -> "Chunk":
        """The chunk, of whose records so many came to nothing for these reasons, too."""
        passed = {**self.counters.passed, **{reason: count for reason, count in passed.items() if count}}
        counters = msgspec.structs.replace(self.counters, passed=passed)
        return msgspec.structs.replace(self, counters=counters)

    def events(self) -> Iterator[bytes]:
        """Each event as JSON."""
        return self._lines()

    def _lines(self) -> Iterator[bytes]:
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

    def convert(self, batches: Iterable[Batch], *, id: str, first: int, stamps: Stamps) -> Chunk:  # noqa: A002 - the field's name
        """The chunk of these records, of which so many `first` ones of the file come before."""
        made = _Made(self._conversion, Recorder(self._conversion.project, stamps, part=id))
        number = first
        for batch in batches:
            for place, record in enumerate(_records(batch)):
                number += 1
                if isinstance(record, Refused):
                    made.reject(Reject(record.faults[0].message), self._told(batch, place, number, {}))
                    continue
                row = self._conversion.rows.row(record, self._now)
                if isinstance(row, Reject):
                    made.reject(row, self._told(batch, place, number, record))
                elif isinstance(row, Passed):
                    made.passed[row.reason] += 1
                else:
                    self._take(made, row, number)
        return made.chunk(id, number - first, staged=stamps.server_upload)

    def _take(self, made: "_Made", row: Row, number: int) -> None:
        if self._conversion.rules.kind(row) is not DataType.EVENT:
            made.changes.append(Change(number, self._conversion.rules.kind(row), row))
            return
        given = identities.insert_id(row)
        if given is None and self._conversion.made is not None:
            row["insert_id"] = identities.made_insert_id(self._bucket, self._key, number)
        wanted = self._conversion.claims and (given is not None or bool(self._conversion.made))
        made.event(row, number, claim=identities.claim(row) if wanted else None)

    def _told(self, batch: Batch, place: int, number: int, record: Record) -> dict[str, Any]:
        """Where a record is, and what it is."""
        text = batch.records[place] if isinstance(batch, JsonBatch) else json_values.encode(record)
        return {"file": self._key, "record": number, "line": batch.lines[place], "text": text.decode()}


class _Made:
    """What has become of records so far."""

    def __init__(self, conversion: Conversion, recorder: Recorder) -> None:
        self._rules = conversion.rules
        self._recorder = recorder
        self._lines = io.BytesIO()
        self._gzip = GzipWriter(self._lines)
        self._size = 0
        self._rejects: list[bytes] = []
        self._reasons: Counter[str] = Counter()
        self._claimed: dict[tuple[str, str], None] = {}
        self._claims: list[Claim] = []
        self._numbers: list[int] = []
        self._duplicates = 0
        self.passed: Counter[str] = Counter()
        self.changes: list[Change] = []

    def event(self, row: Row, number: int, *, claim: tuple[str, str] | None) -> None:
        """Add an event, unless it repeats one of this chunk."""
        if claim is not None:
            if claim in self._claimed:
                self._duplicates += 1
                return
            self._claimed[claim] = None
            self._claims.append(Claim(number, *claim))
        row = self._rules.with_defaults(row)
        if row.get("user_properties") and row["$skip_user_properties_sync"] is False:
            self.changes.append(Change(number, DataType.USER_PROPERTIES, row))
        self._numbers.append(number)
        line = _encode(self._recorder.record(row, len(self._numbers))) + b"\n"
        self._gzip.write(line)
        self._size += len(line)

    def reject(self, reject: Reject, told: dict[str, Any]) -> None:
        """Add a record that is refused."""
        self._reasons[f"{reject.field}: {reject.reason}" if reject.field else reject.reason] += 1
        given = {"field": reject.field, "operator": reject.operator, "reason": reject.reason}
        self._rejects.append(_encode(told | given))

    def chunk(self, id: str, records: int, *, staged: int) -> Chunk:  # noqa: A002 - as above
        """All of it."""
        self._gzip.close()
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
            lines=self._lines.getvalue(),
            size=self._size,
            staged=staged,
            numbers=self._numbers,
            claims=self._claims,
            changes=self.changes,
            rejects=_packed(self._rejects)[0] if self._rejects else b"",
        )


def _records(batch: Batch) -> Iterator[Record | Refused]:
    """The records of a batch; where one cannot be read, why."""
    try:
        yield from batch.rows()
    except Refused:
        if not isinstance(batch, JsonBatch):
            raise
        for record, line in zip(batch.records, batch.lines, strict=True):
            yield _record(record, batch.origin, line)


def _record(record: bytes, origin: str, line: int) -> Record | Refused:
    try:
        return json_values.decode(record, origin, line)
    except Refused as refused:
        return refused


def _packed(lines: Iterable[bytes] | Sequence[bytes]) -> tuple[bytes, int]:
    """Lines as gzip, and their bytes without it."""
    target, size = io.BytesIO(), 0
    gzip = GzipWriter(target)
    for line in lines:
        gzip.write(line + b"\n")
        size += len(line) + 1
    gzip.close()
    return target.getvalue(), size
