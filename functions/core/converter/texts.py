"""Operators on strings."""

import hashlib
from typing import Any

import msgspec

from functions.core.converter.values import NO_VALUE, NUMBERS, Absence, text_of

_DECODER = msgspec.json.Decoder()
_BUCKETS = 10_000
_PER_PERCENT = 100


def lowercase(value: Any) -> str | Absence:
    """A string in small letters."""
    return value.lower() if type(value) is str else NO_VALUE


def concat(*values: Any) -> str | Absence:
    """All values as strings, one after the other; null is skipped."""
    parts = [text_of(value) for value in values if value is not None]
    return NO_VALUE if NO_VALUE in parts else "".join(parts)  # type: ignore[arg-type] # just seen to be text


def split(separator: str, value: Any) -> list[str] | Absence:
    """The parts of a string."""
    return value.split(separator) if type(value) is str else NO_VALUE


def contains(part: str, value: Any) -> bool | Absence:
    """Whether a string holds another; null holds none."""
    if type(value) is str:
        return part in value
    return False if value is None else NO_VALUE


def parse_json_element(value: Any) -> Any:
    """The JSON that a string holds."""
    if type(value) is not str:
        return NO_VALUE
    try:
        return _DECODER.decode(value)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return NO_VALUE


def parse_json_object(value: Any) -> dict[str, Any] | Absence:
    """The object that a string holds."""
    found = parse_json_element(value)
    return found if type(found) is dict else NO_VALUE


def sample_md5(percent: Any, key: Any) -> bool | Absence:
    """Whether a key is in the sample: the same for the same key always."""
    if type(percent) not in NUMBERS or key is None:
        return NO_VALUE
    text = text_of(key)
    if text is NO_VALUE:
        return NO_VALUE
    # Divided and not multiplied: as a double, 90.33 times 100 is more than 9033.
    digest = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return bool(int(digest[:8], 16) % _BUCKETS / _PER_PERCENT < percent)
