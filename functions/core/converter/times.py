"""Operators on times: strings and milliseconds since 1970-01-01T00:00:00Z, every year that 64 bits hold."""

import base64
import binascii
import math
import re
from datetime import UTC, datetime
from typing import Any

from functions.core.converter import calendar_days
from functions.core.converter.values import NO_VALUE, NUMBERS, Absence

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive times are UTC here
_EPOCH_UTC = _EPOCH.replace(tzinfo=UTC)
_DATE = 10
_PLAIN = frozenset({19, 20, 23, 24, 25, 26, 27})
"""Lengths of YYYY-MM-DDTHH:MM:SS[.fff[fff]], with `Z` and with an offset, which Python itself reads faster."""

_ISO = re.compile(
    r"(?P<year>[0-9]{4}|[+-][0-9]{4,9})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r" ?(?:[Zz]|(?P<offset>[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_INT96 = 16
"""Characters that 12 bytes have in base64."""

_JULIAN_EPOCH = 2_440_588


def iso_time_to_ms(value: Any) -> int | Absence:
    """The milliseconds of an ISO 8601 time; what is finer is cut."""
    if type(value) is not str:
        return NO_VALUE
    size = len(value)
    if size == _DATE or (size in _PLAIN and value[_DATE] in "T "):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return _unusual(value)
        past = moment - (_EPOCH_UTC if moment.tzinfo else _EPOCH)
        return past.days * calendar_days.DAY + past.seconds * 1000 + past.microseconds // 1000
    return _unusual(value)


def ms_to_iso_time(value: Any) -> str | Absence:
    """`YYYY-MM-DDTHH:MM:SS`; years beyond four digits have a sign, as ISO 8601 asks for."""
    milliseconds = _milliseconds(value)
    if milliseconds is NO_VALUE:
        return NO_VALUE
    count, rest = divmod(milliseconds, calendar_days.DAY)
    year, month, day = calendar_days.date(count)
    shown = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"  # noqa: PLR2004 - four digits
    seconds = rest // 1000
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{shown}-{month:02d}-{day:02d}T{clock}"


def int96_time_to_ms(value: Any) -> int | Absence:
    """The milliseconds of a Parquet INT96 in base64, or of the ISO 8601 time as which it was read."""
    if type(value) is not str:
        return NO_VALUE
    if len(value) != _INT96:
        return iso_time_to_ms(value)
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return iso_time_to_ms(value)
    nanoseconds, day = int.from_bytes(raw[:8], "little", signed=True), int.from_bytes(raw[8:], "little")
    milliseconds = (day - _JULIAN_EPOCH) * calendar_days.DAY + nanoseconds // 1_000_000
    return calendar_days.within(milliseconds) if len(raw) == 12 else NO_VALUE  # noqa: PLR2004 - 96 bits


def clock(hour: int, minute: int, second: int) -> int | Absence:
    """The milliseconds to a time of day; none, where there is no such time."""
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - the clock's own numbers
        return NO_VALUE
    return ((hour * 60 + minute) * 60 + second) * 1000


def offset(text: str) -> int | Absence:
    """The milliseconds of `+01:00`, `+0100` or `+01`."""
    ahead = clock(int(text[1:3]), int(text[3:].lstrip(":") or 0), 0)
    return -ahead if text[0] == "-" and ahead is not NO_VALUE else ahead


def _unusual(text: str) -> int | Absence:
    match = _ISO.fullmatch(text)
    if match is None:
        return NO_VALUE
    found = match.groupdict()
    count = calendar_days.days(int(found["year"]), int(found["month"]), int(found["day"]))
    of_day = clock(*(int(found[name] or 0) for name in ("hour", "minute", "second")))
    ahead = offset(found["offset"]) if found["offset"] else 0
    if count is NO_VALUE or of_day is NO_VALUE or ahead is NO_VALUE:
        return NO_VALUE
    fraction = int((found["fraction"] or "").ljust(3, "0")[:3])
    return calendar_days.within(count * calendar_days.DAY + of_day - ahead + fraction)


def _milliseconds(value: Any) -> int | Absence:
    if type(value) is str and _DIGITS.fullmatch(value):
        return calendar_days.within(int(value))
    if type(value) not in NUMBERS:
        return NO_VALUE
    try:
        return calendar_days.within(math.floor(value))
    except (OverflowError, ValueError):
        return NO_VALUE
