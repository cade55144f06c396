"""Columns of Arrow as text and as values of JSON, a column at a time: what single values would give, sooner."""

from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from functions.core.formats import cells, json_values
from functions.core.formats.kinds import TIMESTAMP

_FIRST = pa.scalar(datetime(1, 1, 1), pa.timestamp("us")).cast(TIMESTAMP)  # noqa: DTZ001 - in UTC, as the type says
_LAST = pa.scalar(datetime(9999, 12, 31, 23, 59, 59, 999_999), pa.timestamp("us")).cast(TIMESTAMP)  # noqa: DTZ001 - as above


def text(column: pa.Array) -> pa.Array:
    """Each value as `cells.text` gives it.

    Raises:
        Unheld: A nested value holds what JSON cannot.
        ValueError, OverflowError: A time lies outside the years 1 to 9999.
    """
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    if kind == TIMESTAMP and _within_years(column):
        return pc.replace_substring(column.cast(pa.string()), " ", "T")
    values = column.to_pylist(maps_as_pydicts="strict")
    return pa.array([None if value is None else cells.text(value) for value in values], pa.string())


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


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _within_years(column: pa.Array) -> bool:
    bounds = pc.min_max(column)
    if not bounds["min"].is_valid:
        return True
    return bool(
        pc.greater_equal(bounds["min"], _FIRST).as_py() and pc.less_equal(bounds["max"], _LAST).as_py()
    )
