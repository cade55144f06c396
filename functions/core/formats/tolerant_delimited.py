"""Rows of delimited text, read on past broken ones."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from functions.core.errors import Refused
from functions.core.formats.delimited_cells import CellReader
from functions.core.formats.delimited_read import columns_of
from functions.core.formats.delimited_records import Record
from functions.core.formats.faults import broken
from functions.core.formats.rows import Reading, Row
from functions.core.formats.settings import Delimited
from functions.core.formats.streams import Source
from functions.core.formats.text_input import decoded, encoded, is_unicode
from functions.core.formats.tolerant import AT_ONCE, LargeRecord, Original, Reason, RecordBatch, Unread
from functions.core.formats.tolerant_ends import Ends, Marks, lines

_CHARACTER = 4
"""Bytes that a character beyond ASCII takes in memory, at most."""


class QuickCells:
    """Takes well-formed records apart, sooner than `CellReader` does, and knows those that may not be so."""

    def __init__(self, settings: Delimited) -> None:
        self._delimiter, self._quote = settings.delimiter, settings.quote_char
        self._suits = settings.quoting and settings.escape is None and not settings.null

    def read(self, found: Sequence[Record]) -> Iterable[list[Any] | None]:
        """The cells of each record; None for one that must be looked at by itself."""
        texts = [record.text for record in found]
        rows: list[list[str]] = []
        if self._suits:
            reader = csv.reader(texts, delimiter=self._delimiter, quotechar=self._quote, strict=True)
            with suppress(csv.Error):
                rows = list(reader)
        # A quote that is open at the end of a record has taken the next one in.
        return map(self._sure, texts, rows) if len(rows) == len(texts) else [None] * len(texts)

    def _sure(self, text: str, cells: list[Any]) -> list[Any] | None:
        # The module takes quotes within a cell for text: then there are more characters than the record has.
        if sum(map(len, cells)) + len(cells) - 1 + text.count(self._quote) != len(text):
            return None
        if "" not in cells:
            return cells
        return None if self._quote * 2 in text else [cell or None for cell in cells]


class Layout(msgspec.Struct, frozen=True):
    """How the records of an input become rows; `numbers` is the column that is no data, but rows' numbers."""

    columns: tuple[str, ...]
    cells: CellReader
    quick: QuickCells
    numbers: str | None

    def rows(self, found: Sequence[Record]) -> Iterable[Row | Unread]:
        """The records' cells, which are text or None."""
        return map(self._row, found, self.quick.read(found))

    def _row(self, record: Record, cells: list[Any] | None) -> Row | Unread:
        if not is_unicode(record.text):
            return Unread(Reason.NO_UNICODE)
        if cells is None:
            try:
                cells = self.cells.read(record)
            except Refused as refused:
                return Unread(Reason.MALFORMED, refused.faults[0].message)
        if len(cells) != len(self.columns):
            return Unread(Reason.CELLS, f"it has {len(cells)}, and there are {len(self.columns)}")
        row = dict(zip(self.columns, cells, strict=True))
        if self.numbers is not None:
            row.pop(self.numbers, None)
        return row


class DelimitedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Records as the text that they are."""

    origin: str
    found: list[Record]
    layout: Layout

    def __len__(self) -> int:
        return len(self.found)

    def line(self, place: int) -> int:
        """The line that a record begins at."""
        return self.found[place].line

    def sizes(self) -> Sequence[int]:
        """About the size of each."""
        return [len(record.text) * (1 if record.text.isascii() else _CHARACTER) for record in self.found]

    def records(self) -> Iterator[Row | Unread]:
        """The rows."""
        for start in range(0, len(self.found), AT_ONCE):
            yield from self.layout.rows(self.found[start : start + AT_ONCE])

    def original(self, place: int) -> Original:
        """The text of a record."""
        return Original.of(encoded(self.found[place].text))

    def cut(self, start: int, end: int) -> "DelimitedBatch":
        """Some of the records."""
        return msgspec.structs.replace(self, found=self.found[start:end])


def read(
    stream: Source, reading: Reading, settings: Delimited, columns: tuple[str, ...] | None = None
) -> Iterator[RecordBatch]:
    """The rows of a stream; `columns` are the names of its columns where it has no header.

    Raises:
        Refused: Its header cannot be read or repeats a name, a quote is never closed, or the stream is damaged.
    """
    cells, marks, quick = CellReader(reading.origin, settings), Marks(settings), QuickCells(settings)
    ends = Ends(reading, marks, cells)
    layout = None if columns is None else Layout(columns, cells, quick, settings.row_number)
    text = decoded(stream, encoding=settings.encoding, origin=reading.origin, lenient=True)
    for some in lines(text, marks, reading.max_record_bytes):
        found = list(ends.records(some))
        if layout is None and found:
            shown = _columns(found[0], cells, reading, settings)
            layout = Layout(shown, cells, quick, settings.row_number)
            found = found[1:] if settings.header else found
        if layout is not None:
            yield from _batches(found, reading.origin, layout)
    ends.end()


def _columns(
    first: Record | LargeRecord, cells: CellReader, reading: Reading, settings: Delimited
) -> tuple[str, ...]:
    if isinstance(first, LargeRecord) or not is_unicode(first.text):
        why = "is larger than a record may be" if isinstance(first, LargeRecord) else "is not Unicode"
        raise broken(reading.origin, f"the first record, which tells the columns, {why}", line=1)
    return columns_of(first, cells, reading.origin, settings)


def _batches(found: Iterable[Record | LargeRecord], origin: str, layout: Layout) -> Iterator[RecordBatch]:
    """The records in order, those apart that are too large."""
    records: list[Record] = []
    for each in found:
        if isinstance(each, Record):
            records.append(each)
            continue
        if records:
            yield DelimitedBatch(origin=origin, found=records, layout=layout)
            records = []
        yield each
    if records:
        yield DelimitedBatch(origin=origin, found=records, layout=layout)
