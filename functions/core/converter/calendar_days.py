"""The proleptic Gregorian calendar of all years that milliseconds in 64 bits reach: -292275055 to 292278994.

Python's own ends at 1 and 9999. Days are counted from 1970-01-01, milliseconds from its midnight in UTC.
"""

from functions.core.converter.values import NO_VALUE, Absence

DAY = 86_400_000
FIRST, LAST = -(2**63), 2**63 - 1
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ERA_DAYS = 146_097
"""Days of 400 years, after which the calendar repeats itself."""

_EPOCH = 719_468
"""Days from 0000-03-01 to 1970-01-01. Years that begin in March have their odd day last."""


def days(year: int, month: int, day: int) -> int | Absence:
    """The days to a date; none, where there is no such date."""
    if not 1 <= month <= 12 or not 1 <= day <= days_in(year, month):  # noqa: PLR2004 - months of a year
        return NO_VALUE
    year -= month <= 2  # noqa: PLR2004 - January and February end the year before
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * _ERA_DAYS + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _EPOCH


def date(count: int) -> tuple[int, int, int]:
    """Year, month and day after so many days."""
    era, rest = divmod(count + _EPOCH, _ERA_DAYS)
    of_era = (rest - rest // 1460 + rest // 36_524 - rest // 146_096) // 365
    of_year = rest - (365 * of_era + of_era // 4 - of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = (shifted + 2) % 12 + 1
    day = of_year - (153 * shifted + 2) // 5 + 1
    return era * 400 + of_era + (month <= 2), month, day  # noqa: PLR2004 - as in `days`


def days_in(year: int, month: int) -> int:
    """How many days a month has."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else _MONTHS[month - 1]  # noqa: PLR2004 - February


def within(milliseconds: int) -> int | Absence:
    """Milliseconds that 64 bits hold."""
    return milliseconds if FIRST <= milliseconds <= LAST else NO_VALUE
