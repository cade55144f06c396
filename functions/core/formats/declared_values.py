"""Values of JSON as the values of declared columns: exactly, or not at all."""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

import pyarrow as pa

from functions.core.errors import Permanent
from functions.core.formats import cells
from functions.core.formats.faults import Unheld
from functions.core.instants import Instant

Conform = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_ZONE = re.compile(r"(\d{4}-\d{2}-\d{2})[ Tt](\d{2}:\d{2}:\d{2}(?:\.\d+)?)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"(\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)0*(?:[Zz]|\+00:00)?", re.ASCII)
_NUMBERS = frozenset({int, float, Decimal})
_EXACT = 2**53
"""Up to here every integer is a double."""


def conformer(kind: pa.DataType) -> Conform:
    """What turns a value of JSON that is not null into one of this type, or raises `Unheld` with the reason."""
    if pa.types.is_struct(kind):
        return _members({member.name: conformer(member.type) for member in kind})
    if pa.types.is_list(kind):
        return _items(conformer(kind.value_type))
    if pa.types.is_decimal(kind):
        return _decimal(kind)
    if pa.types.is_integer(kind):
        return _integer(kind)
    return next(conform for matches, conform in _CONFORMERS if matches(kind))


def _members(inner: dict[str, Conform]) -> Conform:
    def conform(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _unfit(value, "an object")
        for name in value:
            if name not in inner:
                raise Unheld(f"has a member `{name}` that is not declared")
        return {name: None if each is None else inner[name](each) for name, each in value.items()}

    return conform


def _items(inner: Conform) -> Conform:
    def conform(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _unfit(value, "an array")
        return [None if item is None else inner(item) for item in value]

    return conform


def _integer(kind: pa.DataType) -> Conform:
    low, high = (-(2**63), 2**63 - 1) if pa.types.is_signed_integer(kind) else (0, 2**64 - 1)

    def conform(value: Any) -> int:
        if type(value) not in _NUMBERS or value != int(value):
            raise _unfit(value, "an integer")
        if not low <= value <= high:
            raise Unheld(f"is an integer that is not from {low} to {high}")
        return int(value)

    return conform


def _decimal(kind: pa.DataType) -> Conform:
    step = Decimal(1).scaleb(-kind.scale)
    exactly = Context(prec=kind.precision, traps=[Inexact, InvalidOperation])

    def conform(value: Any) -> Decimal:
        if type(value) not in _NUMBERS:
            raise _unfit(value, "a number")
        try:
            return exactly.quantize(value if isinstance(value, Decimal) else Decimal(repr(value)), step)
        except (Inexact, InvalidOperation):
            shown = f"{kind.precision} digits, {kind.scale} of them after the point"
            raise Unheld(f"has more than {shown}") from None

    return conform


def _double(value: Any) -> float:
    if type(value) not in _NUMBERS:
        raise _unfit(value, "a number")
    if type(value) is Decimal or (type(value) is int and abs(value) > _EXACT and int(float(value)) != value):
        raise Unheld("has more digits than a double holds")
    return float(value)


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise _unfit(value, "true or false")
    return value


def _timestamp(value: Any) -> datetime:
    text = _text_of(value, "a date-time")
    # Many senders leave out the zone, and mean UTC; Parquet's timestamps without one are read so, too.
    local = _NO_ZONE.fullmatch(text)
    try:
        nanoseconds = Instant.parse(f"{local[1]}T{local[2]}Z" if local else text).nanoseconds
    except Permanent as error:
        raise Unheld(f"is no date-time: it {error.text.removeprefix('`time` ')}") from None
    microseconds, finer = divmod(nanoseconds, 1000)
    if finer:
        raise Unheld("is finer than a microsecond")
    return _EPOCH + timedelta(microseconds=microseconds)


def _date(value: Any) -> date:
    text = _text_of(value, "a date")
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Unheld("is no date such as 2025-10-14")


def _time(value: Any) -> time:
    text = _text_of(value, "a time")
    match = _TIME.fullmatch(text)
    try:
        if match:
            return time.fromisoformat(match[1])
    except ValueError:
        pass
    raise Unheld("is no time such as 09:30:00, in UTC")


def _binary(value: Any) -> bytes:
    try:
        return base64.b64decode(_text_of(value, "base64"), validate=True)
    except (binascii.Error, ValueError):
        raise Unheld("is no base64") from None


def _text(value: Any) -> str:
    return value if type(value) is str else cells.text(value)


def _text_of(value: Any, what: str) -> str:
    if type(value) is not str:
        raise _unfit(value, what)
    return value


def _unfit(value: Any, wanted: str) -> Unheld:
    return Unheld(f"is {_NAMES[type(value)]}, where {wanted} is declared")


_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    Decimal: "a number",
    str: "text",
    dict: "an object",
    list: "an array",
}
_CONFORMERS: list[tuple[Callable[[pa.DataType], bool], Conform]] = [
    (pa.types.is_floating, _double),
    (pa.types.is_boolean, _truth),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_date, _date),
    (pa.types.is_time, _time),
    (pa.types.is_binary, _binary),
    (lambda _: True, _text),
]
