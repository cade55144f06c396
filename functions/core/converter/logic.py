"""Operators on booleans: null and no value are false, the strings `true` and `false` are booleans."""

from collections.abc import Callable, Iterable
from typing import Any

from functions.core.converter.values import NO_VALUE, Absence, boolean


def negation(value: Any) -> bool | Absence:
    """The other boolean."""
    given = boolean(value)
    return given if given is NO_VALUE else not given


def together(judge: Callable[[Iterable[Any]], bool], *values: Any) -> bool | Absence:
    """What `all` or `any` says of booleans; of anything that is none, nothing."""
    given = [boolean(value) for value in values]
    return NO_VALUE if NO_VALUE in given else judge(given)
