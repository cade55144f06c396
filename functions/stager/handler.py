"""`stager`: the rows of an SQS batch are staged; the others are kept or come back."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.adapters import events, wiring
from functions.adapters.crew import Crew
from functions.adapters.inbox import Inbox
from functions.adapters.reporting import ANSWER_SECONDS, report
from functions.core.records import Queue
from functions.core.settings import Settings
from functions.stager.commit import Committer
from functions.stager.stage import Stager

settings = Settings.from_environment(os.environ)
ports = wiring.Ports(settings, queue=Queue.RECORDS, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
stager = Stager(
    intakes=ports.intakes,
    parts=ports.parts,
    committer=Committer(runs=ports.runs, intakes=ports.intakes, seals=ports.seals),
    inbox=Inbox(payloads=ports.payloads, failures=ports.failures, queue=ports.queue),
    crew=Crew(settings.writes_at_once),
)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS batch, answered with the messages that must come back."""
    records = events.sqs_records(event)
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS
    return report("records", records, stager.stage(records, seconds=seconds))
