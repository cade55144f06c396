"""Numbers that are given as strings."""

import math
import re

_NUMBER = re.compile(r"[+-]?(?:(?P<whole>[0-9]+)|(?:[0-9]+\.[0-9]*|\.?[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_MAX_LENGTH = 3_000
"""Python refuses to read and to write integers of more than 4,300 digits."""

_SHORT = 300
"""Digits of a number that a double holds for certain."""


def read(text: str) -> float | None:
    """The number that a string is, an integer where it has neither fraction nor exponent; None for other text."""
    if len(text) <= _SHORT and text.isascii():
        # Nearly all numbers of CSV: digits, and a point among them.
        if text.isdigit():
            return int(text)
        if text.replace(".", "", 1).isdigit():
            return float(text)
    match = _NUMBER.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        return None
    if match["whole"]:
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else None
