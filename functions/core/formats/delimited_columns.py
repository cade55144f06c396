"""Columns of Arrow as lines of delimited text: the lines that `DelimitedText` makes of rows, sooner."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from functions.core.formats import column_text
from functions.core.formats.settings import Delimited

_FORMULA = "^[-=+@]"


class ColumnLines:
    """Makes lines of columns, in any quote mode but `none`."""

    def __init__(self, settings: Delimited, columns: Sequence[str]) -> None:
        self._settings = settings
        self._columns = columns
        special = settings.delimiter + settings.quote_char + (settings.escape or "") + "\r\n\ufeff"
        self._needs = "[" + re.escape(special) + "]"

    def of(self, table: pa.RecordBatch, *, rows_before: int) -> list[bytes]:
        """One line for each row, numbered from the one after `rows_before`.

        Raises:
            Unheld: A nested value holds what JSON cannot.
            ValueError, OverflowError: A time lies outside the years 1 to 9999.
        """
        given = dict(zip(table.schema.names, table.columns, strict=True))
        absent = pa.nulls(table.num_rows, pa.string())
        cells = [self._cells(given.get(name, absent)) for name in self._columns]
        if self._settings.row_number is not None:
            numbers = pa.array(range(rows_before + 1, rows_before + table.num_rows + 1))
            cells.insert(0, self._cells(numbers))
        lines = pc.binary_join_element_wise(*cells, self._settings.delimiter)
        ended = pc.binary_join_element_wise(lines, "", self._settings.ending)
        made: list[bytes] = ended.cast(pa.binary()).to_pylist()
        return made

    def _cells(self, column: pa.Array) -> pa.Array:
        text = column_text.text(column)
        if self._settings.neutralize_formulas and _is_text(column.type):
            formulas = pc.match_substring_regex(text, _FORMULA)
            text = pc.if_else(formulas, pc.binary_join_element_wise("'", text, ""), text)
        null = self._settings.null
        if self._always(column.type):
            absent = self._quoted(pa.array([null]))[0].as_py() if self._settings.quote == "all" else null
            return pc.fill_null(self._quoted(text), absent)
        needed = pc.or_(pc.match_substring_regex(text, self._needs), pc.equal(text, null))
        if pc.any(needed).as_py():
            text = pc.if_else(needed, self._quoted(text), text)
        return pc.fill_null(text, null)

    def _always(self, kind: pa.DataType) -> bool:
        if self._settings.quote == "non_numeric":
            numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
            return not numeric
        return self._settings.quote in {"all", "non_null"}

    def _quoted(self, text: pa.Array) -> pa.Array:
        quote, escape = self._settings.quote_char, self._settings.escape
        if escape is not None:
            text = pc.replace_substring(text, escape, escape + escape)
        text = pc.replace_substring(text, quote, (escape or quote) + quote)
        return pc.binary_join_element_wise(quote, text, quote, "")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
