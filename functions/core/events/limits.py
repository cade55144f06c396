"""The limits of what an event holds: strings are cut, nesting is bounded."""

from decimal import Decimal
from operator import is_
from typing import Any

MAX_TEXT = 1_024
MAX_DEPTH = 40
MAX_GROUP_TYPES = 5
MAX_GROUPS = 10
_LEAVES = frozenset({int, bool, type(None), Decimal})


class Unfit(ValueError):  # noqa: N818 - as the names of functions.core.errors
    """A value that its field cannot have; whoever knows the field says which."""


def cut(text: str) -> str:
    """A string of at most 1,024 characters."""
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT]


def within(value: Any, depth: int = 1) -> Any:
    """A value with its strings cut, the same object where there is nothing to cut.

    Raises:
        Unfit: Containers are nested deeper than 40, or it holds what JSON does not have.
    """
    kind = type(value)
    if kind is str:
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT]
    if kind in _LEAVES:
        return value
    if kind is float:
        if value - value != 0:
            raise Unfit("holds NaN or an infinity, which JSON does not have")
        return value
    if depth > MAX_DEPTH:
        raise Unfit(f"is nested deeper than {MAX_DEPTH}")
    if kind is dict:
        return members_within(value, depth)
    if kind is list:
        return _items(value, depth)
    raise Unfit(f"holds a value of the type {kind.__name__}, which JSON does not have")


def members_within(value: dict[str, Any], depth: int = 1) -> dict[str, Any]:
    """The same for an object."""
    changed = None
    for name, member in value.items():
        kind = type(member)
        # Nearly all members are short strings and numbers: they are seen to here, without a call.
        if (kind is str and len(member) <= MAX_TEXT) or kind is int or kind is bool or member is None:
            continue
        if kind is float and member - member == 0:
            continue
        kept = within(member, depth + 1)
        if kept is not member:
            changed = changed or {}
            changed[name] = kept
    return {**value, **changed} if changed else value


def _items(value: list[Any], depth: int) -> list[Any]:
    kept = [within(item, depth + 1) for item in value]
    return value if all(map(is_, kept, value)) else kept
