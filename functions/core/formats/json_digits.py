"""Whether doubles give the numbers of a JSON text back, found by looking at its digits alone."""

import re
from collections.abc import Iterator

FEW_DIGITS = 15
"""A double gives back any 15 digits; one of more than 15 before the point may have been any of several integers."""

# Digits and points are one: a search for many of them finds long numbers sooner than any pattern.
ALIKE = bytes.maketrans(b"123456789.E", b"0000000000e")
LONG = b"0" * (FEW_DIGITS + 1)
TINY = b"0e-000"


_BEFORE = frozenset(b":,[ \t\r\n")
_MANTISSA = re.compile(rb"[:,\[\s]-?[0-9.]+\Z")


def few(data: bytes) -> bool:
    """Whether no number in it, nor text that looks like one, is so long or so small that a double may change it.

    Numbers too large for doubles are not looked for: whoever reads them as doubles is told.
    """
    alike = data.translate(ALIKE)
    return not any(_begins(data, at) for at in places(alike, LONG)) and not any(
        small(data, at) for at in places(alike, TINY)
    )


def small(data: bytes, at: int) -> bool:
    """Whether what ends before an exponent of many digits, a digit of its own at `at`, may be a number."""
    return bool(_MANTISSA.search(data[max(0, at - 2 * FEW_DIGITS) : at + 1]))


def places(text: bytes, wanted: bytes) -> Iterator[int]:
    """Where something is found."""
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + len(wanted))


def _begins(data: bytes, at: int) -> bool:
    """Whether a number may begin here."""
    before = at - 1
    if data[before : before + 1] == b"-":
        before -= 1
    return before >= 0 and data[before] in _BEFORE
