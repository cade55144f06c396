"""Handlers as Lambda invokes them, with events of SQS; an answer that is not that all is done is an error."""

from collections.abc import Iterable
from typing import Any

from bench.usage import Spent

_SENT_MS = "1760410739323"
_LAMBDAS_LONGEST_MS = 900_000


class WrongAnswerError(Exception):
    """A handler did not say that all messages of a batch are done."""


class Context:
    """As much of Lambda's context as a handler of batches looks at."""

    def get_remaining_time_in_millis(self) -> int:
        """All the time that there can be."""
        return _LAMBDAS_LONGEST_MS


def invoke(handler: Any, event: dict[str, Any]) -> None:
    """Have a handler do a batch.

    Raises:
        WrongAnswerError: Not all of it is done.
    """
    answer = handler(event, Context())
    if answer != {"batchItemFailures": []}:
        raise WrongAnswerError(f"{handler.__module__}: {answer}")


def spent(handler: Any, events: Iterable[dict[str, Any]]) -> Spent:
    """What a handler takes for these events; making them is left out, since in AWS they come as they are."""
    total = Spent(0, 0)
    for event in events:
        begin = Spent.by_process()
        invoke(handler, event)
        total += Spent.by_process() - begin
    return total


def sqs_event(bodies: Iterable[str]) -> dict[str, Any]:
    """One batch of these messages."""
    return {"Records": [_record(number, body) for number, body in enumerate(bodies)]}


def _record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{number:012x}",
        "receiptHandle": "AQEB" + f"{number:012x}" * 28,
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": _SENT_MS},
        "messageAttributes": {},
    }
