from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.events import sqs_records
from functions.adapters.objects import Bucket
from functions.adapters.payloads import Payloads
from functions.adapters.queues import Queue
from functions.adapters.sending import Sender
from functions.core.errors import Transient
from functions.core.messages import parse_pointer
from functions.core.outgoing import MAX_BYTES, MAX_ENTRIES, Outgoing, packed
from tests.adapters.aws import Aws
from tests.adapters.conftest import credentials
from tests.events import recorded

RECORD = sqs_records(recorded())[0]


def test_a_message_is_kept_from_coming_back_for_that_long(aws: Aws) -> None:
    sqs = aws.client("sqs")
    with Stubber(sqs) as stubber:
        stubber.add_response(
            "change_message_visibility",
            {},
            {"QueueUrl": "https://q", "ReceiptHandle": RECORD.receipt_handle, "VisibilityTimeout": 60},
        )
        Queue(lambda: sqs, url="https://q").delay(RECORD, seconds=60)
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status"),
    [("ReceiptHandleIsInvalid", 400), ("InvalidParameterValue", 400), ("InternalError", 500)],
)
def test_a_message_that_cannot_be_delayed_is_transient(aws: Aws, code: str, status: int) -> None:
    sqs = aws.client("sqs")
    with Stubber(sqs) as stubber:
        stubber.add_client_error("change_message_visibility", code, http_status_code=status)
        with pytest.raises(Transient):
            Queue(lambda: sqs, url="https://q").delay(RECORD, seconds=60)


def _sender(aws: Aws, sqs: Any, *, url: str, bucket: str) -> Sender:
    opened = Bucket(bucket, region="eu-central-1", credentials=credentials, endpoint_url=aws.url)
    return Sender(sqs, url=url, bucket=opened, bucket_name=bucket)


def _received(aws: Aws, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = aws.client("sqs").receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        if "Messages" not in answer:
            return found
        found += answer["Messages"]


def _messages(bodies: Iterable[str]) -> list[Outgoing]:
    return [Outgoing(body=body, group="acme", attributes={"SluiceFailure": "f"}) for body in bodies]


def test_messages_are_sent_with_their_attributes(aws: Aws) -> None:
    url = aws.client("sqs").create_queue(QueueName=aws.name("queue"))["QueueUrl"]
    bodies = [f'{{"n": {number}}}' for number in range(23)]
    sent = _sender(aws, aws.client("sqs"), url=url, bucket=aws.bucket()).send(_messages(bodies))
    found = _received(aws, url)
    assert sent == 23
    assert sorted(each["Body"] for each in found) == sorted(bodies)
    assert all(each["MessageAttributes"]["SluiceFailure"]["StringValue"] == "f" for each in found)


@pytest.mark.parametrize("body", ["x" * (MAX_BYTES + 1), '{"nul": "\x00"}'], ids=["large", "control"])
def test_a_body_that_sqs_does_not_take_is_put_aside(aws: Aws, body: str) -> None:
    url = aws.client("sqs").create_queue(QueueName=aws.name("queue"))["QueueUrl"]
    bucket = aws.bucket()
    _sender(aws, aws.client("sqs"), url=url, bucket=bucket).send(_messages([body]))
    [found] = _received(aws, url)
    pointer = parse_pointer(found["Body"])
    assert pointer is not None
    opened = Bucket(bucket, region="eu-central-1", credentials=credentials, endpoint_url=aws.url)
    with Payloads(opened, name=bucket, budget=10_000_000).read(
        bucket=pointer.bucket, key=pointer.key
    ) as payload:
        assert payload == body.encode()


def _entry(number: int, body: str) -> dict[str, Any]:
    return {
        "Id": str(number),
        "MessageBody": body,
        "MessageGroupId": "acme",
        "DelaySeconds": 0,
        "MessageAttributes": {"SluiceFailure": {"DataType": "String", "StringValue": "f"}},
    }


def _failed(*numbers: int) -> dict[str, Any]:
    failed = [{"Id": str(number), "SenderFault": False, "Code": "InternalError"} for number in numbers]
    return {"Failed": failed, "Successful": []}


def test_what_sqs_did_not_take_is_sent_again_and_nothing_else(aws: Aws) -> None:
    sqs = aws.client("sqs")
    with Stubber(sqs) as stubber:
        entries = [_entry(number, body) for number, body in enumerate("abc")]
        stubber.add_response(
            "send_message_batch", _failed(0, 2), {"QueueUrl": "https://q", "Entries": entries}
        )
        again = {"QueueUrl": "https://q", "Entries": [entries[0], entries[2]]}
        stubber.add_response("send_message_batch", _failed(), again)
        assert _sender(aws, sqs, url="https://q", bucket="data").send(_messages("abc")) == 3
        stubber.assert_no_pending_responses()


def test_what_sqs_never_takes_is_told(aws: Aws) -> None:
    sqs = aws.client("sqs")
    with Stubber(sqs) as stubber:
        for _ in range(5):
            stubber.add_response("send_message_batch", _failed(0))
        with pytest.raises(Transient, match="1 of 2"):
            _sender(aws, sqs, url="https://q", bucket="data").send(_messages("ab"))


def test_what_stops_a_sending_says_how_many_were_sent(aws: Aws) -> None:
    sqs = aws.client("sqs")
    with Stubber(sqs) as stubber:
        stubber.add_response("send_message_batch", _failed())
        stubber.add_client_error("send_message_batch", "ServiceUnavailable", http_status_code=503)
        with pytest.raises(Transient, match=r"10 message\(s\) before were sent"):
            _sender(aws, sqs, url="https://q", bucket="data").send(_messages("abcdefghijkl"))


@given(st.lists(st.integers(0, MAX_BYTES - 20), max_size=40))
def test_messages_are_packed_in_order_into_requests_that_sqs_takes(sizes: list[int]) -> None:
    messages = [Outgoing(body="x" * size, group=str(at)) for at, size in enumerate(sizes)]
    requests = list(packed(messages))
    assert [message for request in requests for message in request] == messages
    assert all(1 <= len(request) <= MAX_ENTRIES for request in requests)
    assert all(sum(message.size for message in request) <= MAX_BYTES for request in requests)


def test_a_messages_size_counts_its_attributes() -> None:
    message = Outgoing(body="é", group="acme", attributes={"naïve": "ü"})
    assert message.size == 2 + 6 + 2 + len("String")
    exact = msgspec.structs.replace(message, body="x" * (MAX_BYTES - message.size + 2))
    assert exact.fits
    assert not msgspec.structs.replace(exact, body=exact.body + "x").fits
