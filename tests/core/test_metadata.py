from email.header import decode_header, make_header
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent
from functions.core.instants import Instant
from functions.core.messages import object_metadata, parse_message, sent_metadata
from functions.core.metadata import MAX_BYTES, encoded, faults, shown, size
from tests.cases import table
from tests.core.strategies import METADATA

MESSAGE = parse_message(b'{"destination_id": "acme", "id": "e", "data": {}}', message_id="m", sent=Instant(0))


@pytest.mark.parametrize("case", table("metadata"))
def test_metadata_are_sent_so_or_have_these_faults(case: dict[str, Any]) -> None:
    found = list(faults(case["given"]))
    assert [name for name, _ in found] == [name for name, _ in case.get("faults", [])]
    assert all(says in why for (_, why), (_, says) in zip(found, case.get("faults", []), strict=True))
    if "sent" in case:
        assert encoded(case["given"]) == case["sent"]
    else:
        with pytest.raises(Permanent) as raised:
            sent_metadata(MESSAGE, case["given"])
        assert raised.value.code is Code.BAD_MESSAGE
        assert raised.value.text.isprintable()


def _sent_size(value: str) -> int:
    """Bytes as S3 counts them, reckoned apart from our own: names and values as they stand in the headers."""
    plain = object_metadata(MESSAGE, own={"x": value})
    return sum(len(f"{name}{text}".encode()) for name, text in sent_metadata(MESSAGE, plain).items())


def test_2048_bytes_are_sent_and_one_more_is_refused() -> None:
    room = MAX_BYTES - _sent_size("")
    assert _sent_size("v" * room) == MAX_BYTES == 2048
    with pytest.raises(Permanent, match="2049 bytes") as raised:
        _sent_size("v" * (room + 1))
    assert raised.value.code is Code.BAD_MESSAGE


def test_an_encoded_value_counts_as_it_is_sent() -> None:
    with pytest.raises(Permanent, match=r"the metadata has \d+ bytes as it is sent"):
        _sent_size("é" * 1000)


def test_a_value_is_never_part_of_an_error() -> None:
    for name, value in (("a b", "s3cr3t"), ("x", "s3cr3t\n"), ("x", "s3cr3t" * 1000)):
        with pytest.raises(Permanent) as raised:
            sent_metadata(MESSAGE, {name: value})
        assert "s3cr3t" not in raised.value.text


@given(METADATA)
def test_what_is_sent_are_headers_that_read_back_as_what_was_given(metadata: dict[str, str]) -> None:
    if list(faults(metadata)):
        return
    for name, value in encoded(metadata).items():
        assert value.isascii()
        assert value.isprintable()
        assert value == value.strip()
        assert "  " not in value
        if value != metadata[name]:
            assert str(make_header(decode_header(value))) == metadata[name]


@given(st.text(min_size=1, max_size=400))
def test_every_encoded_word_has_at_most_75_characters(value: str) -> None:
    if list(faults({"x": value})):
        return
    sent = encoded({"x": value})["x"]
    if sent != value:
        assert all(len(word) <= 75 for word in sent.split(" "))


@given(st.text(st.characters()))
def test_every_value_that_json_can_hold_is_sent_or_at_fault(value: str) -> None:
    if not list(faults({"x": value})):
        assert encoded({"x": value})["x"].isascii()


@given(METADATA)
def test_the_size_is_the_bytes_of_names_and_values(metadata: dict[str, str]) -> None:
    if list(faults(metadata)):
        return
    sent = encoded(metadata)
    assert size(sent) == sum(len(name.encode()) + len(value.encode()) for name, value in sent.items())


@given(st.text())
def test_a_name_is_shown_in_at_most_60_printable_characters(name: str) -> None:
    assert len(shown(name)) <= 60
    assert shown(name).isprintable()
    assert shown(name).isascii()
