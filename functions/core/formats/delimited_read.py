"""Reading delimited text: RFC 4180 by its letter, so that a broken file is an error and never other data."""

from collections import Counter
from collections.abc import Iterator

from functions.core.formats.delimited_cells import CellReader
from functions.core.formats.delimited_records import Record, records
from functions.core.formats.faults import broken
from functions.core.formats.rows import Reading, Row, ValueBatch
from functions.core.formats.settings import Delimited
from functions.core.formats.streams import Source
from functions.core.formats.text_input import decoded

_SHOWN = 5


def read(stream: Source, reading: Reading, settings: Delimited) -> Iterator[ValueBatch]:
    """The rows of a stream; cells are text or None. Without a header columns are `column_1`, `column_2`, ….

    Raises:
        Refused: A header repeats a name, a row has too many or too few cells, or a cell is malformed.
    """
    table = _Table(reading, settings)
    text = decoded(stream, encoding=settings.encoding, origin=reading.origin)
    for found in records(text, reading, settings):
        # The first batch shows the columns of all; of an empty file there is none.
        if found:
            yield table.batch(found)


class _Table:
    """The rows of one input, once its columns are known."""

    def __init__(self, reading: Reading, settings: Delimited) -> None:
        self.columns: tuple[str, ...] | None = None
        self._origin = reading.origin
        self._settings = settings
        self._cells = CellReader(reading.origin, settings)

    def batch(self, found: list[Record]) -> ValueBatch:
        """The rows of some records."""
        body = iter(found)
        if self.columns is None:
            self.columns = columns_of(found[0], self._cells, self._origin, self._settings)
            if self._settings.header:
                next(body)
        columns = self.columns or ()
        lines: list[int] = []
        values: list[Row] = []
        for record in body:
            cells = self._cells.read(record)
            if len(cells) != len(columns):
                raise self._ragged(record, len(cells))
            lines.append(record.line)
            values.append(dict(zip(columns, cells, strict=True)))
        shown = self._shown(values)
        return ValueBatch(origin=self._origin, lines=lines, values=values, columns=shown)

    def _shown(self, values: list[Row]) -> tuple[str, ...] | None:
        """Take the row numbers out again."""
        number = self._settings.row_number
        if number is None or self.columns is None or number not in self.columns:
            return self.columns
        for row in values:
            del row[number]
        return tuple(name for name in self.columns if name != number)

    def _ragged(self, record: Record, count: int) -> Exception:
        wanted = len(self.columns or ())
        what = "the header" if self._settings.header else "the first row"
        cells = "1 cell" if count == 1 else f"{count} cells"
        return broken(self._origin, f"this row has {cells}, {what} has {wanted}", line=record.line)


def columns_of(first: Record, reader: CellReader, origin: str, settings: Delimited) -> tuple[str, ...]:
    """The columns that the first record of a file shows.

    Raises:
        Refused: It is a header that repeats a name, or malformed.
    """
    cells = reader.read(first)
    if not settings.header:
        return tuple(f"column_{number}" for number in range(1, len(cells) + 1))
    names = tuple(cell or "" for cell in cells)
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        shown = ", ".join(f"`{name}`" for name in repeated[:_SHOWN])
        places = ", ".join(str(at) for at, name in enumerate(names, 1) if name == repeated[0])
        message = f"the header names {shown} more than once (columns {places})"
        raise broken(origin, message, line=first.line, cure="rename all but one")
    return names
