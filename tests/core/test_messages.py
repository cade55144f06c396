import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent
from functions.core.instants import Instant
from functions.core.messages import (
    Message,
    object_body,
    object_metadata,
    parse_message,
    parse_pointer,
    sent_metadata,
    sluice_id,
)
from tests.cases import table
from tests.core.attempts import attempted
from tests.core.strategies import JSON_OBJECTS, JSON_VALUES, TEXT, same

SENT = Instant.from_milliseconds(1_760_410_739_323)


def _parse(body: str | bytes) -> Message:
    raw = body if isinstance(body, bytes) else body.encode()
    return parse_message(raw, message_id="sqs-1", sent=SENT)


@pytest.mark.parametrize("case", table("messages"))
def test_a_body_is_this_message_or_gives_this_error(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(Permanent) as raised:
            _parse(case["body"])
        assert raised.value.code is Code.BAD_MESSAGE
        assert case["error"] in raised.value.text
        assert raised.value.text.isprintable()
        return
    message = _parse(case["body"])
    found = {
        **{name: getattr(message, name) for name in ("destination_id", "id", "topic")},
        "metadata": dict(message.metadata),
        "payload": message.payload.decode(),
        "time": message.time.fields(["rfc3339_nano"])["rfc3339_nano"],
    }
    assert {name: found[name] for name in case["gives"]} == case["gives"]


@pytest.mark.parametrize("case", table("pointers"))
def test_a_body_is_this_pointer_or_none_or_gives_this_error(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(Permanent, match=case["error"]) as raised:
            parse_pointer(case["body"])
        assert raised.value.code is Code.BAD_MESSAGE
        return
    pointer = parse_pointer(case["body"])
    assert (pointer and [pointer.bucket, pointer.key]) == case["gives"]


@pytest.mark.parametrize(
    "members",
    [
        '"metadata": {"a": 7}, "metadata": {"a": "x"}, "data": {}',
        '"metadata": {"a": 7}, "metadata": [], "data": {}',
        '"metadata": {"a": 7}, "metadata": null, "data": {}',
        '"metadata": [], "metadata": {}, "data": {}',
        f'"metadata": {{"a": 7}}, "data": {{"n": {"9" * 5_000}}}',
        f'"metadata": {{"a": 7}}, "data": {{"n": {"[" * 500}{"]" * 500}}}',
        f'"metadata": {{"a": 7}}, "data": {{"n": {"[" * 5_000}{"]" * 5_000}}}',
        f'"metadata": {{"a": {"9" * 5_000}}}, "data": {{"n": 1}}',
        f'"id": {"9" * 5_000}, "data": {{"cut": "\\ud83d"}}',
    ],
    ids=[
        "twice",
        "then-list",
        "then-null",
        "first-list",
        "digits",
        "deep",
        "deepest",
        "digits-there",
        "digits-id",
    ],
)
def test_wrong_metadata_in_odd_company_are_taken_or_refused_for_good(members: str) -> None:
    with suppress(Permanent):
        _parse(f'{{"destination_id": "acme", {members}}}')


@given(JSON_OBJECTS, JSON_VALUES)
@example('{"cut": "\\ud83d", "n": [1e400, 1.0, 18446744073709551617]}', "1")
def test_the_payloads_bytes_survive(payload: str, other: str) -> None:
    message = _parse(f'{{"x": {other}, "destination_id": "acme", "data": {payload}, "y": {other} }}')
    assert message.payload == payload.encode()
    assert object_body(message, envelope=False) == payload.encode()
    assert object_body(message, envelope=True) == b'{"data": ' + payload.encode() + b"}"


@given(JSON_OBJECTS)
def test_what_a_template_sees_of_the_payload_is_what_json_reads(payload: str) -> None:
    message = _parse(f'{{"destination_id": "acme", "data": {payload}}}')
    try:
        expected = json.loads(payload)
    except ValueError:
        with pytest.raises(Permanent) as raised:
            message.data()
        assert raised.value.code is Code.BAD_KEY
    else:
        assert same(message.data(), expected)


_BODIES = st.one_of(
    st.binary(),
    st.text().map(lambda text: text.encode(errors="surrogatepass")),
    JSON_VALUES.map(str.encode),
    st.tuples(
        JSON_OBJECTS, st.integers(0, 80), st.sampled_from([*'{}[]",:\\0eu.-', "", "\x00", "\\ud83d"])
    ).map(lambda drawn: _mutated(*drawn)),
)


def _mutated(payload: str, at: int, instead: str) -> bytes:
    body = f'{{"destination_id":"acme","metadata":{{"a":"b"}},"data":{payload}}}'
    return (body[:at] + instead + body[at + 1 :]).encode()


@given(_BODIES)
def test_every_body_is_a_message_or_a_bad_one(body: bytes) -> None:
    message = attempted(lambda: _parse(body))
    if isinstance(message, Permanent):
        assert message.code is Code.BAD_MESSAGE
        assert message.text.isprintable()
        return
    found = json.loads(body, parse_int=str, parse_float=str, parse_constant=pytest.fail)
    assert message.destination_id == found["destination_id"]
    assert isinstance(found["data"], dict)
    assert json.loads(message.payload, parse_int=str, parse_float=str) == found["data"]


@given(st.text().map(lambda text: text.encode(errors="surrogatepass").decode(errors="replace")))
def test_every_body_is_a_pointer_or_none_or_a_bad_one(body: str) -> None:
    with suppress(Permanent):
        assert parse_pointer(body) is None


@pytest.mark.parametrize("depth", [10, 500, 900, 985, 995, 1_000, 5_000, 200_000])
def test_a_nested_payload_is_taken_whole_or_refused_for_good(depth: int) -> None:
    payload = '{"a":' * depth + "1" + "}" * depth
    message = attempted(lambda: _parse(f'{{"destination_id": "acme", "data": {payload}}}'))
    if isinstance(message, Permanent):
        assert message.code is Code.BAD_MESSAGE
        assert depth > 500
        return
    assert message.payload == payload.encode()
    with suppress(Permanent):
        assert isinstance(message.data(), dict)


def test_a_body_that_is_no_utf_8_says_where() -> None:
    with pytest.raises(Permanent, match="not UTF-8 at byte 21"):
        _parse(b'{"destination_id": "a\xff", "data": {}}')


_ASCII_IDENTITY = st.text(st.characters(exclude_characters="\x00"), max_size=8)


@given(_ASCII_IDENTITY, TEXT.map(str.encode))
def test_a_sluice_id_is_the_same_at_every_delivery(identity: str, body: bytes) -> None:
    assert sluice_id(identity, body) == sluice_id(identity, body)
    assert len(sluice_id(identity, body)) == 32
    assert int(sluice_id(identity, body), 16) >= 0


@given(_ASCII_IDENTITY, _ASCII_IDENTITY, st.binary(max_size=8), st.binary(max_size=8))
@example("a", "ab", b"bc", b"c")
def test_a_sluice_id_differs_with_the_identity_and_with_the_body(
    identity: str, other_identity: str, body: bytes, other_body: bytes
) -> None:
    alike = (identity, body) == (other_identity, other_body)
    assert (sluice_id(identity, body) == sluice_id(other_identity, other_body)) is alike


def test_a_messages_identity_is_its_own_id_before_that_of_sqs() -> None:
    with_id = b'{"destination_id": "acme", "id": "evt-1", "data": {}}'
    without = b'{"destination_id": "acme", "data": {}}'
    ids = [
        parse_message(body, message_id=message_id, sent=SENT).sluice_id
        for body in (with_id, without)
        for message_id in ("sqs-1", "sqs-2")
    ]
    assert ids[0] == ids[1]
    assert ids[2] != ids[3]


def test_the_metadata_are_ours_then_the_definitions_then_the_messages() -> None:
    message = _parse(
        '{"destination_id": "acme", "id": "evt-1", "topic": "read", "time": "2025-10-14T02:58:59.9Z",'
        ' "metadata": {"topic": "of-message", "operationId": "op", "sluice-id": "x", "SLUICE-ID": "x"}, "data": {}}'
    )
    own = {"topic": "of-definition", "timestamp": "of-definition", "team": "billing", "Sluice-Id": "x"}
    assert object_metadata(message, own=own) == {
        "destinationId": "acme",
        "event-id": "evt-1",
        "timestamp": "of-definition",
        "topic": "of-message",
        "team": "billing",
        "operationId": "op",
    }


def test_the_timestamp_is_the_messages_time_cut_to_seconds() -> None:
    message = _parse('{"destination_id": "acme", "time": "2025-10-14T02:58:59.9+02:00", "data": {}}')
    assert object_metadata(message, own={})["timestamp"] == "2025-10-14T00:58:59Z"
    assert "topic" not in object_metadata(message, own={})


@given(
    st.dictionaries(st.sampled_from(["a", "sluice-id", "Sluice-Id", "SLUICE-ID"]), TEXT, max_size=3),
    st.dictionaries(st.sampled_from(["a", "sluice-id", "sLuice-id"]), TEXT, max_size=3),
)
def test_no_definition_and_no_message_sets_the_reserved_name(
    own: dict[str, str], given_: dict[str, str]
) -> None:
    message = _parse(json.dumps({"destination_id": "acme", "metadata": given_, "data": {}}))
    with suppress(Permanent):
        sent = sent_metadata(message, object_metadata(message, own=own))
        assert [value for name, value in sent.items() if name.lower() == "sluice-id"] == [message.sluice_id]
