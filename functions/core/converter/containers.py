"""Operators on objects and arrays."""

from typing import Any

from functions.core.converter.values import NO_VALUE, Absence

Object = dict[str, Any]


def step(value: Any, name: str) -> Any:
    """The member of an object, or the item of an array whose index is written as a string."""
    kind = type(value)
    if kind is dict:
        return value.get(name, NO_VALUE)
    if kind is list and name.isdecimal() and name.isascii() and len(name) < 10:  # noqa: PLR2004 - no list is longer
        index = int(name)
        return value[index] if index < len(value) and str(index) == name else NO_VALUE
    return NO_VALUE


def merge_dicts(*values: Any) -> Object | Absence:
    """The members of all objects; of equal names the last."""
    merged: Object = {}
    for value in values:
        if type(value) is not dict:
            return NO_VALUE
        merged.update(value)
    return merged


def flatten_dict(separator: str, depth: Any, value: Any) -> Object | Absence:
    """An object with `depth` levels merged into their names; an object without members stays."""
    whole = type(depth) is int or (type(depth) is float and depth.is_integer())
    if not whole or depth < 0 or type(value) is not dict:
        return NO_VALUE
    levels, flat = int(depth), value
    while levels > 0 and any(type(member) is dict and member for member in flat.values()):
        flat, levels = _merged(flat, separator), levels - 1
    return flat


def exclude_keys(value: Any, *names: str) -> Object | Absence:
    """An object without these members."""
    if type(value) is not dict:
        return NO_VALUE
    return {name: member for name, member in value.items() if name not in names}


def _merged(value: Object, separator: str) -> Object:
    """One level merged."""
    merged: Object = {}
    for name, member in value.items():
        if type(member) is dict and member:
            merged.update({f"{name}{separator}{inner}": each for inner, each in member.items()})
        else:
            merged[name] = member
    return merged
