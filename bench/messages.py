"""The load: SQS events of messages of 1 KB, each its own, and the objects that they must become."""

import json
from collections.abc import Iterator
from typing import Any

MESSAGE_BYTES = 1024
DESTINATION = "bench"
BUCKET = "bench-bucket"
PREFIX = "in/"
TEMPLATE = "join('/', [metadata.objectName, time.date, metadata.\"event-id\"])"
"""One of users' usual ones."""

DEFINITION = {
    "name": DESTINATION,
    "kind": "messages",
    "bucket": BUCKET,
    "prefix": PREFIX,
    "key_template": TEMPLATE,
}

_DATE = "2025-10-14"
_SENT_MS = "1760410739323"


def batches(*, count: int, size: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """Events with `count` messages in all, `size` in each, numbered from `first`."""
    end = first + count
    for start in range(first, end, size):
        yield {"Records": [_record(number) for number in range(start, min(start + size, end))]}


def key(number: int) -> str:
    """Where the object of this message must be found."""
    return f"{PREFIX}accounts/{_DATE}/{_event_id(number)}"


def body(number: int) -> bytes:
    """What must be found there."""
    return json.dumps({"data": _data(number)}).encode()


def _event_id(number: int) -> str:
    return f"0199e0c4-7b2a-7d4e-9f31-{number:012x}"


def _data(number: int) -> dict[str, Any]:
    return {
        "id": f"{number:012x}",
        "amount": 12.5,
        "currency": "EUR",
        "active": True,
        "tags": ["first", "second", "third"],
        "owner": {"id": 77, "name": "Ada"},
        "note": _FILLING,
    }


def _message(number: int) -> str:
    """A body with all the metadata that senders use by convention."""
    message = {
        "destination_id": DESTINATION,
        "id": _event_id(number),
        "topic": "accounts.updated",
        "time": f"{_DATE}T02:58:59.323Z",
        "metadata": {
            "projectId": "project-1042",
            "installationId": "installation-7f3a",
            "connectionId": "connection-55d1",
            "operationId": f"operation-{number:012x}",
            "objectName": "accounts",
        },
        "data": _data(number),
    }
    return json.dumps(message)


def _record(number: int) -> dict[str, Any]:
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{number:012x}",
        "receiptHandle": "AQEB" + f"{number:012x}" * 28,
        "body": _message(number),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "AWSTraceHeader": "Root=1-68edbb33-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0",
            "SentTimestamp": _SENT_MS,
            "SenderId": "AROAEXAMPLEEXAMPLE:sender",
            "MessageGroupId": DESTINATION,
            "ApproximateFirstReceiveTimestamp": _SENT_MS,
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:messages",
        "awsRegion": "us-east-1",
    }


_FILLING = ""
_FILLING = "x" * (MESSAGE_BYTES - len(_message(0)))
