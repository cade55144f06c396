"""NDJSON: one JSON object a line. Records are checked and carried; nobody parses one to write it again."""

from collections.abc import Iterable, Iterator

from functions.core.formats import json_values
from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.faults import Unheld, broken, oversized, unheld
from functions.core.formats.records import Records
from functions.core.formats.rows import CHUNK, MAX_RECORD_BYTES, Batch, JsonBatch, Reading
from functions.core.formats.streams import Source

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST_AT_ONCE = 4 * CHUNK
_UNHELD = (ValueError, OverflowError, KeyError, TypeError)
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read(stream: Source, reading: Reading) -> Iterator[JsonBatch]:
    """The objects of a stream; empty lines are passed over.

    Raises:
        Refused: A line is no JSON object, or a record is too large.
    """
    line, size = 1, 0
    begun: list[bytes] = []
    for chunk in chunks(stream, reading.origin):
        end = chunk.rfind(b"\n") + 1
        if end:
            lines = b"".join([*begun, chunk[: end - 1]]).split(b"\n")
            yield _batch(lines, line, reading)
            line += len(lines)
            begun, size = [], 0
        begun.append(chunk[end:])
        size += len(begun[-1])
        if size > reading.max_record_bytes:
            raise oversized(
                reading.origin, line=line, size=size + _rest(stream), limit=reading.max_record_bytes
            )
    yield _batch([b"".join(begun)], line, reading)


def staged(pieces: Iterable[tuple[str, bytes]]) -> Iterator[JsonBatch]:
    """The objects of pieces that were checked when they were staged.

    A piece is its origin and whole compact lines, which are counted from 1 in each.
    """
    for origin, data in pieces:
        line = 1
        for some in _in_sight(data):
            count = some.count(b"\n")
            yield JsonBatch(origin=origin, lines=range(line, line + count), data=some)
            line += count


def _in_sight(data: bytes) -> Iterator[bytes]:
    """Whole lines, of as much as is worked on at once, or the one line that is more."""
    at = 0
    while len(data) - at > _MOST_AT_ONCE:
        end = data.rfind(b"\n", at, at + _MOST_AT_ONCE) + 1 or data.find(b"\n", at + _MOST_AT_ONCE) + 1
        yield data[at:end]
        at = end
    yield data[at:] if at else data


def chunks(stream: Source, origin: str) -> Iterator[bytes]:
    """The bytes of a stream without a byte order mark.

    Raises:
        Refused: They are UTF-16.
    """
    first = stream.read(CHUNK)
    # A stream may give fewer bytes than it is asked for, and the mark must not be cut.
    while len(first) < len(BYTE_ORDER_MARK) and (more := stream.read(CHUNK)):
        first += more
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


def _rest(stream: Source) -> int:
    """How much of a record is still to come, without keeping it."""
    size = 0
    while chunk := stream.read(CHUNK):
        end = chunk.find(b"\n")
        if end >= 0:
            return size + end
        size += len(chunk)
    return size


def refuse_large(batch: JsonBatch, limit: int) -> None:
    """Refuse a record of more than `limit` bytes.

    Raises:
        Refused: `TOO_LARGE`, with its line.
    """
    if len(batch.data) <= limit:
        return
    for line, record in zip(batch.lines, batch.records, strict=True):
        if len(record) > limit:
            raise oversized(batch.origin, line=line, size=len(record), limit=limit)


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
        refuse_large(batch, self._limit)
        self._rows += len(batch.lines)
        return self._laid_out(batch)

    def _laid_out(self, batch: JsonBatch) -> Records:
        return Records.lines(batch.data, len(batch.lines))

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
