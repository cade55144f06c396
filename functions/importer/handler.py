"""`importer`: files that have arrived are imported; what cannot be is kept, and what is not finished comes back."""

import os
import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.adapters import events
from functions.adapters.crew import Crew
from functions.adapters.import_wiring import ImportPorts
from functions.adapters.inbox import Inbox
from functions.adapters.reporting import ANSWER_SECONDS, report
from functions.core.records import Queue
from functions.core.settings import Settings
from functions.importer.arrive import Importer
from functions.importer.chunk import ChunkWriter
from functions.importer.read import COMMIT_SECONDS, FileReader, Limits
from functions.importer.scan import Scanner

FILES_AT_ONCE = 4
"""Files that one invocation reads at a time: small ones wait for S3 and DynamoDB most of theirs."""

settings = Settings.from_environment(os.environ)
ports = ImportPorts(settings, queue=Queue.ARRIVALS, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
inbox = Inbox(payloads=ports.payloads, failures=ports.failures, queue=ports.queue)
importer = Importer(
    sources=ports.sources,
    files=ports.files,
    reader=FileReader(
        sources=ports.sources,
        files=ports.files,
        chunks=ChunkWriter(
            files=ports.files,
            store=ports.event_store,
            claims=ports.claims,
            profiles=ports.profiles,
            outputs=ports.outputs,
        ),
        limits=Limits(
            file_gigabytes=settings.largest_file_gigabytes,
            chunk_records=settings.chunk_events,
            chunk_megabytes=settings.chunk_megabytes,
        ),
    ),
    scanner=Scanner(
        sources=ports.sources, files=ports.files, scans=ports.scans, tasks=ports.import_tasks, inbox=inbox
    ),
    tasks=ports.import_tasks,
    inbox=inbox,
)
crew = Crew(FILES_AT_ONCE)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS batch, answered with the messages that must come back; or a question about a source's access."""
    if "Records" not in event:
        return ports.answer(event)
    records = events.sqs_records(event)
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS
    end = time.monotonic() + seconds - COMMIT_SECONDS
    outcomes = crew.run(lambda record: importer.handle(record, end=end), records, seconds=seconds)
    return report("files", records, outcomes)
