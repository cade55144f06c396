"""What an operator and the clock do to streams: disabled and enabled, mended and sent again, flushed by age."""

import pytest

from functions.core.errors import Code
from functions.core.failures import State
from functions.core.runs import RunState
from local.faults import calls_of, kill, refuse
from tests.system import stream_scenarios as scenarios
from tests.system.stage import NOTHING_WAITS, Seen
from tests.system.stream_scenarios import flush_run, kept_task, run_id
from tests.system.stream_stage import HOUR, Streams, done, end, file_of, lines, rows


def test_runs_of_a_disabled_destination_wait_and_are_delivered_once_it_is_enabled(streams: Streams) -> None:
    name = streams.destination()
    streams.define(name, enabled=False, compression="gzip")
    for run in ("a", "b"):
        streams.staged(rows(name, run, 0, {"of": run}), end(name, run, batches=1))
        done(streams.file_writer)
    for _ in range(2):
        streams.pass_time(HOUR, name)
        assert not streams.stage.tick().failed
    assert streams.waiting() == NOTHING_WAITS
    assert streams.seen(name) == Seen()
    assert {run.state for run in streams.runs.of(name)} == {RunState.SEALED}

    streams.define(name, prefix=f"{name}/elsewhere/")  # what is delivered follows from what was sealed
    assert not streams.stage.tick().failed
    for _ in range(2):
        done(streams.file_writer)
    assert set(streams.objects(name)) == {file_of(run, extension="jsonl.gz") for run in ("a", "b")}
    streams.settle(name)


def test_a_run_that_its_bucket_refuses_is_one_failure_and_delivered_when_it_is_sent_again(
    streams: Streams,
) -> None:
    play = scenarios.by_day(streams)
    done(streams.stager)
    place = calls_of("PutObject", f"{streams.stage.bucket}/{play.destination}/")
    streams.inject(place, refuse(403, "AccessDenied"), nth=2, times=2)
    done(streams.file_writer)
    task = run_id(play.destination, "r")
    first = {"orders/11/0000001.jsonl": play.end.objects["orders/11/0000001.jsonl"]}
    failed = Seen(objects=first, failures=(kept_task(task, Code.MISSING_PERMISSION),))
    assert streams.seen(play.destination) == failed
    assert streams.run(play.destination).state is RunState.FAILED

    streams.pass_time(HOUR, play.destination)
    assert not streams.stage.tick().failed
    assert streams.waiting() == NOTHING_WAITS
    streams.send_again(play.destination)  # nothing is mended yet
    done(streams.file_writer)
    assert streams.seen(play.destination) == failed
    assert streams.failure(play.destination).attempts == 2

    streams.send_again(play.destination)
    done(streams.file_writer)
    resolved = kept_task(task, Code.MISSING_PERMISSION, State.RESOLVED)
    assert streams.seen(play.destination) == Seen(objects=play.end.objects, failures=(resolved,))
    assert streams.run(play.destination).state is RunState.DELIVERED

    streams.send_again(play.destination)
    done(streams.file_writer)
    assert streams.seen(play.destination) == Seen(objects=play.end.objects, failures=(resolved,))


DECLARED = {
    "stream": {"id": "public.orders", "name": "orders", "schema": {"properties": {"n": {"type": "integer"}}}}
}
MENDED = [
    pytest.param({"key_template": "{cursor_day}/{part}"}, {}, Code.BAD_KEY, id="a template"),
    pytest.param({"format": "csv"}, DECLARED, Code.SCHEMA, id="a format"),
]


@pytest.mark.parametrize(("definition", "fields", "code"), MENDED)
def test_a_run_that_its_definition_does_not_fit_is_delivered_by_a_mended_one(
    streams: Streams, definition: dict[str, object], fields: dict[str, object], code: Code
) -> None:
    name = streams.destination(**definition)
    streams.staged(rows(name, "r", 0, {"n": "x"}, **fields), end(name, "r", batches=1))
    done(streams.file_writer)
    streams.define(name)
    streams.send_again(name)  # by the definition that the run was sealed with
    done(streams.file_writer)
    assert streams.seen(name) == Seen(failures=(kept_task(run_id(name, "r"), code),))

    streams.send_again(name, restart=True)
    done(streams.file_writer)
    resolved = kept_task(run_id(name, "r"), code, State.RESOLVED)
    assert streams.seen(name) == Seen(objects={file_of("r"): lines({"n": "x"})}, failures=(resolved,))


def test_a_delivery_that_dies_every_time_is_given_up_and_no_mark_stands_beside_half_of_it(
    streams: Streams,
) -> None:
    play = scenarios.by_day(streams)
    done(streams.stager)
    writer, below = streams.file_writer, f"{streams.stage.bucket}/{play.destination}/orders/1"
    done_file = "orders/11/.r.DONE"
    for action, nth, marked in (("PutObject", 5, True), ("DeleteObject", 1, False), ("PutObject", 1, False)):
        streams.inject(calls_of(action, below), kill(writer.function), nth=nth, when="after")
        delivery = writer.poll_once()
        assert delivery
        assert delivery.outcome.failed
        assert not streams.stage.faults.pending
        assert (done_file in streams.objects(play.destination)) is marked
        streams.pass_time(HOUR, play.destination)
        writer.expire_visibility()
    done(writer)
    task = run_id(play.destination, "r")
    assert streams.seen(play.destination).failures == (kept_task(task, Code.TOO_LARGE),)
    assert done_file not in streams.objects(play.destination)

    streams.send_again(play.destination)
    done(writer)
    resolved = kept_task(task, Code.TOO_LARGE, State.RESOLVED)
    assert streams.seen(play.destination) == Seen(objects=play.end.objects, failures=(resolved,))


def test_a_continuous_stream_becomes_files_by_number_and_by_age_and_never_by_invocation(
    streams: Streams,
) -> None:
    name = streams.destination(flush={"max_records": 6, "max_age_seconds": 2 * HOUR})
    for number in range(4):
        streams.staged(rows(name, f"run-{number // 2}", number, {"n": number}, {"of": name}))
    done(streams.file_writer)
    by_number = b"".join(lines({"n": number}, {"of": name}) for number in range(3))
    expected = {file_of(flush_run(name, 0)): by_number}
    assert streams.objects(name) == expected

    # A repetition of what is in a file is in no other.
    streams.staged(rows(name, "run-0", 0, {"n": 0}, {"of": name}), end(name, "run-1", batches=9))
    for hours in (1, 2):
        assert not streams.stage.tick().failed
        assert streams.waiting() == NOTHING_WAITS
        streams.pass_time(HOUR, name)
        assert hours * HOUR <= 2 * HOUR
    assert not streams.stage.tick().failed
    done(streams.file_writer)
    expected[file_of(flush_run(name, 1))] = lines({"n": 3}, {"of": name})
    assert streams.seen(name) == Seen(objects=expected)
    assert streams.waiting() == NOTHING_WAITS


def test_a_run_without_an_end_is_sealed_by_its_age_or_seen_by_an_alarm(streams: Streams) -> None:
    endless, sealed = streams.destination(), streams.destination(seal_after_seconds=HOUR)
    streams.staged(*(rows(name, "r", 0, {"n": 0}) for name in (endless, sealed)))
    log = streams.planner.settings.log
    before = len(log.read_text()) if log.exists() else 0
    streams.pass_time(2 * HOUR, endless, sealed)
    assert not streams.stage.tick().failed
    done(streams.file_writer)
    assert streams.objects(endless) == {}
    assert streams.objects(sealed) == {file_of("r"): lines({"n": 0})}
    assert '"OldestOpenRunSeconds":[72' in log.read_text()[before:]

    # What comes then is late, the end as well; of the other run it is not.
    late = rows(sealed, "r", 1, {"n": 1})
    ended = end(sealed, "r", batches=1)
    streams.staged(late, ended, rows(endless, "r", 1, {"n": 1}), end(endless, "r", batches=2))
    assert sorted(kept.body for kept in streams.seen(sealed).failures) == sorted(
        [late.encode(), ended.encode()]
    )
    assert {failure.code for failure in streams.stage.failures(sealed)} == {Code.LATE}
    done(streams.file_writer)
    assert streams.seen(endless) == Seen(objects={file_of("r"): lines({"n": 0}, {"n": 1})})
