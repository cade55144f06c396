"""Values as the cells of delimited text."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from functions.core.formats import json_values

NUMBERS = frozenset({int, float, Decimal})
"""The types that `non_numeric` leaves without quotes."""


def text(value: Any) -> str:
    """A value that is not None as text; nested values are compact JSON.

    Raises:
        Unheld: A nested value holds what JSON cannot.
    """
    convert = _TO_TEXT.get(type(value))
    return convert(value) if convert else str(value)


def _float(value: float) -> str:
    if value - value == 0:
        return repr(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - only NaN differs from itself


def _json(value: Any) -> str:
    return json_values.encode(value).decode()


_TO_TEXT: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    float: _float,
    Decimal: json_values.digits,
    datetime: json_values.timestamp,
    date: date.isoformat,
    time: time.isoformat,
    bytes: json_values.base64_text,
    dict: _json,
    list: _json,
}
