"""Lambda's events as the core's types, and its answers."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from functions.core.failures import is_failure_id
from functions.core.instants import Instant
from functions.core.records import Record

ORIGINAL_ID = "SluiceMessageId"
ORIGINAL_SENT = "SluiceSentTimestamp"
FAILURE = "SluiceFailure"
RESTART = "SluiceRestart"
"""Attributes of a message that is sent again: what it was when it first came, which failure it is, and whether its
work begins anew with the definition as it then is."""

_MILLISECONDS = re.compile("[0-9]{1,14}|[01][0-9]{14}")
"""Up to the year 8307; what else a sender may have put there is passed over."""


def sqs_records(event: Mapping[str, Any]) -> list[Record]:
    """The messages of an SQS event, in its order."""
    return [_record(record) for record in event["Records"]]


def partial_response(failed: Iterable[str]) -> dict[str, Any]:
    """The answer that has SQS deliver these messages again, and no others."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _record(record: Mapping[str, Any]) -> Record:
    attributes = {
        name: given.get("stringValue", "") for name, given in record.get("messageAttributes", {}).items()
    }
    failure = attributes.get(FAILURE, "")
    original = attributes.get(ORIGINAL_SENT, "")
    sent = original if _MILLISECONDS.fullmatch(original) else record["attributes"]["SentTimestamp"]
    return Record(
        delivery_id=record["messageId"],
        message_id=attributes.get(ORIGINAL_ID) or record["messageId"],
        receipt_handle=record["receiptHandle"],
        body=record["body"],
        sent=Instant.from_milliseconds(int(sent)),
        receives=int(record["attributes"]["ApproximateReceiveCount"]),
        failure=failure if is_failure_id(failure) else None,
        restart=RESTART in attributes,
    )
