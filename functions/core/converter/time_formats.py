"""Times in the letters of Java's SimpleDateFormat, which `parse_time_to_ms` reads.

What the letters mean is at https://docs.oracle.com/javase/8/docs/api/java/text/SimpleDateFormat.html, in English.
Three things differ: a date that does not exist is no value and does not roll over, the whole string must be read,
and more than three `S` are a fraction of a second, where Java takes microseconds for milliseconds.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Self

import msgspec

from functions.core.converter import calendar_days, times
from functions.core.converter.values import NO_VALUE, Absence
from functions.core.documents import wrong

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZONES = {
    "z": 0,
    "utc": 0,
    "gmt": 0,
    "ut": 0,
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
}
_DEFAULTS = {"y": 1970, "M": 1, "d": 1, "H": 0, "m": 0, "s": 0}
"""The groups of a time of plain numbers, in the order of `datetime`, and what they are where there is none."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive times are UTC here
_HOUR = 3_600_000
_NOON = 12
_TWO = 2
"""Letters of a year without its century, and the digits of one in a text."""


class TimeFormat(msgspec.Struct, frozen=True):
    """A checked format; `parse` makes it."""

    pattern: re.Pattern[str]
    plain: tuple[tuple[int, int], ...] | None
    """Of year to second the group and, where there is none, the value; None if there is more to a time."""

    @classmethod
    def parse(cls, text: Any) -> Self:
        """The format that this text is.

        Raises:
            Refused: It has no letter, one that means nothing here or stands twice, or a quote that is not closed.
        """
        if not isinstance(text, str) or not text:
            raise wrong("must be a date format, such as M/d/yyyy H:mm:ss")
        parts = list(_PART.finditer(text))
        expression, seen = "", ""
        for match, following in zip(parts, [*parts[1:], None], strict=True):
            _check(match, seen)
            seen += match["letters"][0] if match["letters"] else ""
            expression += _expression(match, abutting=following is not None and _numeric(following))
        if not seen:
            raise wrong(
                "has no letter that a part of a time is read by", f"the letters are {' '.join(LETTERS)}"
            )
        pattern = re.compile(expression)
        return cls(pattern, _plain(pattern))

    def milliseconds(self, value: Any, now: int) -> int | Absence:
        """The milliseconds that a string names, in UTC where it names no zone; `now` tells the century."""
        match = self.pattern.fullmatch(value) if type(value) is str else None
        if match is None:
            return NO_VALUE
        if self.plain is None:
            return _whole(match, now)
        groups = match.groups()
        parts = [int(groups[at]) if at >= 0 else value for at, value in self.plain]
        year, month, day, hour, minute, second = parts
        try:
            past = datetime(year, month, day, hour, minute, second) - _EPOCH  # noqa: DTZ001 - in UTC, as above
        except ValueError:
            # No such date, or one of a year that Python does not know.
            return _whole(match, now)
        return past.days * calendar_days.DAY + past.seconds * 1000


def _whole(match: re.Match[str], now: int) -> int | Absence:
    given = {name[0]: text for name, text in match.groupdict().items()}
    parts = [_day(given, now, short="y2" in match.groupdict()), _clock(given), _zone(given)]
    if NO_VALUE in parts:
        return NO_VALUE
    day, of_day, zone = parts
    return calendar_days.within(day * calendar_days.DAY + of_day - zone)  # type: ignore[operator] # as just seen


def _plain(pattern: re.Pattern[str]) -> tuple[tuple[int, int], ...] | None:
    places = pattern.groupindex
    if not places.keys() <= _DEFAULTS.keys():
        return None
    return tuple((places[name] - 1 if name in places else -1, value) for name, value in _DEFAULTS.items())


def _day(given: Mapping[str, str], now: int, *, short: bool) -> int | Absence:
    year = int(given.get("y", "1970"))
    if short and len(given["y"]) == _TWO:
        year = _with_century(year, now)
    if "D" in given and "M" not in given:
        first = calendar_days.days(year, 1, 1)
        count = int(given["D"])
        within = 1 <= count <= 337 + calendar_days.days_in(year, 2)
        return first + count - 1 if within and first is not NO_VALUE else NO_VALUE
    month = given.get("M", "1")
    number = int(month) if month.isdecimal() else _place(month, _MONTHS) + 1
    found = calendar_days.days(year, number, int(given.get("d", "1")))
    if "E" in given and found is not NO_VALUE and (found + 3) % 7 != _place(given["E"], _WEEKDAYS):
        return NO_VALUE
    return found


def _clock(given: Mapping[str, str]) -> int | Absence:
    """The time of day; hours are told in one of Java's four ways."""
    for letter, first, last in (("H", 0, 23), ("k", 1, 24), ("K", 0, 11), ("h", 1, 12)):
        if letter in given and not first <= int(given[letter]) <= last:
            return NO_VALUE
    hour = int(given.get("H") or given.get("k") or given.get("K") or given.get("h") or 0)
    if "k" in given and "H" not in given:
        hour %= 24
    elif "H" not in given and ("K" in given or "h" in given):
        hour = hour % _NOON + (_NOON if given.get("a", "").lower() == "pm" else 0)
    of_day = times.clock(hour, int(given.get("m", "0")), int(given.get("s", "0")))
    return of_day if of_day is NO_VALUE else of_day + _fraction(given)


def _fraction(given: Mapping[str, str]) -> int:
    return int(given["F"].ljust(3, "0")[:3]) if "F" in given else int(given.get("S", "0"))


def _zone(given: Mapping[str, str]) -> int | Absence:
    zone = given.get("z", "z").lower()
    if zone in _ZONES:
        return _ZONES[zone] * _HOUR
    zone = zone.removeprefix("gmt")
    return times.offset(f"{zone[0]}0{zone[1:]}" if zone[2] == ":" else zone)


def _with_century(year: int, now: int) -> int:
    """Within 80 years before and 20 years after now, as in Java."""
    this = calendar_days.date(now // calendar_days.DAY)[0]
    first = this - 79
    return first + (year - first) % 100


def _place(name: str, names: tuple[str, ...]) -> int:
    return next(place for place, each in enumerate(names) if each.startswith(name.lower()[:3]))


def _number(name: str, most: int) -> Callable[[int, bool], str]:
    """Digits: as many as there are letters where a number follows at once, else any number of them."""
    return lambda count, abutting: (
        rf"(?P<{name}>[0-9]{{{count}}})" if abutting else rf"(?P<{name}>[0-9]{{1,{max(most, count)}}}+)"
    )


def _words(name: str, words: tuple[str, ...]) -> str:
    return f"(?P<{name}>(?i:(?>{'|'.join(words)}|{'|'.join(word[:3] for word in words)})))"


def _year(count: int, abutting: bool) -> str:  # noqa: FBT001 - the shape of every letter's function
    return _number("y2" if count == _TWO else "y", 9)(count, abutting)


def _month(count: int, abutting: bool) -> str:  # noqa: FBT001 - as `_year`
    return _words("Mw", _MONTHS) if count > _TWO else _number("M", 2)(count, abutting)


def _second_parts(count: int, abutting: bool) -> str:  # noqa: FBT001 - as `_year`
    if count > 3:  # noqa: PLR2004 - letters of milliseconds
        return rf"(?P<F>[0-9]{{{count}}})" if abutting else r"(?P<F>[0-9]{1,9}+)"
    return _number("S", 3)(count, abutting)


_NAMED = "|".join(_ZONES)
_ZONE = rf"(?P<z>(?i:(?>(?:GMT)?[+-][0-9]{{1,2}}+:[0-9]{{2}}|[+-][0-9]{{2}}(?:[0-9]{{2}})?+|{_NAMED})))"
LETTERS: dict[str, Callable[[int, bool], str]] = {
    "y": _year,
    "M": _month,
    "L": _month,
    "d": _number("d", 2),
    "D": _number("D", 3),
    "E": lambda _count, _abutting: _words("E", _WEEKDAYS),
    "a": lambda _count, _abutting: "(?P<a>(?i:[AP]M))",
    "H": _number("H", 2),
    "k": _number("k", 2),
    "K": _number("K", 2),
    "h": _number("h", 2),
    "m": _number("m", 2),
    "s": _number("s", 2),
    "S": _second_parts,
    "z": lambda _count, _abutting: _ZONE,
    "Z": lambda _count, _abutting: _ZONE,
    "X": lambda _count, _abutting: _ZONE,
}
"""What each letter reads, given how often it is repeated and whether digits follow.

Numbers are possessive: no text is tried twice."""

_NUMERIC = frozenset("ydDHkKhmsS")
_SAME = {"L": "M", "Z": "z", "X": "z"}
_PART = re.compile(
    r"(?P<letters>([A-Za-z])\2*)|(?P<quote>'')|'(?P<quoted>(?:[^']|'')*+)'|(?P<open>'.*)|(?P<plain>[^A-Za-z']+)",
    re.DOTALL,
)


def _numeric(match: re.Match[str]) -> bool:
    letters = match["letters"]
    return bool(letters) and (letters[0] in _NUMERIC or (letters[0] in "ML" and len(letters) <= _TWO))


def _check(match: re.Match[str], seen: str) -> None:
    if match["open"]:
        raise wrong("a quote is not closed", "a literal text is written 'text', a quote ''")
    letters = match["letters"]
    if not letters:
        return
    letter = letters[0]
    if letter not in LETTERS:
        literal = f"a literal text is written '{letters}'; the letters are {' '.join(LETTERS)}"
        raise wrong(f"`{letter}` is no letter of a date format that can be read", literal)
    if _SAME.get(letter, letter) in {_SAME.get(each, each) for each in seen}:
        raise wrong(f"`{letter}` stands here a second time")
    if len(letters) > 9:  # noqa: PLR2004 - no part of a time has more digits
        raise wrong(f"`{letters}` is too long")


def _expression(match: re.Match[str], *, abutting: bool) -> str:
    if match["letters"]:
        letters = match["letters"]
        return LETTERS[letters[0]](len(letters), abutting and _numeric(match))
    literal = "'" if match["quote"] else match["plain"] or match["quoted"].replace("''", "'")
    return re.escape(literal)
