"""Writing delimited text: what is read back is what was written, or there is an error."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from functions.core.errors import Refused
from functions.core.formats import cells
from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.column_text import cell_columns, json_cell_columns
from functions.core.formats.delimited_columns import ColumnLines
from functions.core.formats.faults import TOO_DEEP, Unheld, oversized, unheld
from functions.core.formats.json_columns import JsonColumns, apart
from functions.core.formats.json_values import lone_surrogate
from functions.core.formats.records import Records
from functions.core.formats.rows import MAX_RECORD_BYTES, Batch, Row
from functions.core.formats.settings import Delimited

_FORMULA = ("=", "+", "-", "@")
_NO_BATCH = "the header"


class DelimitedText:
    """Rows as lines of delimited text, with the columns that were fixed before the first of them."""

    lead = b""
    tail = b""

    def __init__(
        self, settings: Delimited, columns: Sequence[str], *, max_record_bytes: int = MAX_RECORD_BYTES
    ) -> None:
        self._settings = settings
        self._columns = tuple(columns)
        self._known = frozenset(columns)
        self._limit = max_record_bytes
        self._rows = 0
        self._cell = _cell_writer(settings)
        self._lines = ColumnLines(settings, self._columns) if settings.quoting else None
        self.head = self._header()

    def encode(self, batch: Batch) -> Records:
        """One line for each row; a column that a row lacks is null.

        Raises:
            Refused: A row has a column that the file has not, the file could not be read back, or a record is
                too large.
        """
        encoded = self._of_columns(batch)
        if encoded is None:
            return Records.of([line for each in apart(batch) for line in self._of_rows(each)])
        self._rows += encoded.count
        return encoded

    def _of_columns(self, batch: Batch) -> Records | None:
        """The lines made a column at a time; None where there are none, or something to refuse, which rows tell."""
        if self._lines is None or not self._columns or not len(batch):
            return None
        if not isinstance(batch, ColumnBatch | JsonColumns) or not self._known.issuperset(batch.names()):
            return None
        try:
            given = json_cell_columns(batch) if isinstance(batch, JsonColumns) else cell_columns(batch.table)
            encoded = self._lines.of(given, count=len(batch), rows_before=self._rows)
        except (ValueError, OverflowError, KeyError, TypeError, RecursionError):
            return None
        too_large = len(encoded.data) > self._limit and encoded.largest() > self._limit
        return None if too_large else encoded

    def _of_rows(self, batch: Batch) -> list[bytes]:
        lines = [self._line(batch, place, row) for place, row in enumerate(batch.rows())]
        self._check(batch, lines)
        self._rows += len(lines)
        return lines

    def _line(self, batch: Batch, place: int, row: Row) -> bytes:
        self._refuse_unknown(batch, place, row)
        try:
            line = [self._cell(row.get(column)) for column in self._columns]
            if self._settings.row_number is not None:
                line.insert(0, self._cell(self._rows + place + 1))
            return (self._settings.delimiter.join(line) + self._settings.ending).encode()
        except (Unheld, UnicodeEncodeError, RecursionError):
            raise self._unheld(batch, place, row) from None

    def _header(self) -> bytes:
        number = self._settings.row_number
        names = self._columns if number is None else (number, *self._columns)
        for name in names:
            try:
                self._cell(name).encode()
            except (Unheld, UnicodeEncodeError) as error:
                why = str(lone_surrogate(error) if isinstance(error, UnicodeEncodeError) else error)
                raise unheld(_NO_BATCH, 1, row=0, column=ascii(name)[1:-1], why=why) from None
        if number in self._columns:
            why = "is also the name of the row-number column"
            raise unheld(_NO_BATCH, 1, row=0, column=str(number), why=why, cure="set another `row_number`")
        if not self._settings.header or not self._columns:
            return b""
        return (self._settings.delimiter.join(map(self._cell, names)) + self._settings.ending).encode()

    def _refuse_unknown(self, batch: Batch, place: int, row: Row) -> None:
        if not self._columns:
            why = "a row without columns cannot be told from an empty line"
            raise unheld(batch.origin, batch.lines[place], row=self._rows + place + 1, column="", why=why)
        if not row.keys() <= self._known:
            unknown = next(name for name in row if name not in self._known)
            raise unheld(
                batch.origin,
                batch.lines[place],
                row=self._rows + place + 1,
                column=unknown,
                why="the file has no such column",
                cure="name it in `columns`",
            )

    def _unheld(self, batch: Batch, place: int, row: Row) -> Refused:
        """The error of a row, with the column that is at fault."""
        for column in self._columns:
            try:
                self._cell(row.get(column)).encode()
            except UnicodeEncodeError as error:
                why = str(lone_surrogate(error))
            except Unheld as error:
                why = str(error)
            except RecursionError:
                why = TOO_DEEP
            else:
                continue
            line = batch.lines[place]
            return unheld(batch.origin, line, row=self._rows + place + 1, column=column, why=why)
        raise AssertionError

    def _check(self, batch: Batch, encoded: list[bytes]) -> None:
        if encoded and max(map(len, encoded)) > self._limit:
            place = next(place for place, record in enumerate(encoded) if len(record) > self._limit)
            size = len(encoded[place])
            raise oversized(batch.origin, line=batch.lines[place], size=size, limit=self._limit)


def _cell_writer(settings: Delimited) -> Callable[[Any], str]:
    """The function from a value to its cell."""
    write = _unquoted(settings) if settings.quote == "none" else _quoted(settings)
    if not settings.neutralize_formulas:
        return write

    def neutralized(value: Any) -> str:
        if isinstance(value, str) and value.startswith(_FORMULA):
            value = "'" + value
        return write(value)

    return neutralized


def _quoted(settings: Delimited) -> Callable[[Any], str]:
    quote, escape, null = settings.quote_char, settings.escape, settings.null
    needs = re.compile(
        "[" + re.escape(settings.delimiter + quote + (escape or "") + "\r\n\ufeff") + "]"
    ).search
    special = re.compile("[" + re.escape(quote + (escape or "")) + "]")
    mark = escape or quote

    def quoted(text: str) -> str:
        return quote + special.sub(lambda found: mark + found[0], text) + quote

    absent = quoted(null) if settings.quote == "all" else null

    def write(value: Any) -> str:
        if value is None:
            return absent
        text = value if type(value) is str else cells.text(value)
        return quoted(text) if always(value) or text == null or needs(text) else text

    always = _ALWAYS[settings.quote]
    return write


def _unquoted(settings: Delimited) -> Callable[[Any], str]:
    escape, null = settings.escape, settings.null
    special = re.compile(
        "[" + re.escape(settings.delimiter + settings.quote_char + (escape or "") + "\r\n\ufeff") + "]"
    )

    def write(value: Any) -> str:
        if value is None:
            return null
        text = value if type(value) is str else cells.text(value)
        if escape is None and (found := special.search(text)):
            raise Unheld(
                f"holds {_NAMES.get(found[0], ascii(found[0]))}, and `quote` is none without `escape`"
            )
        cell = special.sub(lambda found: escape + found[0], text) if escape else text
        if cell != null:
            return cell
        if escape and cell:
            return escape + cell
        raise Unheld(f"is the text for null, {null!r}, and `quote` is none; set another `null`")

    return write


_ALWAYS: dict[str, Callable[[Any], bool]] = {
    "all": lambda _value: True,
    "non_null": lambda _value: True,
    "minimal": lambda _value: False,
    "non_numeric": lambda value: type(value) not in cells.NUMBERS,
}
_NAMES = {"\n": "a line break", "\r": "a line break", '"': "a quote", ",": "the delimiter"}
