"""Records of JSON lines and of delimited text."""

import codecs
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from functions.core.converter.source_record import SourceRecord, Unreadable
from functions.core.errors import Refused
from functions.core.formats import delimited_records as ends
from functions.core.formats import json_lines, json_values
from functions.core.formats.delimited_cells import CellReader
from functions.core.formats.faults import broken
from functions.core.formats.rows import CHUNK, Reading
from functions.core.formats.settings import Delimited
from functions.core.formats.streams import Source
from functions.core.formats.text_input import decoded

Records = Iterator[SourceRecord | Unreadable]
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def json_records(stream: Source, reading: Reading) -> Records:
    """One JSON object a line; empty lines are passed over.

    Raises:
        Refused: It is UTF-16, or the stream is damaged.
    """
    limit = reading.max_record_bytes
    for line, record, dropped in _lines(stream, reading):
        if dropped or len(record) > limit:
            yield Unreadable(line, f"the record has {dropped or len(record)} bytes; the limit is {limit}")
            continue
        try:
            yield SourceRecord(line, _decode(record), record)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            if record and not record.isspace():
                yield Unreadable(line, _why(record, error, reading, line), record)


def delimited_records(
    stream: Source, reading: Reading, settings: Delimited, columns: tuple[str, ...] | None = None
) -> Records:
    """The rows of delimited text; cells are text or None.

    Raises:
        Refused: The header repeats a name or cannot be read, a record is too large, or the stream is damaged.
    """
    cells = CellReader(reading.origin, settings)
    for found in ends.records(_pieces(stream, reading, settings), reading, settings):
        for record in found:
            if columns is None:
                read = cells.read(record)
                columns = _header(read, reading, record.line) if settings.header else _numbered(len(read))
                if settings.header:
                    continue
            yield _row(record, cells, columns, settings)


def _lines(stream: Source, reading: Reading) -> Iterator[tuple[int, bytes, int]]:
    """Each line with its number; of one that is too large no bytes, but their number."""
    limit = reading.max_record_bytes
    number, rest, dropped = 1, b"", 0
    for chunk in json_lines.chunks(stream, reading.origin):
        first, *others = chunk.split(b"\n")
        rest += first
        if dropped or len(rest) > limit:
            # Its bytes are counted, and no longer kept.
            dropped, rest = dropped + len(rest), b""
        for other in others:
            yield number, rest, dropped
            number, rest, dropped = number + 1, other, 0
    yield number, rest, dropped


def _why(record: bytes, error: Exception, reading: Reading, line: int) -> str:
    try:
        json_values.compact(record, reading.origin, line)
    except Refused as refused:
        return refused.faults[0].message
    return str(error)


def _pieces(stream: Source, reading: Reading, settings: Delimited) -> Iterator[str]:
    """Text whose bytes that are no UTF-8 are halves of surrogate pairs, so that only their rows are lost."""
    first = stream.read(CHUNK)
    if settings.encoding != "utf-8" or first[:2] in _MARKS:
        yield from decoded(_Again(first, stream), encoding=settings.encoding, origin=reading.origin)
        return
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    while first:
        yield decoder.decode(first)
        first = stream.read(CHUNK)
    yield decoder.decode(b"", final=True)


class _Again:
    """A stream whose first bytes have been seen."""

    def __init__(self, first: bytes, stream: Source) -> None:
        self._first = first
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; of the first ones as many as were seen."""
        first, self._first = self._first, b""
        return first or self._stream.read(size)


def _row(
    record: ends.Record, cells: CellReader, columns: tuple[str, ...], settings: Delimited
) -> SourceRecord | Unreadable:
    text = record.text
    if not text.isascii() and not _whole(text):
        return Unreadable(record.line, "not UTF-8", text.encode("utf-8", "surrogateescape"))
    try:
        read = cells.read(record)
    except Refused as refused:
        return Unreadable(record.line, refused.faults[0].message, text)
    if len(read) != len(columns):
        return Unreadable(record.line, f"this row has {_cells(len(read))} instead of {len(columns)}", text)
    values = dict(zip(columns, read, strict=True))
    if settings.row_number is not None:
        values.pop(settings.row_number, None)
    return SourceRecord(record.line, values, text)


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _header(cells: list[str | None], reading: Reading, line: int) -> tuple[str, ...]:
    names = tuple(cell or "" for cell in cells)
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        message = f"the header names `{name}` more than once"
        raise broken(reading.origin, message, line=line, cure="rename all but one, or say `columns`")
    return names


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"column_{number}" for number in range(1, count + 1))


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
