import base64
import hashlib
import json

import pytest

from local.cloud import Cloud
from local.records import failed_ids, record

SENT = frozenset({"a", "b"})


@pytest.mark.parametrize(
    "answer",
    ['{"batchItemFailures": []}', '{"batchItemFailures": null}', "{}", "null"],
    ids=["empty list", "null list", "empty answer", "null answer"],
)
def test_nothing_failed(answer: str) -> None:
    assert failed_ids(answer.encode(), sent=SENT) == frozenset()


def test_what_is_named_failed() -> None:
    assert failed_ids(b'{"batchItemFailures": [{"itemIdentifier": "b"}]}', sent=SENT) == {"b"}


@pytest.mark.parametrize(
    "answer",
    [
        '{"batchItemFailures": [',
        '{"batchItemFailures": [{"itemIdentifier": ""}]}',
        '{"batchItemFailures": [{"itemIdentifier": null}]}',
        '{"batchItemFailures": [{"messageId": "a"}]}',
        '{"batchItemFailures": [{"itemIdentifier": "c"}]}',
        '{"batchItemFailures": [{"itemIdentifier": ["a"]}]}',
        '{"batchItemFailures": ["a"]}',
        '{"batchItemFailures": 3}',
        '["a"]',
        '"done"',
    ],
)
def test_an_answer_in_another_form_means_that_all_failed(answer: str) -> None:
    assert failed_ids(answer.encode(), sent=SENT) == SENT


def test_a_record_is_spelled_as_lambda_spells_it(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="spelling")["QueueUrl"]
    attributes = {
        "kind": {"DataType": "String", "StringValue": "x"},
        "seal": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(
        QueueUrl=queue, MessageBody='{"ä": 1}', MessageAttributes=attributes, MessageGroupId="acme"
    )
    received = sqs.receive_message(
        QueueUrl=queue, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )
    [message] = received["Messages"]

    given = record(message, queue_arn="arn:aws:sqs:us-east-1:123456789012:spelling")

    assert given.pop("receiptHandle") == message["ReceiptHandle"]
    told = given.pop("attributes")
    assert (told["ApproximateReceiveCount"], told["MessageGroupId"]) == ("1", "acme")
    assert told["SentTimestamp"].isdigit()
    empty: dict[str, list[str]] = {"stringListValues": [], "binaryListValues": []}
    assert json.loads(json.dumps(given)) == {
        "messageId": sent["MessageId"],
        "body": '{"ä": 1}',
        "messageAttributes": {
            "kind": {"stringValue": "x", "dataType": "String", **empty},
            "seal": {"binaryValue": base64.b64encode(b"\x00\xff").decode(), "dataType": "Binary", **empty},
        },
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "md5OfBody": hashlib.md5('{"ä": 1}'.encode()).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:spelling",
        "awsRegion": "us-east-1",
    }
