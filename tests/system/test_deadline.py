"""A function that has too little time: it says what it could not do before Lambda ends it, or is repeated whole."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from local.calls import Call
from local.faults import Effect, Fault, calls_of, delay
from local.function import Function
from tests.system.stage import NOTHING_WAITS, Seen, Stage, enveloped, message, staged

TIMEOUT_SECONDS = 5
"""Less than can be deployed; three seconds of it are kept for the answer."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hurried_stage() -> Iterator[Stage]:
    with staged("sluice-hurried", timeout=TIMEOUT_SECONDS) as stage:
        yield stage


@pytest.fixture
def hurried(hurried_stage: Stage) -> Iterator[Stage]:
    hurried_stage.tidy()
    yield hurried_stage
    hurried_stage.tidy()


def stall(function: Function) -> Effect:
    """Stop the function's processes as a host does that stalls: no thread of them goes on."""

    def effect(_: Call) -> None:
        for sandbox in function._busy:  # noqa: SLF001 - nobody else needs a door to it
            os.kill(sandbox._process.pid, signal.SIGSTOP)  # noqa: SLF001 - as above

    return effect


def test_what_cannot_be_finished_is_reported_before_lambda_ends_the_function(hurried: Stage) -> None:
    hurried.deliver(message(hurried.destination(), "warm"))
    destination = hurried.destination()
    ids = [f"{number:03d}" for number in range(120)]
    sent = dict(zip(hurried.send(*(message(destination, each) for each in ids)), ids, strict=True))
    slow = Fault(on=calls_of("PutObject", f"{hurried.bucket}/{destination}/"), effect=delay(0.8), times=120)
    hurried.faults.inject(slow)

    started = time.monotonic()
    delivery = hurried.poll()

    assert time.monotonic() - started < TIMEOUT_SECONDS
    assert not delivery.outcome.failed
    assert 0 < len(delivery.failed) < len(ids)
    finished = {name for message_id, name in sent.items() if message_id not in delivery.failed}
    assert finished <= set(hurried.objects(destination))
    assert "out of time" in hurried.log()

    hurried.faults.clear()
    assert not hurried.redeliver().failed
    assert hurried.seen(destination) == Seen(objects={each: enveloped(each) for each in ids})
    assert hurried.waiting() == NOTHING_WAITS


def test_a_function_that_takes_too_long_is_ended_and_the_whole_batch_comes_again(hurried: Stage) -> None:
    destination = hurried.destination()
    hurried.send(*(message(destination, each) for each in "abc"))
    place = calls_of("PutObject", f"{hurried.bucket}/{destination}/")
    hurried.faults.inject(Fault(on=place, nth=2, when="after", effect=stall(hurried.writer)))

    first = hurried.poll()

    assert b"timed out" in first.outcome.payload
    assert len(first.failed) == 3
    assert not hurried.faults.pending
    assert not hurried.redeliver().failed
    assert hurried.seen(destination) == Seen(objects={each: enveloped(each) for each in "abc"})
    assert hurried.waiting() == NOTHING_WAITS
