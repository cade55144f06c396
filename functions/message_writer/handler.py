"""`message_writer`: the messages of an SQS batch become objects; the others are kept, held or come back."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.adapters import events, wiring
from functions.adapters.crew import Crew
from functions.adapters.reporting import ANSWER_SECONDS, report
from functions.core.settings import Settings
from functions.message_writer.write import MessageWriter

settings = Settings.from_environment(os.environ)
ports = wiring.Ports(settings, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
writer = MessageWriter(
    destinations=ports.destinations,
    payloads=ports.payloads,
    failures=ports.failures,
    queue=ports.queue,
)
crew = Crew(settings.writes_at_once)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS batch, answered with the messages that must come back; or a question about a destination's access."""
    if "Records" not in event:
        return ports.answer(event)
    records = events.sqs_records(event)
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS
    outcomes = crew.run(writer.write, records, seconds=seconds)
    return report("messages", records, outcomes)
