from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from functions.adapters import events
from functions.core.instants import TIME_FIELDS, Instant
from functions.core.records import Record
from tests.events import recorded, sqs_event


def _record(attributes: dict[str, Any]) -> Record:
    event = sqs_event("{}")
    event["Records"][0]["messageAttributes"] = attributes
    [record] = events.sqs_records(event)
    return record


def _text(value: str) -> dict[str, Any]:
    return {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}


def test_a_message_is_read_as_aws_records_it() -> None:
    first, _ = events.sqs_records(recorded())
    assert first == Record(
        delivery_id="059f36b4-87a3-44ab-83d2-661975830a7d",
        message_id="059f36b4-87a3-44ab-83d2-661975830a7d",
        receipt_handle="AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
        body=recorded()["Records"][0]["body"],
        sent=Instant.from_milliseconds(1_760_410_739_323),
        receives=1,
        failure=None,
    )


def test_a_message_that_is_sent_again_is_what_it_was_when_it_first_came() -> None:
    _, again = events.sqs_records(recorded())
    assert again.delivery_id == "2e1424d4-f796-459a-8184-9c92662be6da"
    assert again.message_id == "71d4a5b0-0000-4000-8000-000000000001"
    assert again.sent == Instant.from_milliseconds(1_760_000_000_000)
    assert again.failure == "acme:0123456789abcdef0123456789abcdef"
    assert again.receives == 3


def test_an_event_without_message_attributes_is_read() -> None:
    event = sqs_event("{}")
    del event["Records"][0]["messageAttributes"]
    assert events.sqs_records(event)[0].failure is None


PLAIN = _record({})


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "yesterday",
        "-1",
        "1.5",
        "1e12",
        " 1",
        "9" * 30,
        "9" * 5_000,
        "253402300800000",
        "²",
    ],
    ids=lambda text: text[:8],
)
def test_a_sent_timestamp_that_is_none_is_passed_over(sent: str) -> None:
    assert _record({events.ORIGINAL_SENT: _text(sent)}).sent == PLAIN.sent


@pytest.mark.parametrize(
    "failure",
    [
        "",
        "acme",
        "acme:",
        ":0123456789abcdef0123456789abcdef",
        "acme:../../payloads/1",
        "../x:0123456789abcdef0123456789abcdef",
        "acme:0123456789ABCDEF0123456789ABCDEF",
        "acme:0123456789abcdef0123456789abcdef\n",
        "acme#x:0123456789abcdef0123456789abcdef",
        "x" * 10_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_failure_that_is_none_of_ours_is_passed_over(failure: str) -> None:
    assert _record({events.FAILURE: _text(failure)}).failure is None


_VALUES = st.one_of(
    st.text(),
    st.from_regex(r"[0-9]{12,40}", fullmatch=True),
    st.from_regex(r"[a-z_]{0,4}:[0-9a-f]{30,33}", fullmatch=True),
    st.sampled_from(["9" * 5_000, "٣", "²", "253402300799999", "253402300800000"]),
)
_ATTRIBUTES = st.one_of(
    _VALUES.map(_text),
    _VALUES.map(_text),
    st.just({"binaryValue": "AAECAwQ=", "dataType": "Binary"}),
    st.just({"dataType": "String"}),
)


@settings(max_examples=200, phases=[Phase.explicit, Phase.generate])  # shrinking such long numbers takes long
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys([events.ORIGINAL_ID, events.ORIGINAL_SENT, events.FAILURE, "x"], _ATTRIBUTES),
    )
)
@example({events.ORIGINAL_SENT: _text("253402300799999")})
def test_no_senders_attributes_keep_a_batch_from_being_read(attributes: dict[str, Any]) -> None:
    record = _record(attributes)
    assert record.sent.fields(TIME_FIELDS)
    assert record.message_id
    assert record.delivery_id == PLAIN.delivery_id
    assert record.failure is None or record.failure.count(":") == 1


def test_the_answer_names_what_must_come_back_and_nothing_else() -> None:
    assert events.partial_response([]) == {"batchItemFailures": []}
    assert events.partial_response(["b", "a"]) == {
        "batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "a"}]
    }
