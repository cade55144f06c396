"""What each kind of field may hold, and as what it is kept: numbers given as strings become numbers."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from functions.core.events import numbers, operations, timestamps
from functions.core.events.fields import INPUTS, Kind
from functions.core.events.limits import (
    MAX_GROUP_TYPES,
    MAX_GROUPS,
    MAX_TEXT,
    Unfit,
    cut,
    members_within,
    within,
)

MUTATIONS = ("INSERT", "UPDATE", "DELETE")
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_CURRENCY = re.compile("[A-Z]{3}")
_LONG = (-(2**63), 2**63 - 1)
_TIMES = (timestamps.FIRST // 1000, timestamps.LAST // 1000)


def _text(value: Any) -> str:
    if type(value) is str:
        return value if len(value) <= MAX_TEXT else cut(value)
    if type(value) in {int, float, Decimal}:
        return cut(format(value, "f") if type(value) is Decimal else str(value))
    raise Unfit("must be text")


def _milliseconds(value: Any) -> int:
    if type(value) is int:
        given = value
    elif (type(value) is str and _DIGITS.fullmatch(value)) or (
        type(value) in {float, Decimal} and value - value == 0
    ):
        given = int(value)
    else:
        raise Unfit("must be milliseconds since 1970, a number or digits")
    if not _TIMES[0] <= given <= _TIMES[1]:
        raise Unfit("lies outside the years 1 to 9999")
    return given


def _timestamp(value: Any) -> str:
    found = timestamps.canonical(value) if type(value) is str else None
    if found is None:
        raise Unfit("must be a timestamp, such as 2025-10-14 02:58:59.323405")
    return found


def _integer(value: Any) -> int:
    if type(value) is int:
        given = value
    elif (type(value) is str and _INTEGER.fullmatch(value)) or (
        type(value) in {float, Decimal} and value - value == 0 and value == int(value)
    ):
        given = int(value)
    else:
        raise Unfit("must be an integer")
    if not _LONG[0] <= given <= _LONG[1]:
        raise Unfit("is an integer of more than 64 bits")
    return given


def _number(value: Any) -> float:
    found: Any = numbers.read(value) if type(value) is str else value
    if type(found) not in {int, float, Decimal} or found - found != 0:
        raise Unfit("must be a number")
    try:
        double = float(found)
    except OverflowError:
        double = math.inf
    # A decimal beyond all doubles becomes an infinity without a word, and that would be written as null.
    if math.isinf(double):
        raise Unfit("must be a number that a double holds")
    return found if type(found) is int else double


def _float(value: Any) -> float:
    return float(_number(value))


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Unfit("must be true or false")


def _dictionary(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise Unfit("must be an object")
    return members_within(value)


def _properties(value: Any) -> dict[str, Any]:
    kept = _dictionary(value)
    operations.check(kept)
    return kept


def _groups(value: Any) -> dict[str, Any]:
    kept = _dictionary(value)
    if len(kept) > MAX_GROUP_TYPES:
        raise Unfit(f"has more than {MAX_GROUP_TYPES} group types")
    groups = {
        name: [_text(each) for each in given] if type(given) is list else _text(given)
        for name, given in kept.items()
        if given is not None
    }
    if sum(len(each) if type(each) is list else 1 for each in groups.values()) > MAX_GROUPS:
        raise Unfit(f"has more than {MAX_GROUPS} groups")
    return groups


def _currency(value: Any) -> str:
    if type(value) is not str or not _CURRENCY.fullmatch(value):
        raise Unfit("must be three capitals, such as EUR")
    return value


def _mutation(value: Any) -> str:
    if value not in MUTATIONS:
        raise Unfit("must be INSERT, UPDATE or DELETE")
    return str(value)


class Check(msgspec.Struct, frozen=True):
    """What is kept of the values of a field.

    `keep` gives it for a value that is not null, or raises `Unfit`. `as_it_is` is a condition, in Python, that a
    value `{}` is kept as it is: compiled converters test it in place and spare the call for nearly every value.
    """

    keep: Callable[[Any], Any]
    as_it_is: str = "False"


_FINITE = "(type({0}) is float and {0} - {0} == 0)"
_IS_LONG = f"type({{0}}) is int and {_LONG[0]} <= {{0}} <= {_LONG[1]}"
_SHORT = Check(_text, f"type({{0}}) is str and len({{0}}) <= {MAX_TEXT}")
CHECKS: dict[Kind, Check] = {
    Kind.TEXT: _SHORT,
    Kind.IDENTIFIER: _SHORT,
    Kind.MILLISECONDS: Check(_milliseconds, f"type({{0}}) is int and {_TIMES[0]} <= {{0}} <= {_TIMES[1]}"),
    Kind.TIMESTAMP: Check(_timestamp),
    Kind.INTEGER: Check(_integer, _IS_LONG),
    Kind.NUMBER: Check(_number, f"({_IS_LONG}) or {_FINITE}"),
    Kind.FLOAT: Check(_float, _FINITE),
    Kind.BOOLEAN: Check(_boolean, "type({0}) is bool"),
    Kind.DICTIONARY: Check(_dictionary),
    Kind.PROPERTIES: Check(_properties),
    Kind.GROUPS: Check(_groups),
    Kind.CURRENCY: Check(_currency),
    Kind.MUTATION: Check(_mutation),
    Kind.JSON: Check(within),
}
INPUT_CHECKS = {name: CHECKS[kind] for name, kind in INPUTS.items()}
"""The check of everything that an event may bring."""
