"""Rows of delimited text, read on past broken ones."""

from collections.abc import Iterable, Iterator, Sequence

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
from functions.core.formats.tolerant import LargeRecord, Original, Reason, RecordBatch, Unread
from functions.core.formats.tolerant_ends import Ends, Marks, lines

_CHARACTER = 4
"""Bytes that a character beyond ASCII takes in memory, at most."""


class Layout(msgspec.Struct, frozen=True):
    """How the records of an input become rows; `numbers` is the column that is no data, but rows' numbers."""

    columns: tuple[str, ...]
    cells: CellReader
    numbers: str | None

    def row(self, record: Record) -> Row | Unread:
        """A record's cells, which are text or None."""
        if not is_unicode(record.text):
            return Unread(Reason.NO_UNICODE)
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

    def records(self) -> list[Row | Unread]:
        """The rows."""
        return list(map(self.layout.row, self.found))

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
    cells, marks = CellReader(reading.origin, settings), Marks(settings)
    ends = Ends(reading, marks, cells)
    layout = None if columns is None else Layout(columns, cells, settings.row_number)
    text = decoded(stream, encoding=settings.encoding, origin=reading.origin, lenient=True)
    for some in lines(text, marks, reading.max_record_bytes):
        found = list(ends.records(some))
        if layout is None and found:
            layout = Layout(_columns(found[0], cells, reading, settings), cells, settings.row_number)
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
