from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent
from functions.core.keys import MAX_KEY_BYTES, object_key
from tests.cases import table
from tests.core.attempts import attempted

PARTS = st.one_of(
    st.sampled_from(["..", ".", "", "...", "a", "%2e%2e", "é", "😀", "\ud83d", "\x00"]), st.text()
)
NAMES = st.lists(PARTS, max_size=5).map("/".join)


@pytest.mark.parametrize("case", table("object_keys"))
def test_a_prefix_and_a_name_give_this_key_or_this_error(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(Permanent) as raised:
            object_key(prefix=case["prefix"], name=case["rendered"])
        assert raised.value.code is Code.BAD_KEY
        assert case["error"] in raised.value.text
    else:
        assert object_key(prefix=case["prefix"], name=case["rendered"]) == case["key"]


@given(st.sampled_from(["", "acme/", "acme/in", "acme/."]), NAMES)
def test_no_name_leaves_the_prefix(prefix: str, name: str) -> None:
    key = attempted(lambda: object_key(prefix=prefix, name=name))
    if isinstance(key, Permanent):
        assert key.code is Code.BAD_KEY
        assert key.text.isprintable()
        return
    assert key == prefix + name
    assert not {".", ".."} & set(key.split("/"))
    assert not key.startswith("/")
    assert 1 <= len(key.encode()) <= MAX_KEY_BYTES
    assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in key)


@pytest.mark.parametrize("character", ["a", "é", "中", "😀"])
def test_1024_bytes_are_a_key_and_one_more_are_none(character: str) -> None:
    length = len(character.encode())
    longest = character * (MAX_KEY_BYTES // length) + "x" * (MAX_KEY_BYTES % length)
    assert len(object_key(prefix="", name=longest).encode()) == MAX_KEY_BYTES
    with pytest.raises(Permanent, match=r"1025 bytes|102[5-8] bytes"):
        object_key(prefix="", name=longest + "x")


def test_the_prefix_counts_among_the_bytes() -> None:
    with pytest.raises(Permanent, match="1025 bytes"):
        object_key(prefix="p/", name="x" * 1023)
