"""Columns of Arrow as text and as values of JSON, a column at a time: what single values would give, sooner."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from functions.core.formats import cells, json_values
from functions.core.formats.json_columns import JsonColumns
from functions.core.formats.kinds import TIMESTAMP

_FIRST = pa.scalar(datetime(1, 1, 1), pa.timestamp("us")).cast(TIMESTAMP)  # noqa: DTZ001 - in UTC, as the type says
_LAST = pa.scalar(datetime(9999, 12, 31, 23, 59, 59, 999_999), pa.timestamp("us")).cast(TIMESTAMP)  # noqa: DTZ001 - as above
_LEAST, _MOST = 1e-4, 1e10
"""Between these neither Arrow nor Python writes an exponent, and both the fewest digits that tell doubles apart."""


class CellColumn(msgspec.Struct, frozen=True):
    """A column as the text of its cells, and what its values were; absent ones are null."""

    text: pa.Array
    kind: pa.DataType

    @property
    def is_text(self) -> bool:
        """Whether the values were text."""
        return _is_text(self.kind)

    @property
    def is_number(self) -> bool:
        """Whether the values were numbers."""
        kind = self.kind
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def cell_columns(table: pa.RecordBatch) -> dict[str, CellColumn]:
    """Each column of typed values as `cells.text` gives its values.

    Raises:
        Unheld: A nested value holds what JSON cannot.
        ValueError, OverflowError: A time lies outside the years 1 to 9999.
    """
    named = zip(table.schema.names, table.columns, strict=True)
    return {name: CellColumn(text(column), column.type) for name, column in named}


def json_cell_columns(batch: JsonColumns) -> dict[str, CellColumn]:
    """Each column of rows of JSON as `cells.text` gives the values that stand in the rows.

    Raises:
        Unheld: A number's exponent is too large.
        RecursionError: A value is nested too deeply.
    """
    values = _Values(batch)
    named = zip(batch.table.schema.names, batch.table.columns, strict=True)
    return {name: CellColumn(_json_text(name, column, values), column.type) for name, column in named}


def text(column: pa.Array) -> pa.Array:
    """Each value as `cells.text` gives it.

    Raises:
        Unheld: A nested value holds what JSON cannot.
        ValueError, OverflowError: A time lies outside the years 1 to 9999.
    """
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_integer(kind) or _is_plain(kind):
        return column.cast(pa.string())
    if kind == TIMESTAMP and within_years(column):
        # Without its zone: Arrow looks up the zone of every value.
        plain = column.cast(pa.timestamp("us")).cast(pa.string())
        return pc.binary_join_element_wise(pc.utf8_replace_slice(plain, 10, 11, "T"), "Z", "")
    if pa.types.is_float64(kind):
        return _doubles(column)
    values = column.to_pylist(maps_as_pydicts="strict")
    return pa.array([None if value is None else cells.text(value) for value in values], pa.string())


class _Values:
    """The values of single rows, parsed when they are asked for."""

    def __init__(self, batch: JsonColumns) -> None:
        self._batch = batch
        self._records: list[bytes] = []
        self._members: dict[int, dict[str, msgspec.Raw]] = {}

    def texts(self, column: str, places: Sequence[int]) -> list[str]:
        """The cells of these rows of a column."""
        name = self._batch.source_of(column)
        return [cells.text(json_values.decode_value(self._row(place)[name])) for place in places]

    def _row(self, place: int) -> dict[str, msgspec.Raw]:
        if place not in self._members:
            self._records = self._records or self._batch.records()
            self._members[place] = json_values.members(self._records[place])
        return self._members[place]


def _json_text(name: str, column: pa.Array, values: _Values) -> pa.Array:
    if pa.types.is_nested(column.type):
        return _replaced(
            pa.nulls(len(column), pa.string()), column.is_valid(), lambda places: values.texts(name, places)
        )
    if pa.types.is_float64(column.type):
        # A double without a fraction may have been an integer.
        odd = pc.or_(pc.invert(_written_alike(column)), _is_whole(column))
        return _replaced(column.cast(pa.string()), odd, lambda places: values.texts(name, places))
    return text(column)


def _doubles(column: pa.Array) -> pa.Array:
    made = column.cast(pa.string())
    made = pc.if_else(_is_whole(column), pc.binary_join_element_wise(made, "0", "."), made)
    odd = pc.invert(pc.or_(_written_alike(column), pc.equal(column, 0.0)))
    return _replaced(made, odd, lambda places: [cells.text(column[place].as_py()) for place in places])


def _written_alike(column: pa.Array) -> pa.Array:
    """Which doubles Arrow writes as Python does, but for the `.0` of those without a fraction."""
    size = pc.abs(column)
    return pc.and_(pc.greater_equal(size, _LEAST), pc.less(size, _MOST))


def _is_whole(column: pa.Array) -> pa.Array:
    return pc.equal(pc.trunc(column), column)


def _replaced(column: pa.Array, mask: pa.Array, told: Callable[[Sequence[int]], list[str]]) -> pa.Array:
    """The column with other text where the mask is true."""
    places = pc.indices_nonzero(mask).to_pylist()
    if not places:
        return column
    return pc.replace_with_mask(
        column, pc.fill_null(mask, fill_value=False), pa.array(told(places), pa.string())
    )


def json_ready(column: pa.Array) -> list[Any]:
    """Each value in the types that JSON has.

    Raises:
        Unheld: A value is NaN or infinite.
        ValueError, OverflowError: A time lies outside the years 1 to 9999.
    """
    kind = column.type
    if kind == TIMESTAMP:
        column = text(column)
    values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    if kind == TIMESTAMP or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or _is_text(kind):
        return values
    return [json_values.plain(value) for value in values]


def _is_plain(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(kind) or pa.types.is_null(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def within_years(column: pa.Array) -> bool:
    """Whether all timestamps lie in the years 1 to 9999, which are those that can be written."""
    bounds = pc.min_max(column)
    if not bounds["min"].is_valid:
        return True
    return bool(
        pc.greater_equal(bounds["min"], _FIRST).as_py() and pc.less_equal(bounds["max"], _LAST).as_py()
    )
