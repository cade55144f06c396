"""The stager among fakes: what is staged, sealed, repeated, late; and what one message does to the others."""

import json
import time

import msgspec
import pytest

from functions.core.errors import Code, Permanent, Transient
from functions.core.messages import POINTER_CLASS
from functions.core.outcomes import State
from functions.core.runs import Run, RunState, flush_of, run_of, stream_of
from tests.core.record_messages import end_body, rows, rows_body
from tests.memory import MemoryRuns
from tests.message_writer.records import body_of, record
from tests.stream_world import World, again

SLOW = Transient(Code.THROTTLED, "S3 answered SlowDown")
DENIED = Permanent(Code.MISSING_PERMISSION, "S3 answered AccessDenied")
RUN = run_of(rows())
STREAM = stream_of(rows())
STAGED, REPEATED, FAILED, DELAYED = State.STAGED, State.REPEATED, State.FAILED, State.DELAYED


@pytest.fixture
def world() -> World:
    made = World()
    made.definitions.add()
    return made


@pytest.fixture
def continuous() -> World:
    made = World()
    made.definitions.add(flush={"max_megabytes": 1, "max_records": 4, "max_age_seconds": 60})
    return made


# Runs that a message ends


def test_a_batch_is_one_object_and_a_complete_run_is_sealed(world: World) -> None:
    assert world.states(rows_body(1), end_body(2, 2), rows_body(0)) == [STAGED] * 3
    [key] = world.bucket.objects
    assert key.startswith("parts/")
    assert world.bucket.objects[key].content.type == "application/x-ndjson"
    run = world.run()
    assert (run.id, run.state, run.version, run.sealed_at) == (RUN, RunState.SEALED, 1, int(world.clock.now))
    assert world.rows(run) == [b'{"n":0}', b'{"n":1}']
    assert world.asked() == [RUN]


def test_rows_are_durable_before_they_are_committed_and_the_task_is_sent_last(world: World) -> None:
    world.stage(rows_body(0), end_body(1))
    deeds = [deed for deed in world.journal.deeds() if deed in {"put", "begin", "commit", "seal", "send"}]
    assert deeds == ["put", "begin", "commit", "seal", "send"]


@pytest.mark.parametrize(
    "order",
    [
        [end_body(3), rows_body(0), rows_body(1), rows_body(2)],
        [rows_body(2), rows_body(1), end_body(3), rows_body(0)],
        [rows_body(0), rows_body(0), end_body(3), end_body(3), rows_body(2), rows_body(2), rows_body(1)],
    ],
)
def test_a_run_is_sealed_when_all_are_there_and_not_before(world: World, order: list[str]) -> None:
    for body in order[:-1]:
        world.stage(body)
        assert not world.is_sealed()
    world.stage(order[-1])
    assert world.is_sealed()
    assert world.rows(world.run()) == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert world.asked() == [RUN]


def test_a_run_without_rows_is_sealed(world: World) -> None:
    assert world.states(end_body(0, 0)) == [STAGED]
    assert world.is_sealed()
    assert world.bucket.objects == {}
    assert world.rows(world.run()) == []


def test_messages_without_rows_count(world: World) -> None:
    world.stage(rows_body(0, []), rows_body(1), end_body(2))
    assert world.is_sealed()
    assert world.rows(world.run()) == [b'{"n":1}']


def test_sequences_beyond_the_end_are_not_taken_for_those_that_are_missing(world: World) -> None:
    world.stage(end_body(3), rows_body(0), rows_body(1), rows_body(5))
    assert not world.is_sealed()
    world.stage(rows_body(2))
    assert world.is_sealed()
    assert world.run().tally.messages == 4


def test_a_message_that_comes_again_is_staged_once(world: World) -> None:
    assert world.states(rows_body(0), rows_body(1)) == [STAGED, STAGED]
    assert world.states(rows_body(0), rows_body(2), rows_body(1)) == [REPEATED, STAGED, REPEATED]
    world.stage(end_body(3))
    assert world.rows(world.run()) == [b'{"n":0}', b'{"n":1}', b'{"n":2}']


def test_of_a_sequence_that_is_twice_in_a_batch_the_first_is_staged(world: World) -> None:
    assert world.states(rows_body(0), rows_body(0, [{"other": 1}]), rows_body(0)) == [
        STAGED,
        REPEATED,
        REPEATED,
    ]
    world.stage(end_body(1))
    assert world.rows(world.run()) == [b'{"n":0}']


def test_a_sequence_is_the_same_whatever_else_its_message_says(world: World) -> None:
    cursors = [rows_body(0, cursor=f"202{year}-01-01T00:00:00Z") for year in range(3)]
    assert world.states(*cursors) == [STAGED, REPEATED, REPEATED]


def test_what_comes_after_the_seal_is_late_and_kept(world: World) -> None:
    world.stage(rows_body(0), end_body(1))
    late, *others = world.stage(rows_body(1), rows_body(0), end_body(1))
    assert late is not None
    assert (late.state, late.code, late.connection) == (FAILED, Code.LATE, "acme")
    assert [outcome and outcome.state for outcome in others] == [REPEATED, REPEATED]
    [kept] = world.failures.kept.values()
    assert kept.record.body == rows_body(1)
    assert world.rows(world.run()) == [b'{"n":0}']


def test_an_end_after_a_seal_by_age_is_late(world: World) -> None:
    world.definitions.add(seal_after_seconds=60)
    world.stage(rows_body(0))
    world.clock.now += 60
    world.planner.plan(seconds=60)
    assert world.is_sealed()
    [outcome] = world.stage(end_body(1))
    assert outcome is not None
    assert outcome.code is Code.LATE


def test_an_end_whose_record_was_lost_before_a_seal_by_age_is_late(world: World) -> None:
    world.definitions.add(seal_after_seconds=60)
    world.journal.fail("replace", SLOW)
    assert world.states(rows_body(0), end_body(1)) == [DELAYED, DELAYED]
    world.clock.now += 60
    world.planner.plan(seconds=60)
    assert world.states(rows_body(0), end_body(1)) == [REPEATED, FAILED]


@pytest.mark.parametrize("other", [end_body(2), end_body(1, 7)])
def test_an_end_that_says_something_else_than_the_one_before_is_a_failure(world: World, other: str) -> None:
    world.stage(end_body(1))
    [outcome] = world.stage(other)
    assert outcome is not None
    assert (outcome.state, outcome.code) == (FAILED, Code.BAD_MESSAGE)
    assert not world.is_sealed()
    world.stage(rows_body(0))
    assert world.is_sealed()


def test_ends_of_one_batch_that_contradict_each_other_are_not_both_done(world: World) -> None:
    assert world.states(end_body(1), end_body(2), end_body(1)) == [STAGED, FAILED, REPEATED]
    assert world.failures.kept


def test_an_end_that_comes_again_is_repeated(world: World) -> None:
    assert world.states(end_body(1, 1), end_body(1, 1)) == [STAGED, REPEATED]
    assert world.states(end_body(1, 1)) == [REPEATED]


def test_an_end_is_recorded_though_the_first_attempt_was_cut_off(world: World) -> None:
    world.journal.fail("replace", SLOW)
    assert world.states(rows_body(0), end_body(1)) == [DELAYED, DELAYED]
    assert world.states(rows_body(0), end_body(1)) == [REPEATED, REPEATED]
    assert world.is_sealed()


def test_a_run_that_others_change_all_the_time_is_put_off(world: World) -> None:
    class Busy(MemoryRuns):
        """Says that somebody was before us."""

        def replace(self, run: Run) -> Run | None:
            return None if run.ending else super().replace(run)

    world.stager = world.new_stager(runs=Busy(world.journal))
    assert world.states(end_body(1)) == [DELAYED]


def test_an_end_whose_run_has_just_gone_is_put_off(world: World) -> None:
    world.journal.before("get run", lambda: world.runs.forget(RUN))
    assert world.states(end_body(1)) == [DELAYED]


# Continuous streams


@pytest.mark.parametrize(
    ("bodies", "sealed"),
    [
        ([rows_body(each) for each in range(3)], False),
        ([rows_body(each) for each in range(4)], True),
        ([rows_body(0, [{}] * 4)], True),
        ([rows_body(0, [{"x": "y" * 999_980}])], False),
        ([rows_body(0, [{"x": "y" * 1_000_000}])], True),
    ],
)
def test_a_flush_is_sealed_by_its_rows_or_its_bytes(
    continuous: World, bodies: list[str], *, sealed: bool
) -> None:
    continuous.stage(*bodies)
    assert continuous.is_sealed() is sealed
    assert len(continuous.asked()) == sealed


def test_a_flush_is_sealed_by_its_age(continuous: World) -> None:
    continuous.stage(rows_body(0))
    continuous.clock.now += 59
    continuous.stage(rows_body(1))
    assert not continuous.is_sealed()
    continuous.clock.now += 1
    continuous.stage(rows_body(2))
    assert continuous.is_sealed()


def test_after_a_seal_rows_go_into_the_next_flush_and_what_was_there_is_known(continuous: World) -> None:
    continuous.stage(*(rows_body(each) for each in range(4)))
    assert continuous.states(rows_body(4), rows_body(0)) == [STAGED, REPEATED]
    first, second = continuous.all_runs()
    assert (first.id, second.id) == (flush_of(STREAM, 0), flush_of(STREAM, 1))
    assert (first.state, second.state) == (RunState.SEALED, RunState.OPEN)
    assert continuous.rows(second) == [b'{"n":4}']
    assert first.stream_run_id != second.stream_run_id


def test_many_invocations_are_one_file(continuous: World) -> None:
    for number in range(3):
        continuous.stage(rows_body(number))
    assert len(continuous.all_runs()) == 1


def test_rows_of_a_continuous_stream_need_neither_run_nor_sequence(continuous: World) -> None:
    body = rows_body(None, [{"n": 1}], stream_run_id=None)
    first, second = record(body), record(body)
    assert continuous.states(first, second, first) == [STAGED, STAGED, REPEATED]
    assert continuous.states(second) == [REPEATED]


def test_an_end_of_a_continuous_stream_ends_nothing(continuous: World) -> None:
    assert continuous.states(end_body(1)) == [STAGED]
    assert continuous.all_runs() == []


def test_a_seal_that_comes_between_takes_the_rows_to_the_next_flush(continuous: World) -> None:
    continuous.stage(rows_body(0))
    continuous.clock.now += 60

    continuous.journal.before("commit", lambda: continuous.planner.plan(seconds=60))
    assert continuous.states(rows_body(1), rows_body(0)) == [STAGED, REPEATED]
    first, second = continuous.all_runs()
    assert (continuous.rows(first), continuous.rows(second)) == ([b'{"n":0}'], [b'{"n":1}'])


# What one message does to the others


def _pointer(key: str = "payloads/1", bucket: str = "data") -> str:
    return json.dumps([POINTER_CLASS, {"s3BucketName": bucket, "s3Key": key}])


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("", Code.BAD_MESSAGE),
        ("s3cr3t", Code.BAD_MESSAGE),
        (body_of(), Code.BAD_MESSAGE),
        (rows_body(destination_id="nobody"), Code.BAD_MESSAGE),
        (rows_body(destination_id="letters"), Code.BAD_MESSAGE),
        (rows_body(destination_id="broken"), Code.BAD_DEFINITION),
        (rows_body(destination_id="😀" * 1_024), Code.BAD_MESSAGE),
        (rows_body(destination_id="../acme\x00"), Code.BAD_MESSAGE),
        (rows_body(None), Code.BAD_MESSAGE),
        (rows_body(0, [1]), Code.BAD_MESSAGE),
        (_pointer("payloads/absent"), Code.MISSING_FILE),
        (_pointer(bucket="other"), Code.BAD_MESSAGE),
        ('["s3cr3t"]', Code.BAD_MESSAGE),
        ("\ud83d", Code.BAD_MESSAGE),
    ],
    ids=repr,
)
def test_a_bad_message_is_kept_and_the_others_of_its_batch_are_staged(
    world: World, bad: str, code: Code
) -> None:
    world.definitions.add("letters", kind="messages", format=None)
    world.definitions.add("broken", flush={"max_megabytes": "s3cr3t"})
    first, failed, last = world.stage(rows_body(0), record(bad), rows_body(1))
    assert failed is not None
    assert (failed.state, failed.code) == (FAILED, code)
    assert "s3cr3t" not in failed.text
    assert failed.text.isprintable()
    assert [first and first.state, last and last.state] == [STAGED, STAGED]
    [kept] = world.failures.kept.values()
    assert kept.record.body == bad


def test_a_row_that_is_too_large_is_a_failure(world: World) -> None:
    [outcome] = world.stage(rows_body(0, [{"x": "y" * (32 * 1024 * 1024)}]))
    assert outcome is not None
    assert (outcome.state, outcome.code) == (FAILED, Code.TOO_LARGE)


def test_a_destination_of_another_kind_is_told_by_its_queue(world: World) -> None:
    world.definitions.add("letters", kind="messages", format=None)
    [outcome] = world.stage(rows_body(destination_id="letters"))
    assert outcome is not None
    assert "the queue of messages" in outcome.text


def test_a_body_that_sqs_did_not_take_is_fetched(world: World) -> None:
    world.payloads.bodies["payloads/1"] = rows_body(0, [{"x": "y" * 2_000_000}]).encode()
    world.payloads.bodies["payloads/2"] = end_body(1).encode()
    assert world.states(_pointer(), _pointer("payloads/2")) == [STAGED, STAGED]
    assert world.is_sealed()
    assert world.payloads.held == 0


def test_rows_that_are_too_many_to_be_held_at_once_are_several_objects(world: World) -> None:
    large = "y" * 22_000_000
    for number in range(4):
        world.payloads.bodies[f"payloads/{number}"] = rows_body(number, [{"x": large}]).encode()
    pointers = [_pointer(f"payloads/{number}") for number in range(4)]
    assert world.states(*pointers, pointers[0], end_body(4)) == [*[STAGED] * 4, REPEATED, STAGED]
    assert sorted(each.body.count(b"\n") for each in world.bucket.objects.values()) == [2, 3]
    assert world.is_sealed()
    assert [len(line) for line in world.rows(world.run())] == [22_000_008] * 4


def test_what_cannot_be_read_now_is_put_off_alone(world: World) -> None:
    world.payloads.bodies["payloads/1"] = rows_body(1).encode()
    world.journal.fail("read", SLOW)
    assert world.states(rows_body(0), _pointer(), rows_body(2)) == [STAGED, DELAYED, STAGED]


def test_a_definition_that_cannot_be_read_now_puts_its_messages_off(world: World) -> None:
    world.journal.fail("define", SLOW)
    assert world.states(rows_body(0), rows_body(1)) == [DELAYED, STAGED]


def test_an_object_that_cannot_be_written_puts_all_of_it_off(world: World) -> None:
    world.journal.fail("put", SLOW)
    assert world.states(rows_body(0), "bad", rows_body(1)) == [DELAYED, FAILED, DELAYED]
    world.journal.fail("put", DENIED)
    assert world.states(rows_body(0), rows_body(1)) == [DELAYED, DELAYED]
    assert world.all_runs() == []


@pytest.mark.parametrize("deed", ["begin", "commit"])
@pytest.mark.parametrize("error", [SLOW, LookupError("s3cr3t")], ids=["foreseen", "unforeseen"])
def test_a_part_that_cannot_be_committed_puts_off_its_messages_alone(
    world: World, deed: str, error: Exception
) -> None:
    world.journal.fail(deed, error)
    outcomes = world.stage(rows_body(0), rows_body(0, stream_run_id="run-2"), rows_body(1))
    states = [outcome.state for outcome in outcomes if outcome]
    assert sorted(states) in ([DELAYED, DELAYED, STAGED], [DELAYED, STAGED, STAGED])
    assert states[0] == states[2]
    assert "s3cr3t" not in repr(outcomes)


@pytest.mark.parametrize("deed", ["tally", "seal", "send"])
def test_a_seal_that_fails_now_keeps_no_message_from_being_staged(world: World, deed: str) -> None:
    world.journal.fail(deed, SLOW)
    assert world.states(rows_body(0), end_body(1)) == [STAGED, STAGED]
    assert world.asked() == []
    world.clock.now += 61
    world.planner.plan(seconds=60)
    world.planner.plan(seconds=60)
    assert world.asked() == [RUN]


@pytest.mark.parametrize("error", [SLOW, DENIED], ids=["transient", "permanent"])
def test_a_failure_that_cannot_be_kept_comes_back_alone(world: World, error: Exception) -> None:
    world.journal.fail("keep", error)
    assert world.states(rows_body(0), "bad", rows_body(1)) == [STAGED, DELAYED, STAGED]
    world.stage(rows_body(2), end_body(3))
    world.journal.fail("keep", error)
    assert world.states(rows_body(0), rows_body(7), rows_body(8)) == [REPEATED, DELAYED, FAILED]


def test_a_retry_that_is_staged_resolves_its_failure(world: World) -> None:
    failure = f"acme:{'0' * 32}"
    other = f"other:{'0' * 32}"
    assert world.states(again(rows_body(0), failure), again(rows_body(1), other)) == [STAGED, STAGED]
    assert world.failures.resolved == [failure]


def test_a_retry_that_fails_again_is_the_same_failure(world: World) -> None:
    [outcome] = world.stage("bad")
    assert outcome is not None
    assert outcome.failure is not None
    world.stage(again("bad", outcome.failure))
    assert list(world.failures.kept) == [outcome.failure]


def test_a_late_message_is_one_failure_however_often_it_comes(world: World) -> None:
    world.stage(rows_body(0), end_body(1))
    for _ in range(3):
        world.stage(rows_body(1))
    assert len(world.failures.kept) == 1


@pytest.mark.parametrize("bodies", [[rows_body(0)], [rows_body(0), rows_body(0)]])
def test_a_resolution_that_cannot_be_recorded_puts_off_what_it_concerns(
    world: World, bodies: list[str]
) -> None:
    failure = f"acme:{'0' * 32}"
    world.journal.fail("resolve", SLOW)
    states = world.states(rows_body(1), *bodies[:-1], again(bodies[-1], failure), rows_body(2))
    assert states == [STAGED, *[STAGED] * (len(bodies) - 1), DELAYED, STAGED]


def test_a_delay_that_cannot_be_asked_for_is_no_loss(world: World) -> None:
    world.journal.fail("put", SLOW)
    world.journal.fail("delay", SLOW)
    [outcome] = world.stage(rows_body(0))
    assert outcome is not None
    assert outcome.state is DELAYED
    assert "could not be delayed" in outcome.text


# Time


def test_without_time_nothing_is_begun(world: World) -> None:
    assert world.stage(rows_body(0), rows_body(1), seconds=0) == [None, None]
    assert world.journal == []


def test_when_the_time_is_over_what_is_not_committed_comes_back(world: World) -> None:
    world.journal.before("put", lambda: time.sleep(0.3))
    assert world.stage(rows_body(0), seconds=0.2) == [None]
    assert world.all_runs() == []
    assert world.states(rows_body(0)) == [STAGED]


def test_an_empty_batch_does_nothing(world: World) -> None:
    assert world.stage() == []
    assert world.journal == []


# More than one of everything


def test_runs_of_one_batch_are_kept_apart(world: World) -> None:
    world.definitions.add("acme-2")
    bodies = [
        rows_body(0, [{"of": f"{destination} {run}"}], destination_id=destination, stream_run_id=run)
        for destination in ("acme", "acme-2")
        for run in ("a", "b")
    ]
    ends = [
        end_body(1, destination_id=destination, stream_run_id=run)
        for destination in ("acme", "acme-2")
        for run in ("a", "b")
    ]
    assert world.states(*bodies, *ends) == [STAGED] * 8
    found = {
        (run.destination, run.stream_run_id): world.rows(run)
        for name in ("acme", "acme-2")
        for run in world.all_runs(name)
    }
    assert found == {
        (name, run): [f'{{"of":"{name} {run}"}}'.encode()] for name in ("acme", "acme-2") for run in "ab"
    }
    assert len(world.asked()) == 4
    assert len(world.bucket.objects) == 1


def test_more_messages_than_a_transaction_takes_are_several_parts(world: World) -> None:
    assert set(world.states(*map(rows_body, range(250)), end_body(250, 250))) == {STAGED}
    assert len(world.runs.parts(RUN)) == 3
    assert world.is_sealed()
    assert [json.loads(line)["n"] for line in world.rows(world.run())] == list(range(250))


def test_a_stager_that_has_met_very_many_runs_forgets_the_first(world: World) -> None:
    for start in range(0, 10_002, 3_334):
        bodies = [rows_body(0, [], stream_run_id=str(each)) for each in range(start, start + 3_334)]
        assert set(world.states(*bodies)) == {STAGED}
    for number in ("0", "10001"):
        assert world.states(rows_body(1, stream_run_id=number)) == [STAGED]
    begun = [run for deed, run, *_ in world.journal if deed == "begin"]
    assert [begun.count(run_of(rows(stream_run_id=number))) for number in ("0", "10001")] == [2, 1]


def test_a_message_that_is_held_twice_by_sqs_is_known_by_another_stager(world: World) -> None:
    twice = msgspec.structs.replace(record(rows_body(0)), receives=2)
    assert world.states(twice) == [STAGED]
    world.stager = world.new_stager()
    assert world.states(twice) == [REPEATED]
