"""What became of a batch: the answer to SQS, a log line for each failure, and counts for each connection."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from functions.adapters import events, telemetry
from functions.core.outcomes import Outcome, State
from functions.core.records import Record

ANSWER_SECONDS = 3
"""Kept of an invocation's time for its answer: one that Lambda ends without answer is repeated whole."""


def report(what: str, records: Sequence[Record], outcomes: Sequence[Outcome | None]) -> dict[str, Any]:
    """Tell operators, and give the partial response: what is delayed, and what time ran out for, comes back.

    `what` the messages are, in the plural, begins the names of the metrics: `messages` to MessagesDelivered.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    delayed: Counter[tuple[str, str]] = Counter()
    unfinished = 0
    for record, outcome in zip(records, outcomes, strict=True):
        if outcome is None:
            unfinished += 1
            continue
        if outcome.state is State.FAILED:
            _log(record, outcome)
        if outcome.state is State.DELAYED:
            delayed[outcome.code or "", outcome.text] += 1
        count = counts[outcome.connection or "_"]
        count[f"{what}_{outcome.state}"] += 1
        count["object_bytes"] += outcome.size
    for connection, count in counts.items():
        telemetry.count(connection, **count)
    for (code, reason), number in delayed.items():
        telemetry.logger.info(f"{what} delayed", code=code, reason=reason, number=number)
    if unfinished:
        telemetry.logger.warning("out of time", unfinished=unfinished, of=len(records))
    return events.partial_response(
        record.delivery_id
        for record, outcome in zip(records, outcomes, strict=True)
        if outcome is None or outcome.state is State.DELAYED
    )


def _log(record: Record, outcome: Outcome) -> None:
    telemetry.logger.warning(
        "message failed",
        connection=outcome.connection,
        failure=outcome.failure,
        code=outcome.code,
        reason=outcome.text,
        message_id=record.message_id,
    )
