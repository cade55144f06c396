"""What SQS may do with rows and tasks: bring them in another order, bring them twice, bring them to two at once."""

import gzip
import json
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from functions.core.runs import RunState
from local.calls import Call
from local.faults import calls_of, refuse
from local.function import Function
from local.mappings import Mapping as QueueMapping
from tests.system.stage import NOTHING_WAITS, Seen
from tests.system.stream_stage import Streams, done, end, file_of, lines, rows

MESSAGES = 24


def said(destination: str, run: str) -> list[str]:
    """The messages of a run, in order, its end last."""
    ended = end(destination, run, batches=MESSAGES, records_total=2 * MESSAGES)
    return [*(rows(destination, run, n, {"n": n}, {"of": run}) for n in range(MESSAGES)), ended]


def file(run: str) -> bytes:
    return b"".join(lines({"n": n}, {"of": run}) for n in range(MESSAGES))


def test_runs_whose_messages_come_in_any_order_and_twice_are_files_in_order(streams: Streams) -> None:
    first, second = streams.destination(), streams.destination(compression="gzip")
    runs = {"end-last": (first, 1), "end-first": (first, 2), "other": (second, 3)}
    orders = []
    for run, (destination, seed) in runs.items():
        *messages, ended = said(destination, run)
        shuffled = random.Random(seed).sample(messages * 2, 2 * MESSAGES)
        orders.append([*shuffled, ended, ended] if run == "end-last" else [ended, *shuffled, ended])
    mixed = [message for together in zip(*orders, strict=True) for message in together]
    deliveries = [streams.staged(*mixed[start : start + 50]) for start in range(0, len(mixed), 50)]
    for _ in runs:
        done(streams.file_writer)

    compressed = streams.objects(second)[file_of("other", extension="jsonl.gz")]
    assert gzip.decompress(compressed) == file("other")
    expected = Seen(objects={file_of(run): file(run) for run in ("end-last", "end-first")})
    assert streams.seen(first) == expected
    assert streams.waiting() == NOTHING_WAITS

    # All of it once more, in reverse: of nothing is it told that it is late.
    records = [record for delivery in reversed(deliveries) for record in reversed(delivery.records)]
    assert failed(streams.stager.function, records) == []
    assert streams.seen(first) == expected
    assert streams.waiting() == NOTHING_WAITS
    assert {run.state for run in streams.runs.of(first)} == {RunState.DELIVERED}


def test_a_task_that_comes_again_writes_nothing(streams: Streams) -> None:
    destination = streams.destination(success_file=True)
    streams.staged(*said(destination, "r"))
    task = done(streams.file_writer)
    before = streams.seen(destination)
    streams.stage.faults.clear()
    assert failed(streams.file_writer.function, task.records) == []
    assert streams.seen(destination) == before
    assert [call for call in streams.stage.faults.calls if call.service == "s3"] == []


def test_two_invocations_that_have_the_same_rows_at_the_same_time_stage_them_once(streams: Streams) -> None:
    destination = streams.destination()
    streams.send(*said(destination, "r"))
    streams.inject(calls_of("PutObject"), refuse(400, "RequestTimeout"))
    records = delivered(streams.stager)

    both = while_one_waits(streams, "TransactWriteItems", streams.stager.function, records[:16], records[8:])

    assert both == ([], [])
    streams.settle(destination)
    assert streams.seen(destination) == Seen(objects={file_of("r"): file("r")})
    assert [run.tally.messages for run in streams.with_rows(destination)] == [MESSAGES]


def test_of_two_that_deliver_a_run_at_the_same_time_one_does(streams: Streams) -> None:
    destination = streams.destination()
    streams.staged(*said(destination, "r"))
    streams.inject(calls_of("GetObject"), refuse(400, "RequestTimeout"))
    [record] = delivered(streams.file_writer)

    both = while_one_waits(streams, "GetObject", streams.file_writer.function, [record], [record])

    assert both == ([], [record["messageId"]])
    assert len(streams.stage.calls("PutObject", containing=f"/{destination}/")) == 1
    streams.settle(destination)
    assert streams.seen(destination) == Seen(objects={file_of("r"): file("r")})


def while_one_waits(
    streams: Streams, action: str, function: Function, first: list[Any], second: list[Any]
) -> tuple[list[str], list[str]]:
    """What two invocations want to have again, the second of which is done while the first is at this call."""
    reached, go_on = Event(), Event()

    def wait(_: Call) -> None:
        reached.set()
        go_on.wait(60)

    streams.inject(calls_of(action), wait)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(failed, function, first)
        assert reached.wait(60)
        try:
            done_meanwhile = failed(function, second)
        finally:
            go_on.set()
        return waiting.result(), done_meanwhile


def delivered(mapping: QueueMapping) -> list[dict[str, Any]]:
    """The records of a batch of which all come back."""
    delivery = mapping.poll_once()
    assert delivery
    assert len(delivery.failed) == len(delivery.records)
    return list(delivery.records)


def failed(function: Function, records: list[dict[str, Any]]) -> list[str]:
    """What a function that is given these records wants to have again."""
    outcome = function.invoke(json.dumps({"Records": records}).encode())
    assert not outcome.failed, outcome.payload
    return [each["itemIdentifier"] for each in json.loads(outcome.payload)["batchItemFailures"]]
