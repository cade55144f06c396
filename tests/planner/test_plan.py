"""The planner among fakes: what it is time for, what is left alone, and that one run never stops the others."""

from typing import Any

import msgspec
import pytest

from functions.core.errors import Code, Transient
from functions.core.runs import Ending, Run, RunState, new_run, run_of
from functions.core.sealing import AGAIN_SECONDS, GRACE_SECONDS
from functions.planner.plan import Seen
from tests.adapters.telemetry_reading import logged
from tests.core.record_messages import end_body, rows, rows_body
from tests.stream_world import World

SLOW = Transient(Code.THROTTLED, "DynamoDB answered ThrottlingException")
FLUSH = {"max_records": 10, "max_age_seconds": 60}


@pytest.fixture
def world() -> World:
    made = World()
    made.definitions.add()
    return made


def plan(world: World, after: int = 0) -> Seen:
    """Look at everything, so many seconds later."""
    world.clock.now += after
    return world.planner.plan(seconds=60)


def change(world: World, **changes: Any) -> Run:
    changed = world.runs.replace(msgspec.structs.replace(world.run(), **changes))
    assert changed is not None
    return changed


def test_nothing_is_nothing_to_do(world: World) -> None:
    assert plan(world) == Seen(unfinished=0, oldest_seconds=0)


# Sealed runs


def test_a_sealed_run_is_asked_for_again_when_nobody_took_its_task_and_not_before(world: World) -> None:
    world.stage(rows_body(0), end_body(1))
    asked = []
    for after in (GRACE_SECONDS - 1, 1, 0, AGAIN_SECONDS - 1, 1):
        plan(world, after)
        asked.append(len(world.asked()))
    assert asked == [1, 2, 2, 2, 3]
    assert set(world.asked()) == {world.run().id}


def test_a_run_whose_task_was_never_sent_is_asked_for(world: World) -> None:
    world.journal.fail("send", SLOW)
    world.stage(rows_body(0), end_body(1))
    assert world.asked() == []
    plan(world, GRACE_SECONDS)
    assert world.asked() == [world.run().id]


def test_a_run_that_somebody_delivers_is_left_alone_until_the_lease_is_over(world: World) -> None:
    world.stage(rows_body(0), end_body(1))
    until = int(world.clock.now) + 1_000
    change(world, leased_until=until, look_at=until)
    plan(world, 999)
    assert len(world.asked()) == 1
    plan(world, 1)
    assert len(world.asked()) == 2


def test_a_delivered_run_is_not_looked_at(world: World) -> None:
    world.deliver(world.sealed([{"n": 1}]))
    assert plan(world, 10**6) == Seen(unfinished=0, oldest_seconds=0)
    assert len(world.asked()) == 1


def test_a_disabled_destinations_runs_are_left_alone_until_it_is_enabled(world: World) -> None:
    world.stage(rows_body(0), end_body(1))
    world.definitions.add(enabled=False)
    assert plan(world, 10**6) == Seen(unfinished=1, oldest_seconds=0)
    assert len(world.asked()) == 1
    world.definitions.add()
    plan(world)
    assert len(world.asked()) == 2


def test_a_deleted_destinations_runs_are_delivered(world: World) -> None:
    world.stage(rows_body(0), end_body(1))
    world.definitions.deleted.add("acme")
    assert plan(world, 100) == Seen(unfinished=1, oldest_seconds=100)
    assert len(world.asked()) == 2


def test_a_run_that_changes_while_it_is_asked_for_is_not_changed_back(world: World) -> None:
    world.stage(rows_body(0), end_body(1))
    world.journal.before("send", lambda: change(world, lease="other"))
    plan(world, GRACE_SECONDS)
    assert world.run().lease == "other"
    assert world.run().look_at < int(world.clock.now) + AGAIN_SECONDS


# Open runs


def test_a_run_that_never_ends_is_sealed_by_its_age_if_that_is_set(world: World) -> None:
    world.stage(rows_body(0))
    assert plan(world, 59) == Seen(unfinished=1, oldest_seconds=59)
    world.definitions.add(seal_after_seconds=60)
    plan(world)
    assert not world.is_sealed()
    assert plan(world, 1) == Seen(unfinished=1, oldest_seconds=0)
    assert world.is_sealed()
    assert (world.run().version, world.asked()) == (2, [world.run().id])


def test_a_run_that_has_ended_is_sealed_when_whoever_should_have_could_not(world: World) -> None:
    world.journal.fail("tally", SLOW)
    world.stage(rows_body(0), end_body(1))
    assert not world.is_sealed()
    plan(world)
    assert world.is_sealed()


def test_a_run_whose_messages_are_missing_is_told_and_not_sealed(world: World) -> None:
    world.definitions.add(seal_after_seconds=60)
    world.stage(rows_body(0), end_body(2))
    assert plan(world, 10_000) == Seen(unfinished=1, oldest_seconds=10_000)
    assert not world.is_sealed()


def test_a_flush_is_sealed_by_its_age_and_is_nothing_to_worry_about(world: World) -> None:
    world.definitions.add(flush=FLUSH)
    world.stage(rows_body(0))
    assert plan(world, 59) == Seen(unfinished=1, oldest_seconds=0)
    assert not world.is_sealed()
    assert plan(world, 1) == Seen(unfinished=1, oldest_seconds=0)
    assert world.is_sealed()
    assert world.asked() == [world.run().id]


@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_a_flush_is_sealed_when_its_destination_has_none_any_more(world: World, how: str) -> None:
    world.definitions.add(flush=FLUSH)
    world.stage(rows_body(0))
    if how == "deleted":
        world.definitions.deleted.add("acme")
    else:
        world.definitions.add()
    plan(world)
    assert world.is_sealed()


def test_a_run_of_a_deleted_destination_that_has_not_ended_is_left_open(world: World) -> None:
    world.stage(rows_body(0))
    world.definitions.deleted.add("acme")
    plan(world, 10**6)
    assert not world.is_sealed()


def test_a_flush_without_rows_is_left_open(world: World) -> None:
    world.definitions.add(flush=FLUSH)
    world.journal.fail("commit", SLOW)
    world.stage(rows_body(0))
    plan(world, 10**6)
    assert not world.is_sealed()


def test_two_planners_at_once_seal_once(world: World) -> None:
    world.definitions.add(flush=FLUSH)
    world.stage(rows_body(0))
    world.journal.before("seal", lambda: world.planner.plan(seconds=60))
    plan(world, 60)
    assert len(world.asked()) == 1
    assert len(world.all_runs()) == 1


# All of them


def _several(world: World, number: int = 8) -> list[str]:
    """Runs that are to be sealed now."""
    names = []
    for each in range(number):
        message = rows(stream_run_id=str(each))
        run = new_run(message, id=run_of(message), now=0, flush=None)
        world.runs.begin(msgspec.structs.replace(run, ending=Ending(batches=0)))
        names.append(run.id)
    return names


@pytest.mark.parametrize("error", [SLOW, LookupError("s3cr3t")], ids=["foreseen", "unforeseen"])
@pytest.mark.parametrize("deed", ["get run", "tally", "seal", "send", "define"])
def test_one_faulty_run_never_stops_the_others(world: World, deed: str, error: Exception) -> None:
    names = _several(world)
    world.journal.fail(deed, error)
    with logged() as lines:
        assert plan(world).unfinished == 8
    [line] = lines
    assert line["message"] == "run not looked at"
    assert line["run"] in names
    assert "s3cr3t" not in repr(lines)
    assert len(world.asked()) == 7
    plan(world, GRACE_SECONDS)
    assert {run.state for run in world.all_runs()} == {RunState.SEALED}
    assert set(world.asked()) == set(names)


def test_without_time_it_says_so_and_stops(world: World) -> None:
    _several(world)
    with logged() as lines:
        assert world.planner.plan(seconds=0) == Seen()
    assert [(line["message"], line["looked_at"]) for line in lines] == [("out of time", 0)]
    assert world.asked() == []


def test_each_minute_another_shard_comes_first(world: World) -> None:
    names = _several(world, 40)
    world.clock.now = 0
    firsts = set()
    for _ in range(16):
        world.journal.clear()
        plan(world, 60)
        firsts.add(next(about[0] for deed, *about in world.journal if deed == "get run"))
    shards = {name.partition(":")[2][0] for name in names}
    assert {name.partition(":")[2][0] for name in firsts} == shards


def test_what_is_unfinished_and_no_longer_there_is_passed_over(world: World) -> None:
    [name] = _several(world, 1)
    world.runs.forget(name)
    assert plan(world) == Seen(unfinished=1, oldest_seconds=0)


def test_the_oldest_that_waits_is_told(world: World) -> None:
    world.stage(rows_body(0))
    world.clock.now += 50
    world.stage(rows_body(0, stream_run_id="run-2"))
    assert plan(world, 7) == Seen(unfinished=2, oldest_seconds=57)
