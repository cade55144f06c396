"""Timestamps as the exported record has them: `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC, of the years 1 to 9999."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive times are UTC here
_MICROSECOND = timedelta(microseconds=1)
_CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}")

FIRST = (datetime(1, 1, 1) - _EPOCH) // _MICROSECOND  # noqa: DTZ001 - as above
LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999) - _EPOCH) // _MICROSECOND  # noqa: DTZ001 - as above
"""Microseconds since 1970 of the first and the last timestamp that there is."""


def text(microseconds: int) -> str:
    """The timestamp of an instant, in microseconds since 1970, from `FIRST` to `LAST`."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(" ", "microseconds")


def read(value: str) -> int | None:
    """The microseconds of an ISO 8601 time, in UTC unless it has an offset; None for other text."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return (moment - _EPOCH) // _MICROSECOND


def canonical(value: str) -> str | None:
    """The same time as the exported record has it; None for text that is no time."""
    microseconds = read(value)
    if microseconds is None:
        return None
    return value if _CANONICAL.fullmatch(value) else text(microseconds)
