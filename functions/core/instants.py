"""Instants in nanoseconds: datetime stops at microseconds, and a message's time must survive whole."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Self

import msgspec

from functions.core.errors import Code, Permanent

_RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_SECOND = 1_000_000_000


class Instant(msgspec.Struct, frozen=True, order=True):
    """A point in time, as nanoseconds since 1970-01-01T00:00:00Z, within the years 1 to 9999."""

    nanoseconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The instant that an RFC 3339 timestamp names: any offset, up to nine digits of a fraction.

        Raises:
            Permanent: `BAD_MESSAGE`; the text is no such timestamp, or no such day or time exists.
        """
        match = _RFC_3339.fullmatch(text)
        if match is None:
            raise _no_timestamp("is not an RFC 3339 timestamp such as 2025-10-14T02:58:59.323405308Z")
        year, month, day, hour, minute, second = (int(group) for group in match.group(1, 2, 3, 4, 5, 6))
        fraction, sign, offset_hours, offset_minutes = match.group(7, 8, 9, 10)
        try:
            days = date(year, month, day).toordinal() - _EPOCH_ORDINAL
        except ValueError:
            raise _no_timestamp("names a day that does not exist") from None
        offset = int(offset_hours or 0) * 60 + int(offset_minutes or 0)
        if hour > 23 or minute > 59 or second > 59 or int(offset_minutes or 0) > 59 or offset >= 24 * 60:  # noqa: PLR2004 - the clock's own numbers
            raise _no_timestamp("names a time of day that does not exist")
        seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
        seconds -= -60 * offset if sign == "-" else 60 * offset
        instant = cls(seconds * _SECOND + int((fraction or "").ljust(9, "0")))
        if not _FIRST <= instant.nanoseconds <= _LAST:
            raise _no_timestamp("lies outside the years 1 to 9999 in UTC")
        return instant

    @classmethod
    def from_milliseconds(cls, milliseconds: int) -> Self:
        """The instant that AWS gives as milliseconds since the epoch (SQS's SentTimestamp)."""
        return cls(milliseconds * 1_000_000)

    def fields(self, names: Iterable[str]) -> dict[str, str]:
        """These of the `TIME_FIELDS`, in UTC."""
        seconds, fraction = divmod(self.nanoseconds, _SECOND)
        moment = _EPOCH + timedelta(seconds=seconds)
        return {name: TIME_FIELDS[name](moment, seconds, fraction) for name in names}

    def rfc3339(self) -> str:
        """In UTC, cut to the second: `2025-10-14T02:58:59Z`."""
        return self.fields(["rfc3339"])["rfc3339"]


def _no_timestamp(why: str) -> Permanent:
    return Permanent(Code.BAD_MESSAGE, f"`time` {why}")


def _datetime(moment: datetime) -> str:
    # A third of strftime's time, whose %Y besides does not pad years below 1000 on every platform.
    return f"{_date(moment)}T{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d}"


def _date(moment: datetime) -> str:
    return f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}"


def _nano(moment: datetime, _: int, fraction: int) -> str:
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{_datetime(moment)}{digits}Z"


TIME_FIELDS: dict[str, Callable[[datetime, int, int], str]] = {
    "year": lambda moment, _seconds, _fraction: f"{moment.year:04d}",
    "month": lambda moment, _seconds, _fraction: f"{moment:%m}",
    "day": lambda moment, _seconds, _fraction: f"{moment:%d}",
    "hour": lambda moment, _seconds, _fraction: f"{moment:%H}",
    "minute": lambda moment, _seconds, _fraction: f"{moment:%M}",
    "second": lambda moment, _seconds, _fraction: f"{moment:%S}",
    "date": lambda moment, _seconds, _fraction: _date(moment),
    "datetime": lambda moment, _seconds, _fraction: _datetime(moment),
    "unix": lambda _moment, seconds, _fraction: str(seconds),
    "rfc3339": lambda moment, _seconds, _fraction: f"{_datetime(moment)}Z",
    "rfc3339_nano": _nano,
}
"""What a template may call `time.<name>`: each from the moment in UTC, its Unix seconds, its nanoseconds."""

_FIRST = -62_135_596_800 * _SECOND
_LAST = 253_402_300_800 * _SECOND - 1
