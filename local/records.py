"""SQS messages as Lambda hands them to a function, and the function's answer as Lambda understands it.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import base64
import json
from collections.abc import Mapping
from typing import Any


def record(message: Mapping[str, Any], *, queue_arn: str) -> dict[str, Any]:
    """The record of a message that boto3 received, in Lambda's spelling of its parts."""
    attributes = message.get("MessageAttributes", {})
    digest = {"md5OfMessageAttributes": message["MD5OfMessageAttributes"]} if attributes else {}
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        **digest,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    spelled: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "BinaryValue" in value:
        return spelled | {"binaryValue": base64.b64encode(value["BinaryValue"]).decode()}
    return spelled | {"stringValue": value["StringValue"]}


def failed_ids(answer: bytes, *, sent: frozenset[str]) -> frozenset[str]:
    """The messages of a batch that a function with `ReportBatchItemFailures` did not get done.

    Nothing, null, or no item in `batchItemFailures` means that all were; an answer in any other form, or an
    item that names no message of the batch, means that none was.
    """
    try:
        failures = (json.loads(answer) or {}).get("batchItemFailures") or []
        named = frozenset(item["itemIdentifier"] for item in failures)
    except (ValueError, AttributeError, TypeError, KeyError):
        return sent
    return named if named.issubset(sent) else sent
