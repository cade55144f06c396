"""What SQS may do with rows and tasks: bring them in another order, bring them twice, bring them to two at once."""

import gzip
import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from functions.core.runs import RunState
from local.faults import calls_of, delay, refuse
from local.function import Function
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
    records = delivered(streams)
    streams.inject(calls_of("TransactWriteItems"), delay(0.2), times=4)

    with ThreadPoolExecutor(2) as pool:
        some = [pool.submit(failed, streams.stager.function, part) for part in (records[:16], records[8:])]
    assert [each.result() for each in some] == [[], []]

    streams.settle(destination)
    assert streams.seen(destination) == Seen(objects={file_of("r"): file("r")})
    assert [run.tally.messages for run in streams.with_rows(destination)] == [MESSAGES]


def test_of_two_that_deliver_a_run_at_the_same_time_one_does(streams: Streams) -> None:
    destination = streams.destination()
    streams.staged(*said(destination, "r"))
    streams.inject(calls_of("AssumeRole"), refuse(500, "InternalFailure"), times=9)
    [record] = delivered(streams, streams.file_writer)
    streams.stage.faults.clear()
    streams.inject(calls_of("GetObject"), delay(2))

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(failed, streams.file_writer.function, [record]) for _ in range(2)]
    comes_back = [each.result() for each in both]

    assert sorted(comes_back) == [[], [record["messageId"]]]
    assert len(streams.stage.calls("PutObject", containing=f"/{destination}/")) == 1
    streams.settle(destination)
    assert streams.seen(destination) == Seen(objects={file_of("r"): file("r")})


def delivered(streams: Streams, to: Any = None) -> list[dict[str, Any]]:
    """The records of a batch of which all come back."""
    delivery = (to or streams.stager).poll_once()
    assert delivery
    assert len(delivery.failed) == len(delivery.records)
    return list(delivery.records)


def failed(function: Function, records: list[dict[str, Any]]) -> list[str]:
    """What a function that is given these records wants to have again."""
    outcome = function.invoke(json.dumps({"Records": records}).encode())
    assert not outcome.failed, outcome.payload
    return [each["itemIdentifier"] for each in json.loads(outcome.payload)["batchItemFailures"]]
