"""`file_writer`: sealed runs become files, one task at a time."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.adapters import events, wiring
from functions.adapters.inbox import Inbox
from functions.adapters.reporting import report
from functions.core.records import Queue
from functions.core.settings import Settings
from functions.file_writer.deliver import FileWriter
from functions.file_writer.write import RunWriter

ANSWER_SECONDS = 30
"""Kept of an invocation's time: what is under way is written, and what came of it is recorded."""

settings = Settings.from_environment(os.environ)
ports = wiring.Ports(settings, queue=Queue.DELIVERIES, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
writer = FileWriter(
    destinations=ports.stream_destinations,
    runs=ports.runs,
    writer=RunWriter(ports.parts),
    inbox=Inbox(payloads=ports.payloads, failures=ports.failures, queue=ports.queue),
    largest_run_gigabytes=settings.largest_run_gigabytes,
)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS batch, answered with the messages that must come back; or a question about a destination's access."""
    if "Records" not in event:
        return ports.answer(event)
    records = events.sqs_records(event)
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS
    return report("runs", records, [writer.deliver(record, seconds=seconds) for record in records])
