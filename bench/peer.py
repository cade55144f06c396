"""The peer: the handler that everyone writes first, written well.

Powertools' batch processor, one boto3 client for the process, one `put_object` after the other; the same key
template (compiled once), the same metadata, content type, storage class and checksum as ours.
"""

import json
import os
from datetime import datetime
from typing import Any

import boto3
import jmespath
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

BUCKET = os.environ["PEER_BUCKET"]
PREFIX = os.environ["PEER_PREFIX"]
KEY = jmespath.compile(os.environ["PEER_TEMPLATE"])
CHECKSUM: Any = {"ChecksumAlgorithm": algorithm} if (algorithm := os.environ["PEER_CHECKSUM"]) else {}
"""SHA256, as ours; or nothing, which is boto3's own default, a CRC."""

processor = BatchProcessor(event_type=EventType.SQS)
s3 = boto3.client("s3")


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """An SQS batch, answered with the messages that must come back."""
    return process_partial_response(event=event, record_handler=write, processor=processor, context=context)


def write(record: SQSRecord) -> None:
    """One message becomes one object."""
    message = record.json_body
    sent = datetime.fromisoformat(message["time"])
    metadata = {
        "destinationId": message["destination_id"],
        "event-id": message["id"],
        "timestamp": f"{sent:%Y-%m-%dT%H:%M:%SZ}",
        "topic": message["topic"],
        **message["metadata"],
    }
    scope = {"metadata": metadata, "time": {"date": f"{sent:%Y-%m-%d}"}, "data": message["data"]}
    s3.put_object(
        Bucket=BUCKET,
        Key=PREFIX + KEY.search(scope),
        Body=json.dumps({"data": message["data"]}),
        ContentType="application/json",
        Metadata=metadata,
        **CHECKSUM,
    )
