"""AWS refuses, stumbles, is slow or away: streams wait for it, and nothing of them is lost or doubled."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from functions.core.errors import Code
from functions.core.runs import RunState
from local.faults import Effect, calls_of, delay, hang_up, refuse
from local.function import Function
from local.mappings import Mapping as QueueMapping
from tests.system import stream_scenarios as scenarios
from tests.system.stage import NOTHING_WAITS, Seen
from tests.system.stream_scenarios import kept_task, run_id
from tests.system.stream_stage import Streams, done

MANY = 1000

PASSING = [
    pytest.param(refuse(503, "SlowDown"), "before", id="503"),
    pytest.param(hang_up(), "before", id="closed before S3 wrote"),
    pytest.param(hang_up(), "after", id="closed after S3 wrote"),
]


@pytest.mark.parametrize(("effect", "when"), PASSING)
def test_what_happens_to_one_request_is_seen_by_nobody(streams: Streams, effect: Effect, when: Any) -> None:
    play = scenarios.by_day(streams)
    streams.inject(calls_of("PutObject", streams.stage.cloud.outputs["DataBucket"]), effect, when=when)
    streams.inject(calls_of("GetObject"), effect, when=when, nth=2)
    streams.inject(calls_of("PutObject", streams.stage.bucket), effect, when=when, nth=3)
    done(streams.stager)
    done(streams.file_writer)
    assert not streams.stage.faults.pending
    assert streams.seen(play.destination) == play.end
    assert streams.waiting() == NOTHING_WAITS


LASTING = [
    pytest.param("PutObject", refuse(503, "SlowDown"), id="S3, which is too busy"),
    pytest.param("AssumeRole", refuse(500, "InternalFailure"), id="STS"),
    pytest.param("Query", refuse(400, "InternalServerError"), id="the ledger"),
]


@pytest.mark.parametrize(("action", "effect"), LASTING)
def test_a_delivery_waits_for_what_is_away(streams: Streams, action: str, effect: Effect) -> None:
    if action == "AssumeRole":
        streams.file_writer.function.close()  # who has a role's credentials does not ask for them
    play = scenarios.by_day(streams)
    done(streams.stager)
    streams.inject(calls_of(action), effect, times=MANY)
    delivery = streams.file_writer.poll_once()
    assert delivery
    assert len(delivery.failed) == 1
    assert streams.seen(play.destination) == Seen()
    run = streams.run(play.destination)
    assert (run.state, run.lease, run.attempts) == (RunState.SEALED, "", 0)
    [put_off] = streams.stage.calls("ChangeMessageVisibility")
    assert put_off.parameters["VisibilityTimeout"] == 30

    streams.stage.faults.clear()
    streams.file_writer.expire_visibility()
    done(streams.file_writer)
    assert streams.seen(play.destination) == play.end
    assert streams.waiting() == NOTHING_WAITS


STAGING = [
    pytest.param("PutObject", refuse(400, "RequestTimeout"), id="our own bucket"),
    pytest.param("GetItem", refuse(400, "AccessDeniedException"), id="definitions"),
    pytest.param("TransactWriteItems", refuse(400, "AccessDeniedException"), id="the ledger"),
]


@pytest.mark.parametrize(("action", "effect"), STAGING)
def test_rows_wait_for_what_is_away(streams: Streams, action: str, effect: Effect) -> None:
    play = scenarios.nightly(streams)
    streams.inject(calls_of(action), effect, times=MANY)
    delivery = streams.stager.poll_once()
    assert delivery
    assert not delivery.outcome.failed
    assert len(delivery.failed) == len(delivery.records)
    streams.stage.faults.clear()
    streams.settle(play.destination)
    assert streams.seen(play.destination) == play.end


@contextmanager
def hurried(mapping: QueueMapping, *, seconds: int) -> Iterator[QueueMapping]:
    """A mapping whose function has another time to live, for a while."""
    patient, mapping.function = (
        mapping.function,
        Function(dataclasses.replace(mapping.function.settings, timeout=seconds)),
    )
    try:
        yield mapping
    finally:
        mapping.function.close()
        mapping.function = patient


def test_a_run_that_cannot_be_written_in_time_is_a_failure(streams: Streams) -> None:
    play = scenarios.by_day(streams)
    done(streams.stager)
    streams.inject(calls_of("GetObject"), delay(1.5))
    with hurried(streams.file_writer, seconds=31) as writer:  # 30 of them are for the answer
        done(writer)
    failed = (kept_task(run_id(play.destination, "r"), Code.TOO_LARGE),)
    assert streams.seen(play.destination) == Seen(failures=failed)


def test_rows_that_cannot_be_staged_in_time_come_back(streams: Streams) -> None:
    play = scenarios.nightly(streams)
    streams.inject(calls_of("TransactWriteItems"), delay(2), nth=2)
    with hurried(streams.stager, seconds=4) as stager:  # three of them are for the answer
        delivery = stager.poll_once()
    assert delivery
    assert not delivery.outcome.failed
    assert len(delivery.failed) == len(delivery.records)
    streams.settle(play.destination)
    assert streams.seen(play.destination) == play.end
