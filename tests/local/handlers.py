"""The functions under test: each does one thing that a Lambda function may do."""

import json
import os
import signal
import sys
import time
from typing import Any

import boto3

JSON = dict[str, Any]


def echo(event: JSON, context: Any) -> JSON:
    """What the function was given: the event, the context, the environment."""
    known = {
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "left_ms": context.get_remaining_time_in_millis(),
    }
    return {"event": event, "context": known, "environment": dict(os.environ), "pid": os.getpid()}


def raises(event: JSON, context: Any) -> None:
    raise KeyError("no such thing")


def dies(event: JSON, context: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(event: JSON, context: Any) -> None:
    sys.exit(3)


def grows(event: JSON, context: Any) -> int:
    hoard = b"x" * (300 * 1024 * 1024)
    time.sleep(5)
    return len(hoard)


def sleeps(event: JSON, context: Any) -> int:
    time.sleep(event.get("seconds", 0))
    return os.getpid()


def columns(event: JSON, context: Any) -> int:
    """As many rows as are asked for, through Arrow's threads and Parquet: its memory is mostly reserved."""
    import pyarrow as pa  # noqa: PLC0415 the other functions have no columns to wait for
    import pyarrow.parquet as pq  # noqa: PLC0415 as above

    file = pa.BufferOutputStream()
    pq.write_table(pa.table({"n": range(event["rows"])}), file)
    return int(pq.read_table(pa.BufferReader(file.getvalue())).num_rows)


def judge(event: JSON, context: Any) -> Any:
    """Does with each message what its body says: `fail`, `sleep` or `hide` it, or `answer` for the batch."""
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        if "answer" in order:
            return order["answer"]
        time.sleep(order.get("sleep", 0))
        if "hide" in order:
            _hide(record, order["hide"])
        if "fail" in order:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _hide(record: JSON, seconds: int) -> None:
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName=record["eventSourceARN"].rpartition(":")[2])["QueueUrl"]
    sqs.change_message_visibility(
        QueueUrl=queue, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
    )


def copies(event: JSON, context: Any) -> JSON:
    """Writes each message to the bucket, then to the table: two side effects with a gap between them."""
    for record in event["Records"]:
        order = json.loads(record["body"])
        name, body = order["name"], record["body"].encode()
        boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=name, Body=body)
        boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": name}})
    return {"batchItemFailures": []}
