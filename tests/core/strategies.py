"""What hypothesis draws: JSON as it may be sent, names, times, messages."""

import json
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Any text that UTF-8 can hold."""

JSON_TEXT = st.text(st.characters(), max_size=12)
"""Any text that JSON can hold, halves of surrogate pairs among it."""

_NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1.0", "-0.0", "1e400", "-1E-400", "18446744073709551616", "0.10", "1E+2", "9" * 5000]),
)
_SPACE = st.sampled_from(["", "", "", " ", "\n", "\t ", "\r\n"])


@st.composite
def quoted(draw: st.DrawFn, characters: st.SearchStrategy[str] = JSON_TEXT) -> str:
    """Text as JSON, in one of the ways to write it."""
    return json.dumps(draw(characters), ensure_ascii=True)


@st.composite
def plainly_quoted(draw: st.DrawFn) -> str:
    """Text as JSON, without escapes for what needs none."""
    return json.dumps(draw(TEXT), ensure_ascii=False)


_STRINGS = st.one_of(quoted(), plainly_quoted())


@st.composite
def _listed(draw: st.DrawFn, elements: st.SearchStrategy[str], ends: str) -> str:
    parts = [f"{draw(_SPACE)}{element}{draw(_SPACE)}" for element in draw(st.lists(elements, max_size=4))]
    return f"{ends[0]}{','.join(parts) if parts else draw(_SPACE)}{ends[1]}"


@st.composite
def _member(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    return f"{draw(_STRINGS)}{draw(_SPACE)}:{draw(_SPACE)}{draw(values)}"


JSON_VALUES = st.recursive(
    st.one_of(st.sampled_from(["null", "true", "false"]), _NUMBERS, _STRINGS),
    lambda inner: st.one_of(_listed(inner, "[]"), _listed(_member(inner), "{}")),
    max_leaves=8,
)
"""Any JSON value, as text, in any of its spellings."""

JSON_OBJECTS = _listed(_member(JSON_VALUES), "{}")

INSTANTS = st.integers(-62_135_596_800 * 10**9, 253_402_300_800 * 10**9 - 1)
"""Nanoseconds of all the instants that there are."""

METADATA = st.dictionaries(
    st.one_of(
        st.sampled_from(["operationId", "objectName", "projectId", "topic", "event-id", "sluice-id"]), TEXT
    ),
    st.one_of(st.sampled_from(["", "..", ".", "/", "a/b", "../../x", "//", "é😀"]), TEXT),
    max_size=5,
)


def same(left: Any, right: Any) -> bool:
    """Whether two parsed values are the same and of the same types."""
    return repr(left) == repr(right)
