"""Arithmetic: integers stay integers of any size, one float makes a float, what is not finite is no value."""

import math
from collections.abc import Callable
from operator import add as plus
from operator import mul as times
from operator import sub as minus
from typing import Any

from functions.core.converter.values import NO_VALUE, Absence, number

_MAX_BITS = 10_000
"""About 3,000 digits: products of products grow without end, and Python writes no integer of 4,300."""


def add(*values: Any) -> float | Absence:
    """The sum."""
    return _all(plus, values)


def multiply(*values: Any) -> float | Absence:
    """The product."""
    return _all(times, values)


def subtract(left: Any, right: Any) -> float | Absence:
    """The difference."""
    return _all(minus, (left, right))


def divide(left: Any, right: Any) -> float | Absence:
    """The quotient; that of integers is an integer where it is exact."""
    return _all(_quotient, (left, right))


def rounded(value: Any) -> int | Absence:
    """The nearest integer; of two, the one further from zero."""
    exact = NO_VALUE if value is None else number(value)
    if exact is NO_VALUE or type(exact) is int:
        return exact
    whole = math.trunc(exact)
    # The difference is exact, where adding a half to 0.49999999999999994 gives 1.
    return whole + round(math.copysign(1, exact)) if abs(exact - whole) >= 0.5 else whole  # noqa: PLR2004 - a half


def _all(operate: Callable[[Any, Any], Any], values: tuple[Any, ...]) -> float | Absence:
    total = number(values[0])
    for value in values[1:]:
        right = number(value)
        if total is NO_VALUE or right is NO_VALUE:
            return NO_VALUE
        try:
            total = _bounded(operate(total, right))
        except (OverflowError, ZeroDivisionError):
            return NO_VALUE
    return total


def _bounded(value: float) -> float | Absence:
    if type(value) is int:
        return value if value.bit_length() <= _MAX_BITS else NO_VALUE
    return value if value - value == 0 else NO_VALUE


def _quotient(left: float, right: float) -> float:
    if type(left) is int and type(right) is int and left % right == 0:
        return left // right
    return left / right
