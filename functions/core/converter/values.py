"""What the operators hold values to be: the types of JSON, and *no value*, which is not null.

A value is None, bool, int, float, Decimal (a number that a double would change), str, list or dict.
Operators never change a value that they are given: literals and parts of the record pass through uncopied.
"""

import enum
import math
from decimal import Decimal
from typing import Any, Final

import msgspec

from functions.core.events import numbers


class Absence(enum.Enum):
    """A missing field, a lost value: never an error, and never null."""

    NO_VALUE = "no value"


NO_VALUE: Final = Absence.NO_VALUE

NUMBERS = frozenset({int, float, Decimal})

_KINDS: dict[type, str] = {
    str: "string",
    list: "list",
    dict: "dict",
    bool: "bool",
    int: "number",
    float: "number",
    Decimal: "number",
    type(None): "null",
}
_JSON = msgspec.json.Encoder(decimal_format="number")


def typeof(value: Any) -> str:
    """The type of a value, in the language's words."""
    return _KINDS.get(type(value), "string")


def boolean(value: Any) -> bool | Absence:
    """A value as BOOLEAN: null and no value are false, what is no boolean is no value."""
    if value is True or value == "true":
        return True
    if value is False or value is None or value is NO_VALUE or value == "false":
        return False
    return NO_VALUE


def text_of(value: Any) -> str | Absence:
    """A value as a string: numbers, booleans and containers as compact JSON."""
    if type(value) is str:
        return value
    try:
        return _JSON.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return NO_VALUE


def equal(left: Any, right: Any) -> bool:
    """Equality of JSON: 1 and 1.0 are equal; 1, "1" and true are three values."""
    kind = type(left)
    if kind is dict and type(right) is dict:
        return left.keys() == right.keys() and all(equal(left[name], right[name]) for name in left)
    if kind is list and type(right) is list:
        return len(left) == len(right) and all(map(equal, left, right))
    if (kind is bool) is not (type(right) is bool):
        return False
    return bool(left == right)


def number(value: Any) -> float | Absence:
    """A value as a number to reckon with: strings are read, null is 0; integers stay integers."""
    # What is nearly always given is seen to without a call: in sums they are most of the time.
    if type(value) is int:
        return value
    if type(value) is float:
        return value if value - value == 0 else NO_VALUE
    if value is None:
        return 0
    kind = type(value)
    if kind is Decimal:
        return finite(value)
    given = numbers.read(value) if kind is str else None
    return NO_VALUE if given is None else given


def finite(value: float | Decimal) -> float | Absence:
    """A number that JSON has: an integer as it is, anything else as a double."""
    if type(value) is int:
        return value
    try:
        double = float(value)
    except (OverflowError, ValueError):
        return NO_VALUE
    return double if math.isfinite(double) else NO_VALUE
