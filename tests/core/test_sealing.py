import msgspec
import pytest

from functions.core.definitions.intake import Flush, Intake
from functions.core.runs import Ending, Run, RunState, Tally
from functions.core.sealing import GRACE_SECONDS, due, leased, released, sealed

BEGAN = 1_000_000
RUN = Run(
    id=f"acme:{'0' * 32}",
    connection_id="shop",
    stream_id="orders",
    stream_name="Orders",
    stream_run_id="run-1",
    created_at=BEGAN,
)
FLUSH = msgspec.structs.replace(RUN, flush=3)
STREAMS = Intake(kind="streams")
SOME = Tally(messages=1, rows=1, bytes=1)
MEGABYTE = 1_000_000


def waiting(seconds: int) -> Intake:
    return Intake(kind="streams", seal_after_seconds=seconds)


@pytest.mark.parametrize(
    ("tally", "after", "expected"),
    [
        (Tally(), 10**9, False),
        (SOME, 899, False),
        (SOME, 900, True),
        (Tally(messages=1, bytes=2 * MEGABYTE - 1), 0, False),
        (Tally(messages=1, bytes=2 * MEGABYTE), 0, True),
        (Tally(messages=9, rows=9), 0, False),
        (Tally(messages=1, rows=10), 0, True),
    ],
)
def test_a_flush_is_due_by_its_bytes_its_rows_or_its_age(tally: Tally, after: int, *, expected: bool) -> None:
    intake = Intake(kind="streams", flush=Flush(max_megabytes=2, max_records=10, max_age_seconds=900))
    assert due(FLUSH, tally, intake, now=BEGAN + after) is expected


def test_rows_are_no_limit_unless_they_are_set() -> None:
    tally = Tally(messages=1, rows=10**9)
    assert not due(FLUSH, tally, Intake(kind="streams", flush=Flush()), now=BEGAN)


@pytest.mark.parametrize("intake", [None, STREAMS, Intake(kind="messages")])
def test_a_flush_whose_destination_has_none_any_more_is_due_at_once(intake: Intake | None) -> None:
    assert due(FLUSH, SOME, intake, now=BEGAN)
    assert not due(FLUSH, Tally(), intake, now=BEGAN)


@pytest.mark.parametrize("intake", [None, STREAMS, waiting(60), Intake(kind="streams", flush=Flush())])
def test_a_run_that_has_ended_is_due_when_it_is_complete(intake: Intake | None) -> None:
    run = msgspec.structs.replace(RUN, ending=Ending(batches=2))
    assert not due(run, Tally(messages=1, sequences=1), intake, now=BEGAN + 10**6)
    assert due(run, Tally(messages=2, sequences=1), intake, now=BEGAN)
    assert due(msgspec.structs.replace(RUN, ending=Ending(batches=0)), Tally(), intake, now=BEGAN)


def test_a_run_that_never_ends_is_due_by_its_age_if_that_is_set() -> None:
    assert not due(RUN, SOME, waiting(60), now=BEGAN + 59)
    assert due(RUN, SOME, waiting(60), now=BEGAN + 60)
    assert not due(RUN, Tally(), waiting(60), now=BEGAN + 60)
    for intake in (None, STREAMS):
        assert not due(RUN, SOME, intake, now=BEGAN + 10**9)


def test_a_sealed_run_has_all_that_its_delivery_follows_from() -> None:
    run = sealed(RUN, SOME, version=7, now=50)
    assert (run.state, run.tally, run.version, run.sealed_at) == (RunState.SEALED, SOME, 7, 50)
    assert run.look_at == 50 + GRACE_SECONDS


def test_one_has_the_lease_until_its_time_is_over() -> None:
    mine = leased(RUN, now=100, until=200, lease="a")
    assert mine is not None
    assert (mine.leased_until, mine.lease, mine.attempts) == (200 + GRACE_SECONDS, "a", 1)
    assert mine.look_at == mine.leased_until
    assert leased(mine, now=259, until=500, lease="b") is None
    other = leased(mine, now=260, until=500, lease="b")
    assert other is not None
    assert (other.lease, other.attempts) == ("b", 2)


def test_a_lease_that_is_given_back_is_free_and_no_attempt_was_lost() -> None:
    mine = leased(RUN, now=100, until=200, lease="a")
    assert mine is not None
    free = released(mine, now=110, wait=900)
    assert (free.leased_until, free.lease, free.attempts, free.look_at) == (0, "", 0, 1_010)
    assert leased(free, now=110, until=200, lease="b")
