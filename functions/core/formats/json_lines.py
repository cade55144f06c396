"""NDJSON: one JSON object a line. Records are checked and carried; nobody parses one to write it again."""

from collections.abc import Iterable, Iterator

from functions.core.formats import json_values
from functions.core.formats.faults import Unheld, broken, oversized, unheld
from functions.core.formats.parquet import ColumnBatch
from functions.core.formats.records import Records
from functions.core.formats.rows import CHUNK, MAX_RECORD_BYTES, Batch, JsonBatch, Reading
from functions.core.formats.streams import Source

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNHELD = (ValueError, OverflowError, KeyError, TypeError)
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read(stream: Source, reading: Reading) -> Iterator[JsonBatch]:
    """The objects of a stream; empty lines are passed over.

    Raises:
        Refused: A line is no JSON object, or a record is too large.
    """
    line, rest = 1, b""
    for chunk in chunks(stream, reading.origin):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield _batch(lines, line, reading)
        line += len(lines)
        if len(rest) > reading.max_record_bytes:
            raise oversized(
                reading.origin, line=line, size=_size(rest, stream), limit=reading.max_record_bytes
            )
    yield _batch([rest], line, reading)


def staged(pieces: Iterable[tuple[str, bytes]]) -> Iterator[JsonBatch]:
    """The objects of pieces that were checked when they were staged.

    A piece is its origin and whole compact lines, which are counted from 1 in each.
    """
    for origin, data in pieces:
        yield JsonBatch(origin=origin, lines=range(1, data.count(b"\n") + 1), data=data)


def chunks(stream: Source, origin: str) -> Iterator[bytes]:
    """The bytes of a stream without a byte order mark.

    Raises:
        Refused: They are UTF-16.
    """
    first = stream.read(CHUNK)
    if first.startswith(_UTF_16_MARKS):
        raise broken(origin, "this is UTF-16; JSON is UTF-8", line=1, cure="iconv -f UTF-16 -t UTF-8")
    yield first.removeprefix(BYTE_ORDER_MARK)
    while chunk := stream.read(CHUNK):
        yield chunk


def _batch(lines: list[bytes], first: int, reading: Reading) -> JsonBatch:
    records, places = [], []
    for place, line in enumerate(lines, first):
        if not line or line.isspace():
            continue
        if len(line) > reading.max_record_bytes:
            raise oversized(reading.origin, line=place, size=len(line), limit=reading.max_record_bytes)
        records.append(json_values.compact(line, reading.origin, place))
        places.append(place)
    return JsonBatch.of(reading.origin, places, records)


def _size(begun: bytes, stream: Source) -> int:
    """The size of a record that goes on, without keeping it."""
    size = len(begun)
    while chunk := stream.read(CHUNK):
        end = chunk.find(b"\n")
        if end >= 0:
            return size + end
        size += len(chunk)
    return size


class JsonLines:
    """Rows as lines of JSON."""

    head = b""
    lead = b""
    tail = b""

    def __init__(self, *, max_record_bytes: int = MAX_RECORD_BYTES) -> None:
        self._limit = max_record_bytes
        self._rows = 0

    def encode(self, batch: Batch) -> Records:
        """One object for each row, its members in the row's order.

        Raises:
            Refused: A value is NaN, infinite or no Unicode, or a record is too large.
        """
        if not isinstance(batch, JsonBatch):
            batch = JsonBatch.of(batch.origin, batch.lines, self._encoded(batch))
        self._refuse_large(batch)
        self._rows += len(batch.lines)
        return self._laid_out(batch)

    def _laid_out(self, batch: JsonBatch) -> Records:
        return Records.lines(batch.data, len(batch.lines))

    def _refuse_large(self, batch: JsonBatch) -> None:
        if len(batch.data) <= self._limit:
            return
        for line, record in zip(batch.lines, batch.records, strict=True):
            if len(record) > self._limit:
                raise oversized(batch.origin, line=line, size=len(record), limit=self._limit)

    def _encoded(self, batch: Batch) -> list[bytes]:
        try:
            if isinstance(batch, ColumnBatch):
                return [json_values.encode_plain(row) for row in batch.json_rows()]
            return [json_values.encode(row) for row in batch.rows()]
        except _UNHELD:
            for place, row in enumerate(batch.rows()):
                for column, value in row.items():
                    self._try(batch, place, column, value)
            raise

    def _try(self, batch: Batch, place: int, column: str, value: object) -> None:
        try:
            json_values.encode({column: value})
        except Unheld as error:
            row = self._rows + place + 1
            raise unheld(
                batch.origin, batch.lines[place], row=row, column=ascii(column)[1:-1], why=str(error)
            ) from None
