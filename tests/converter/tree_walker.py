"""The language as a tree that is walked for every record: slow, and plain enough to be seen to be right."""

from collections.abc import Callable
from functools import partial
from typing import Any

from functions.core.converter import arithmetic, containers, logic, texts, times
from functions.core.converter.patterns import Pattern, Replacement
from functions.core.converter.time_formats import TimeFormat
from functions.core.converter.values import NO_VALUE, boolean, equal, typeof

STRICT: dict[str, Callable[..., Any]] = {
    "sample_md5": texts.sample_md5,
    "iso_time_to_ms": times.iso_time_to_ms,
    "ms_to_iso_time": times.ms_to_iso_time,
    "int96_time_to_ms": times.int96_time_to_ms,
    "parse_json_element": texts.parse_json_element,
    "parse_json_object": texts.parse_json_object,
    "merge_dicts": containers.merge_dicts,
    "concat": texts.concat,
    **dict.fromkeys(("lowercase", "lower"), texts.lowercase),
    "typeof": typeof,
    **dict.fromkeys(("equals", "eq", "="), equal),
    "round": arithmetic.rounded,
    **dict.fromkeys(("add", "+"), arithmetic.add),
    **dict.fromkeys(("multiply", "*"), arithmetic.multiply),
    **dict.fromkeys(("subtract", "-"), arithmetic.subtract),
    **dict.fromkeys(("divide", "/"), arithmetic.divide),
}
LENIENT: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("not", "!"), logic.negation),
    **dict.fromkeys(("and", "&&"), partial(logic.together, all)),
    **dict.fromkeys(("or", "||"), partial(logic.together, any)),
}
FIRST_IS_RAW: dict[str, Callable[..., Any]] = {
    "split": texts.split,
    **dict.fromkeys(("contains", "is_substring"), texts.contains),
    "flatten_dict": containers.flatten_dict,
}


def walk(source: Any, record: Any, now: int) -> Any:
    """The value of a SOURCE that is in order."""
    if isinstance(source, str):
        return containers.step(record, source)
    if isinstance(source, dict):
        return _members(source.items(), record, now)
    name, *given = source
    if name in STRICT:
        return _strict(STRICT[name], [walk(each, record, now) for each in given])
    if name in LENIENT:
        return LENIENT[name](*(walk(each, record, now) for each in given))
    if name in FIRST_IS_RAW:
        return _strict(FIRST_IS_RAW[name], [given[0], *(walk(each, record, now) for each in given[1:])])
    return FORMS[name](given, record, now)


def _strict(function: Callable[..., Any], values: list[Any]) -> Any:
    return NO_VALUE if any(value is NO_VALUE for value in values) else function(*values)


def _members(members: Any, record: Any, now: int) -> dict[str, Any]:
    walked = {name: walk(source, record, now) for name, source in members}
    return {name: value for name, value in walked.items() if value is not NO_VALUE}


def _pairs(given: list[Any], record: Any, now: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, source in zip(given[::2], given[1::2], strict=True):
        made |= _members([(name, source)], record, now)
    return made


def _path(given: list[Any], record: Any, now: int) -> Any:
    for place, source in enumerate(given):
        if place and not isinstance(record, dict | list):
            return NO_VALUE
        record = walk(source, record, now)
    return record


def _any(given: list[Any], record: Any, now: int) -> Any:
    values = [walk(source, record, now) for source in given]
    return next((value for value in values if value is not NO_VALUE and value is not None), NO_VALUE)


def _array(given: list[Any], record: Any, now: int) -> Any:
    return [value for source in given if (value := walk(source, record, now)) is not NO_VALUE]


def _cond(given: list[Any], record: Any, now: int) -> Any:
    for test, source in zip(given[::2], given[1::2], strict=True):
        if boolean(walk(test, record, now)) is True:
            return walk(source, record, now)
    return NO_VALUE


def _ifelse(given: list[Any], record: Any, now: int) -> Any:
    test, then, otherwise = given
    return walk(then if boolean(walk(test, record, now)) is True else otherwise, record, now)


def _replace(given: list[Any], record: Any, now: int) -> Any:
    replacement = Replacement.parse(Pattern.parse(given[0]), given[1])
    return replacement.in_text(walk(given[2], record, now))


def _exclude(given: list[Any], record: Any, now: int) -> Any:
    return containers.exclude_keys(walk(given[0], record, now), *given[1:])


FORMS: dict[str, Callable[[list[Any], Any, int], Any]] = {
    "path": _path,
    "any": _any,
    **dict.fromkeys(("value", "bool", "int"), lambda given, _record, _now: given[0]),
    "dict": _pairs,
    "array": _array,
    **dict.fromkeys(("condition", "cond"), _cond),
    "ifelse": _ifelse,
    "iso_time_now": lambda _given, _record, now: times.ms_to_iso_time(now),
    "ms_time_now": lambda _given, _record, now: now,
    "parse_time_to_ms": lambda given, record, now: TimeFormat.parse(given[0]).milliseconds(
        walk(given[1], record, now), now
    ),
    "exclude_keys": _exclude,
    "replace_with": _replace,
}
