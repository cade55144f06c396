"""JSON and the values of rows: no number is rounded, nothing that is not JSON is taken or given."""

import base64
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from functions.core.errors import Refused
from functions.core.formats.faults import TOO_DEEP, Unheld, broken

_EXACT_LENGTH = 16
"""A number of fewer than 16 digits, and no exponent, is the same number after a double has held it."""

_MAX_EXPONENT = 6144
"""IEEE 754's widest decimal; written in plain digits, one letter more could be gigabytes."""

LONE_SURROGATE = re.compile(
    rb"(?<!\\)(?:\\\\)*(?P<half>"
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
"""Half of a pair, escaped, without its other half."""

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Unheld)
"""What is raised for text that is no JSON object, or one whose values cannot be read."""

_BYTE = re.compile(r" ?\(byte (\d+)\)")
_NOT_NUMBERS = re.compile(rb"[\[:,\s]\s*(-?Infinity|NaN)\s*[,\]}]")


def compact(record: bytes, origin: str, line: int) -> bytes:
    """A JSON object as text without spaces; its values are checked, and stay as they are written.

    Raises:
        Refused: It is no JSON object, is nested too deeply, or holds half of a surrogate pair.
    """
    try:
        text = msgspec.json.format(record, indent=-1)
        if not record.isascii():
            record.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise diagnosed(record, error, origin, line) from None
    if text[:1] != b"{":
        raise broken(origin, "this is JSON, but not an object", line=line)
    return text


def decode(record: bytes, origin: str, line: int) -> dict[str, Any]:
    """The values of a JSON object.

    Raises:
        Refused: A number has more digits or a larger exponent than can be read, or it is no JSON object.
    """
    try:
        return decode_exactly(record)
    except UNREADABLE as error:
        raise diagnosed(record, error, origin, line) from None


def decode_exactly(record: bytes) -> dict[str, Any]:
    """The values of a JSON object.

    Raises:
        One of `UNREADABLE`: It cannot be read; `diagnosed` says why.
    """
    return _VALUES.decode(record)


def decode_rounding(record: bytes) -> dict[str, Any]:
    """The values of a JSON object, sooner: its fractions as doubles, which round those that `json_digits` finds.

    Raises:
        One of `UNREADABLE`: It cannot be read so, as `decode_exactly` cannot, or has a number too large for a
            double.
    """
    return _DOUBLES.decode(record)


def members(record: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object that has been checked, each as its text."""
    return _MEMBERS.decode(record)


def decode_value(text: msgspec.Raw) -> Any:
    """The value of a member of a JSON object that has been checked.

    Raises:
        Unheld: A number's exponent is too large.
        RecursionError: It is nested too deeply.
    """
    return _VALUE.decode(text)


def encode(value: Any) -> bytes:
    """A value as compact JSON.

    Raises:
        Unheld: It holds NaN, an infinity or half of a surrogate pair.
    """
    return encode_plain(plain(value))


def encode_plain(value: Any) -> bytes:
    """A value that holds nothing but the types of JSON, and neither NaN nor an infinity, as compact JSON.

    Raises:
        Unheld: It holds half of a surrogate pair.
    """
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        raise lone_surrogate(error) from None


def plain(value: Any) -> Any:
    """A value in the types that JSON has."""
    convert = _TO_JSON.get(type(value))
    return value if convert is None else convert(value)


def timestamp(value: datetime) -> str:
    """ISO 8601 in UTC with microseconds: `2025-10-14T02:58:59.323405Z`."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def digits(value: Decimal) -> str:
    """A decimal without exponent."""
    return format(value, "f")


def base64_text(value: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(value).decode()


def lone_surrogate(error: UnicodeEncodeError) -> Unheld:
    """The refusal of text that is no Unicode."""
    return Unheld(f"holds half of a surrogate pair at character {error.start + 1}")


def _finite(value: float) -> float:
    if value - value != 0:
        raise Unheld("is NaN or infinite, which JSON does not have")
    return value


def number(text: str) -> float | Decimal:
    """A JSON number that is no integer: a float where that gives the same number back.

    Raises:
        Unheld: Its exponent is too large.
    """
    if len(text) < _EXACT_LENGTH and "e" not in text and "E" not in text:
        return float(text)
    exact = Decimal(text)
    if abs(exact.adjusted()) > _MAX_EXPONENT or abs(int(exact.as_tuple().exponent)) > _MAX_EXPONENT:
        raise Unheld(f"a number's exponent lies beyond {_MAX_EXPONENT}")
    value = float(text)
    return value if Decimal(repr(value)) == exact else exact


def diagnosed(record: bytes, error: Exception, origin: str, line: int) -> Refused:
    """What was wrong, in words that name the place; columns are bytes from 1."""
    if isinstance(error, RecursionError):
        return broken(origin, TOO_DEEP, line=line)
    if isinstance(error, Unheld):
        return broken(origin, str(error), line=line)
    if half := LONE_SURROGATE.search(record):
        column = half.start("half") + 1
        message = f"holds half of a surrogate pair at byte {column} of the record"
        return broken(origin, message, line=line, column=column)
    if word := _NOT_NUMBERS.search(record):
        column = word.start(1) + 1
        return broken(origin, f"{word[1].decode()} is not JSON", line=line, column=column)
    try:
        record.decode()
    except UnicodeDecodeError as fault:
        message = f"not UTF-8 at byte {fault.start + 1} of the record"
        return broken(origin, message, line=line, column=fault.start + 1)
    place = _BYTE.search(str(error))
    column = int(place[1]) + 1 if place else len(record)
    return broken(origin, _BYTE.sub("", str(error)), line=line, column=column)


_TO_JSON: dict[type, Callable[[Any], Any]] = {
    float: _finite,
    Decimal: lambda value: msgspec.Raw(digits(_finite_decimal(value)).encode()),
    datetime: timestamp,
    date: date.isoformat,
    time: time.isoformat,
    bytes: base64_text,
    dict: lambda value: {name: plain(member) for name, member in value.items()},
    list: lambda value: [plain(item) for item in value],
}


def _finite_decimal(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise Unheld("is NaN or infinite, which JSON does not have")
    return value


_ENCODER = msgspec.json.Encoder()
_VALUES: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any], float_hook=number)
_DOUBLES: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_VALUE = msgspec.json.Decoder(float_hook=number)
_MEMBERS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
