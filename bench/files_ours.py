"""Ours, in a process of its own: a run of rows is staged, message by message, and becomes files.

    python -m bench.files_ours DESTINATION --bodies FOLDER --rows 1000000 --result FILE [--declared]

Both handlers are those that are deployed; they run in one process, one after the other. What is measured begins
once they are imported, and leaves out the making of events, which in AWS come as they are.
"""

import argparse
import importlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from bench import deployment, record_bodies
from bench.record_bodies import Head
from bench.usage import Spent, Usage

BATCH_BYTES = 5_000_000
"""Of bodies that one invocation is given: an event has at most 6 MB, in which quotes and such count twice."""

_SENT_MS = "1760410739323"
_LAMBDAS_LONGEST_MS = 900_000


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """What a run cost: to be staged, and to become files."""

    staging: Usage
    writing: Usage


class WrongAnswerError(Exception):
    """A handler did not say that all is done."""


def measure(folder: Path, head: Head, *, rows: int) -> Stages:
    """The run, staged and delivered.

    Raises:
        WrongAnswerError: It was not, wholly.
    """
    stager = importlib.import_module("functions.stager.handler").handler
    file_writer = importlib.import_module("functions.file_writer.handler").handler
    staging = _handled(stager, _batches(folder, head, rows=rows)).on(rows)
    writing = _handled(file_writer, [_event([_task()])]).on(rows)
    return Stages(staging=staging, writing=writing)


class _Context:
    """As much of Lambda's context as a handler of batches looks at."""

    def get_remaining_time_in_millis(self) -> int:
        return _LAMBDAS_LONGEST_MS


def _handled(handler: Any, events: Iterable[dict[str, Any]]) -> Spent:
    spent = Spent(0, 0)
    for event in events:
        begin = Spent.by_process()
        answer = handler(event, _Context())
        spent += Spent.by_process() - begin
        if answer != {"batchItemFailures": []}:
            raise WrongAnswerError(f"{handler.__module__}: {answer}")
    return spent


def _batches(folder: Path, head: Head, *, rows: int) -> Iterator[dict[str, Any]]:
    end = record_bodies.end(folder, head, rows=rows)
    batch: list[str] = []
    for body in chain(record_bodies.bodies(folder, head), [end]):
        if batch and sum(map(len, batch)) + len(body) > BATCH_BYTES:
            yield _event(batch)
            batch = []
        batch.append(body)
    yield _event(batch)


def _event(bodies: Iterable[str]) -> dict[str, Any]:
    return {"Records": [_record(number, body) for number, body in enumerate(bodies)]}


def _record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{number:012x}",
        "receiptHandle": "AQEB" + f"{number:012x}" * 28,
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": _SENT_MS},
        "messageAttributes": {},
    }


def _task() -> str:
    """The task that sealing the run has sent."""
    queue = deployment.client("sqs", os.environ["AWS_ENDPOINT_URL"])
    found = queue.receive_message(QueueUrl=deployment.DELIVERIES).get("Messages", [])
    if not found:
        raise WrongAnswerError("the run was not sealed")
    return str(found[0]["Body"])


def main() -> None:
    """Measure, and write the result to a file: what a handler prints is for logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("destination")
    parser.add_argument("--run", required=True)
    parser.add_argument("--bodies", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--declared", action="store_true")
    given = parser.parse_args()
    head = Head(given.destination, given.run, declared=given.declared)
    given.result.write_bytes(msgspec.json.encode(measure(given.bodies, head, rows=given.rows)))


if __name__ == "__main__":
    main()
