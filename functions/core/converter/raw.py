"""RAW arguments: what each may be, and what is kept of it."""

import math
from typing import Any

from functions.core import documents
from functions.core.converter.patterns import Pattern
from functions.core.converter.time_formats import TimeFormat
from functions.core.documents import boolean, wrong

_MAX_PARTS = 10_000
_MAX_DEPTH = 40


def text(value: Any) -> str:
    """A check for text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise wrong(f"must be text, not {documents.kind(value)}")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise wrong("holds half of a surrogate pair")
    return value


def separator(value: Any) -> str:
    """A check for text that is not empty."""
    if not text(value):
        raise wrong("must not be empty")
    return str(value)


def integer(value: Any) -> int:
    """A check for a whole number."""
    if type(value) is not int:
        raise wrong(f"must be a whole number, not {documents.kind(value)}")
    return value


def literal(value: Any) -> Any:
    """A check for JSON."""
    waiting, parts = [(value, 0)], 0
    while waiting:
        each, depth = waiting.pop()
        parts += 1
        if depth > _MAX_DEPTH or parts > _MAX_PARTS:
            raise wrong(f"is larger than {_MAX_PARTS} values, or nested deeper than {_MAX_DEPTH}")
        if isinstance(each, dict):
            waiting += [(text(name), depth) for name in each]
            waiting += [(member, depth + 1) for member in each.values()]
        elif isinstance(each, list):
            waiting += [(item, depth + 1) for item in each]
        else:
            _scalar(each)
    return value


def _scalar(value: Any) -> None:
    if isinstance(value, str):
        text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise wrong("is NaN or infinite, which JSON does not have")
    elif not isinstance(value, bool | int | float | None):
        raise wrong(f"must be JSON, not {documents.kind(value)}", "quote it")


CHECKS = {
    "json": literal,
    "key": text,
    "separator": separator,
    "string": text,
    "replacement": text,
    "integer": integer,
    "true/false": boolean,
    "regex": Pattern.parse,
    "format": TimeFormat.parse,
}
"""What a RAW argument may be, by what the table of operators calls it."""
