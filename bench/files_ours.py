"""Ours, in a process of its own: a run of rows is staged, message by message, and becomes files.

    python -m bench.files_ours DESTINATION --run RUN --bodies FOLDER --rows 1000000 --result FILE [--declared]

Both handlers are those that are deployed; they run in one process, one after the other. What is measured begins
once they are imported.
"""

import argparse
import importlib
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from bench import deployment, invoking, record_bodies
from bench.record_bodies import Head
from bench.usage import Usage

BATCH_BYTES = 5_000_000
"""Of bodies that one invocation is given: an event has at most 6 MB, in which quotes and such count twice."""


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """What a run cost: to be staged, and to become files."""

    staging: Usage
    writing: Usage


class NotSealedError(Exception):
    """A run was staged whole and is not sealed."""


def measure(folder: Path, head: Head, *, rows: int) -> Stages:
    """The run, staged and delivered.

    Raises:
        WrongAnswerError, NotSealedError: It was not, wholly.
    """
    stager = importlib.import_module("functions.stager.handler").handler
    file_writer = importlib.import_module("functions.file_writer.handler").handler
    staging = invoking.spent(stager, _batches(folder, head, rows=rows)).on(rows)
    writing = invoking.spent(file_writer, [invoking.sqs_event([_task()])]).on(rows)
    return Stages(staging=staging, writing=writing)


def _batches(folder: Path, head: Head, *, rows: int) -> Iterator[dict[str, Any]]:
    end = record_bodies.end(folder, head, rows=rows)
    batch: list[str] = []
    for body in chain(record_bodies.bodies(folder, head), [end]):
        if batch and sum(map(len, batch)) + len(body) > BATCH_BYTES:
            yield invoking.sqs_event(batch)
            batch = []
        batch.append(body)
    yield invoking.sqs_event(batch)


def _task() -> str:
    """The task that was sent when the run was sealed."""
    queue = deployment.client("sqs", os.environ["AWS_ENDPOINT_URL"])
    found = queue.receive_message(QueueUrl=deployment.DELIVERIES).get("Messages", [])
    if not found:
        raise NotSealedError
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
