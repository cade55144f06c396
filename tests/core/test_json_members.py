import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.json_members import members
from tests.core.strategies import JSON_OBJECTS, JSON_VALUES, same

# Python's own parser is the oracle; JSON has no constants such as NaN, and its integers may be long.
_ORACLE = json.JSONDecoder(parse_constant=pytest.fail, parse_int=str)


def _parsed(text: str) -> Any:
    return _ORACLE.decode(text)


@given(JSON_OBJECTS)
def test_the_members_are_those_that_json_finds(text: str) -> None:
    found = members(text)
    assert same({name: _parsed(value) for name, value in found.items()}, _parsed(text))


@given(JSON_OBJECTS)
def test_each_value_is_a_piece_of_the_text(text: str) -> None:
    for value in members(text).values():
        assert value in text
        assert value == value.strip(" \t\r\n")


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_int=str, parse_constant=_refuse), dict)
    except ValueError:
        return False


def _refuse(name: str) -> Any:
    raise ValueError(name)


_BROKEN = st.tuples(JSON_OBJECTS, st.integers(0, 60), st.sampled_from([*'{}[]",:\\0e.-/ \x00', ""])).map(
    lambda drawn: drawn[0][: drawn[1]] + drawn[2] + drawn[0][drawn[1] + 1 :]
)


@given(st.one_of(JSON_VALUES, _BROKEN, st.text(), st.from_regex(r"\{ *([0-9]|\"a\") *: *[0-9] *,? *\}")))
def test_it_takes_exactly_what_json_takes(text: str) -> None:
    if _is_json_object(text):
        members(text)
    else:
        with pytest.raises(ValueError, match=r"."):
            members(text)


@pytest.mark.parametrize(
    "text",
    ["{1: 2}", '{"a": 1, 2: 3}', "{true: 1}", '{"a" 1}', '{"a": 1,}', "{,}", '{"a": NaN}', "{", "", "{}{}"],
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        members(text)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(RecursionError):
        members('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}")
