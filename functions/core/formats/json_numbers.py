"""Whether doubles hold the numbers of a JSON text exactly, found without parsing it again."""

import re
from collections.abc import Iterator
from decimal import InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

from functions.core.formats import json_values
from functions.core.formats.faults import Unheld
from functions.core.formats.json_digits import ALIKE, FEW_DIGITS, LONG, TINY, places, small

_LARGE = 10.0**FEW_DIGITS
_SMALLEST_NORMAL = 2.0**-1022

_TOKEN = re.compile(rb"-?[0-9.]+(?:[eE][-+]?[0-9]+)?")


def exact(columns: pa.RecordBatch, data: bytes) -> bool:
    """Whether each double of columns that were parsed from `data` is the number that stands there.

    False is said where it cannot be told cheaply: an integer that a double rounds, a fraction of more digits than
    it has, a number so small that it became another, an integer `-0`.
    """
    doubles = [leaf for column in columns.columns for leaf in _doubles(column) if len(leaf) > leaf.null_count]
    if not doubles:
        return True
    sizes = [pc.min_max(pc.abs(leaf)).as_py() for leaf in doubles]
    alike = data.translate(ALIKE)
    if any(size["min"] < _SMALLEST_NORMAL for size in sizes) and not _honest_zeros(doubles, data, alike):
        return False
    large = any(size["max"] >= _LARGE for size in sizes)
    return all(_held(data, at, large=large) for at in places(alike, LONG))


def _doubles(column: pa.Array) -> Iterator[pa.Array]:
    """What is of doubles in a column, however deep."""
    if pa.types.is_struct(column.type):
        for member in column.flatten():
            yield from _doubles(member)
    elif pa.types.is_list(column.type):
        yield from _doubles(column.flatten())
    elif pa.types.is_floating(column.type):
        yield column


def _honest_zeros(doubles: list[pa.Array], data: bytes, alike: bytes) -> bool:
    """Whether each zero was written as a zero without sign, and nothing lies between it and the smallest normal."""
    for leaf in doubles:
        nearly_zero = leaf.filter(pc.less(pc.abs(leaf), _SMALLEST_NORMAL))
        # One over a zero has its sign, as an infinity.
        if pc.any(pc.or_(pc.not_equal(nearly_zero, 0.0), pc.less(pc.divide(1.0, nearly_zero), 0.0))).as_py():
            return False
    return not any(small(data, at) for at in places(alike, TINY))


def _held(data: bytes, at: int, *, large: bool) -> bool:
    """Whether a long number is what the double, or the 64-bit integer, says that was made of it."""
    start = at - 1 if data[at - 1 : at] == b"-" else at
    token = _TOKEN.match(data, start)
    if token is None or data[start - 1 : start] not in {b":", b",", b"["}:
        return True  # it stands in a text
    text = token[0].decode()
    if text.lstrip("-").isdigit():
        return not large
    try:
        return type(json_values.number(text)) is float
    except InvalidOperation:
        return True  # no number: it stands in a text
    except Unheld:
        return False
