"""Times in a zone of the world: their days, their offsets, and Joda-Time's patterns for them.

Patterns mean what https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html says, in
English; of their letters those that a file name can need. Two things differ: `S` gives digits of nanoseconds,
where Joda-Time knows milliseconds alone, and a quote that is not closed is refused.
"""

import difflib
import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Self

import msgspec

from functions.core.errors import Code, Fault, Permanent, Refused
from functions.core.instants import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SECOND = 1_000_000_000


class ZonedTime(msgspec.Struct, frozen=True):
    """An instant as a zone's clocks show it: to the second, and the nanoseconds within that second."""

    clock: datetime
    nanosecond: int

    @classmethod
    def of(cls, instant: Instant) -> Self:
        """The instant in UTC."""
        seconds, nanosecond = divmod(instant.nanoseconds, _SECOND)
        return cls(_EPOCH + timedelta(seconds=seconds), nanosecond)

    def at(self, zone: tzinfo) -> Self:
        """The same instant in another zone.

        Raises:
            Permanent: `BAD_KEY`; there it lies outside the years 1 to 9999.
        """
        try:
            return type(self)(self.clock.astimezone(zone), self.nanosecond)
        except OverflowError:
            raise _outside() from None

    def next_day(self) -> Self:
        """The same time of the next day of the zone's calendar.

        A time that its clocks skip moves forward by as much as they do, and so does a whole day; of a time that
        they show twice it is the first: as in Joda-Time and java.time.

        Raises:
            Permanent: `BAD_KEY`; that is after the year 9999.
        """
        try:
            # Without `fold`, zoneinfo takes the offset from before the clocks were changed, for both cases.
            shown = self.clock.replace(fold=0) + _DAY
            return type(self)(shown.astimezone(UTC).astimezone(self.clock.tzinfo), self.nanosecond)
        except OverflowError:
            raise _outside() from None

    def __str__(self) -> str:
        """ISO 8601 to the second: `2025-04-14T11:23:45Z`, `2025-04-14T04:23:45-07:00`."""
        text = self.clock.isoformat()
        return text if self.clock.utcoffset() else text.removesuffix("+00:00") + "Z"


_Printer = Callable[[ZonedTime], str]


class Pattern(msgspec.Struct, frozen=True):
    """A checked pattern of letters and literal text; `parse` makes it."""

    parts: tuple[str | _Printer, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pattern that this text is.

        Raises:
            Refused: It has a letter that means nothing here, or a quote that is not closed; each fault has the
                column that it stands at.
        """
        found = list(_PART.finditer(text))
        wrong = [fault for match in found if (fault := _wrong(match))]
        if wrong:
            raise Refused(wrong)
        return cls(tuple(_part(match) for match in found))

    def format(self, time: ZonedTime) -> str:
        """The time, as the pattern has it."""
        return "".join(part if isinstance(part, str) else part(time) for part in self.parts)


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone that the IANA calls so.

    Raises:
        Refused: There is none; the fault says which was probably meant.
    """
    names = _names()
    if names.get(name.lower()) != name:
        near = difflib.get_close_matches(name.lower(), names, n=1)
        cure = f"did you mean `{names[near[0]]}`?" if near else "the IANA's are known, such as Europe/Berlin"
        raise Refused([_fault(name, 0, f"there is no time zone `{name}`", cure)])
    return zoneinfo.ZoneInfo(name)


@cache
def _names() -> dict[str, str]:
    # Two that systems list beside the zones: what this machine is set to, and that it is set to nothing.
    names = zoneinfo.available_timezones() - {"localtime", "Factory"}
    return {name.lower(): name for name in sorted(names)}


def _number(read: Callable[[datetime], int]) -> Callable[[int], _Printer]:
    """A number of at least as many digits as there are letters."""
    return lambda count: lambda time: str(read(time.clock)).zfill(count)


def _year(count: int) -> _Printer:
    if count == 2:  # noqa: PLR2004 - two letters are the year within its century
        return lambda time: f"{time.clock.year % 100:02d}"
    return lambda time: str(time.clock.year).zfill(count)


def _month(count: int) -> _Printer:
    if count >= 3:  # noqa: PLR2004 - three letters are the short name, four or more the name
        return lambda time: _MONTHS[time.clock.month - 1][: None if count > 3 else 3]  # noqa: PLR2004 - as above
    return lambda time: str(time.clock.month).zfill(count)


def _weekday(count: int) -> _Printer:
    return lambda time: _WEEKDAYS[time.clock.weekday()][: None if count > 3 else 3]  # noqa: PLR2004 - as months


def _fraction(count: int) -> _Printer:
    """Exactly as many digits as there are letters, cut and not rounded."""
    return lambda time: f"{time.nanosecond:09d}"[:count].ljust(count, "0")


def _offset(count: int) -> _Printer:
    if count >= 3:  # noqa: PLR2004 - three letters or more are the zone's name
        return lambda time: str(time.clock.tzinfo)
    return lambda time: _hours_and_minutes(time.clock.utcoffset() or timedelta(), ":" if count > 1 else "")


def _hours_and_minutes(offset: timedelta, colon: str) -> str:
    hours, rest = divmod(abs(offset), timedelta(hours=1))
    return f"{'-' if offset < timedelta() else '+'}{hours:02d}{colon}{rest // timedelta(minutes=1):02d}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

LETTERS: dict[str, Callable[[int], _Printer]] = {
    "y": _year,
    "Y": _year,
    "M": _month,
    "d": _number(lambda clock: clock.day),
    "D": _number(lambda clock: clock.timetuple().tm_yday),
    "E": _weekday,
    "H": _number(lambda clock: clock.hour),
    "h": _number(lambda clock: clock.hour % 12 or 12),
    "m": _number(lambda clock: clock.minute),
    "s": _number(lambda clock: clock.second),
    "S": _fraction,
    "a": lambda _: lambda time: "AM" if time.clock.hour < 12 else "PM",  # noqa: PLR2004 - noon
    "Z": _offset,
}
"""What each letter of a pattern prints, given how often it is repeated."""

# Possessive, so that the quote of a quote is never taken for the end of a text that is not closed.
_PART = re.compile(
    r"(?P<letters>([A-Za-z])\2*)|(?P<quote>'')|'(?P<quoted>(?:[^']|'')*+)'|(?P<open>'.*)|(?P<plain>[^A-Za-z']+)",
    re.DOTALL,
)


def _part(match: re.Match[str]) -> str | _Printer:
    match match.lastgroup:
        case "letters":
            return LETTERS[match[0][0]](len(match[0]))
        case "quoted":
            return match["quoted"].replace("''", "'")
        case "quote":
            return "'"
        case _:
            return match[0]


def _wrong(match: re.Match[str]) -> Fault | None:
    letter = match[0][0]
    if match["open"]:
        cure = "a literal text is written 'text', a quote ''"
        return _fault(match.string, match.start(), "this quote is not closed", cure)
    if match["letters"] and letter not in LETTERS:
        near = letter.swapcase()
        literal = f"a literal text is written '{match[0]}'; the letters are {' '.join(LETTERS)}"
        cure = f"did you mean `{near}`?" if near in LETTERS else literal
        return _fault(match.string, match.start(), f"`{letter}` is no letter of a time's pattern", cure)
    return None


def _fault(source: str, start: int, message: str, cure: str) -> Fault:
    return Fault(code=Code.BAD_DEFINITION, message=message, column=start + 1, cure=cure, source=source)


def _outside() -> Permanent:
    return Permanent(Code.BAD_KEY, "the time lies outside the years 1 to 9999 in its zone")
