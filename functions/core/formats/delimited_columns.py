"""Columns as lines of delimited text: the lines that `DelimitedText` makes of rows, sooner."""

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from functions.core.formats.column_text import CellColumn
from functions.core.formats.records import Records
from functions.core.formats.settings import Delimited

_FORMULA = "^[-=+@]"


class ColumnLines:
    """Makes lines of columns, in any quote mode but `none`."""

    def __init__(self, settings: Delimited, columns: Sequence[str]) -> None:
        self._settings = settings
        self._columns = columns
        special = (settings.delimiter, settings.quote_char, settings.escape or "", "\r", "\n", "\ufeff")
        self._special = [each.encode() for each in special if each]
        self._needs = "[" + re.escape("".join(special)) + "]"

    def of(self, given: Mapping[str, CellColumn], *, count: int, rows_before: int) -> Records:
        """One line for each of `count` rows, numbered from the one after `rows_before`."""
        absent = CellColumn(pa.nulls(count, pa.string()), pa.string())
        cells = [self._cells(given.get(name, absent)) for name in self._columns]
        if self._settings.row_number is not None:
            numbers = pa.array(range(rows_before + 1, rows_before + count + 1))
            cells.insert(0, self._cells(CellColumn(numbers.cast(pa.string()), numbers.type)))
        cells[-1] = pc.binary_join_element_wise(cells[-1], "", self._settings.ending)
        return _laid_out(pc.binary_join_element_wise(*cells, self._settings.delimiter))

    def _cells(self, column: CellColumn) -> pa.Array:
        text, null = column.text, self._settings.null
        if self._settings.neutralize_formulas and column.is_text:
            formulas = pc.match_substring_regex(text, _FORMULA)
            text = pc.if_else(formulas, pc.binary_join_element_wise("'", text, ""), text)
        if self._always(column):
            absent = self._quoted(pa.array([null]))[0].as_py() if self._settings.quote == "all" else null
            return pc.fill_null(self._quoted(text), absent)
        if self._some_need_quotes(text):
            needed = pc.or_(pc.match_substring_regex(text, self._needs), pc.equal(text, null))
            text = pc.if_else(needed, self._quoted(text), text)
        return pc.fill_null(text, null) if text.null_count else text

    def _some_need_quotes(self, text: pa.Array) -> bool:
        """Whether a cell may need quotes; all cells are looked at as the one text that they are in memory."""
        data = text.buffers()[2]
        held = data.to_pybytes() if data is not None else b""
        return any(each in held for each in self._special) or bool(
            pc.any(pc.equal(text, self._settings.null)).as_py()
        )

    def _always(self, column: CellColumn) -> bool:
        if self._settings.quote == "non_numeric":
            return not column.is_number
        return self._settings.quote in {"all", "non_null"}

    def _quoted(self, text: pa.Array) -> pa.Array:
        quote, escape = self._settings.quote_char, self._settings.escape
        if escape is not None:
            text = pc.replace_substring(text, escape, escape + escape)
        text = pc.replace_substring(text, quote, (escape or quote) + quote)
        return pc.binary_join_element_wise(quote, text, quote, "")


def _laid_out(lines: pa.Array) -> Records:
    """The lines as they lie in memory, one after another."""
    _, offsets, data = lines.buffers()
    bounds = memoryview(offsets).cast("i")[lines.offset : lines.offset + len(lines) + 1]
    held = memoryview(data).cast("B") if data is not None else memoryview(b"")
    return Records(
        data=held[bounds[0] : bounds[-1]],
        count=len(lines),
        ends=lambda: [end - bounds[0] for end in bounds[1:]],
    )
