"""The file writer among fakes: what a sealed run becomes, who may deliver it, and what is kept of what fails."""

import json
from typing import Any

import msgspec
import pytest

from functions.core.errors import Code, Permanent, Transient
from functions.core.outcomes import State
from functions.core.runs import Run, RunState, run_of
from functions.core.sealing import AGAIN_SECONDS, GRACE_SECONDS, MAX_LOST
from functions.core.tasks import run_task
from tests.core.record_messages import end_body, rows, rows_body
from tests.message_writer.records import record
from tests.stream_world import LONG, World

SLOW = Transient(Code.THROTTLED, "S3 answered SlowDown")
DENIED = Permanent(Code.MISSING_PERMISSION, "S3 answered AccessDenied")
RUN = run_of(rows())
STARTED = "2025-04-14T11:23:45Z"
KEY = "Orders/2025_04_14/run-1_0000001.jsonl"


@pytest.fixture
def world() -> World:
    made = World()
    made.definitions.add()
    return made


def sealed(world: World, *records: Any, **fields: Any) -> Run:
    return world.sealed(*(records or ([{"n": 1}, {"n": 2}], [{"n": 3}])), started_at=STARTED, **fields)


def stored(world: World) -> Run:
    found = world.runs.get(RUN)
    assert found is not None
    return found


def set_run(world: World, **changes: Any) -> Run:
    changed = world.runs.replace(msgspec.structs.replace(stored(world), **changes))
    assert changed is not None
    return changed


def test_a_sealed_run_becomes_its_file(world: World) -> None:
    outcome = world.deliver(sealed(world))
    assert (outcome.state, outcome.connection, outcome.size) == (State.DELIVERED, "acme", 24)
    assert world.files() == {KEY: b'{"n":1}\n{"n":2}\n{"n":3}\n'}
    run = stored(world)
    assert (run.state, run.files, run.file_bytes, run.keys) == (RunState.DELIVERED, 1, 24, (KEY,))
    assert (run.done_at, run.leased_until, run.lease, run.attempts) == (int(world.clock.now), 0, "", 0)
    assert list(world.runs.unfinished()) == []


def test_objects_say_what_they_are_and_have_what_the_definition_says(world: World) -> None:
    world.definitions.add(
        format="csv",
        compression="gzip",
        storage_class="GLACIER",
        metadata={"team": "größe"},
        prefix="in/",
        content_encoding=True,
    )
    world.deliver(sealed(world))
    [(key, kept)] = world.destinations.buckets["acme"].objects.items()
    assert key == "in/Orders/2025_04_14/run-1_0000001.csv.gz"
    assert (kept.storage_class, kept.content.type) == ("GLACIER", "text/csv; charset=utf-8")
    assert kept.content.encoding == "gzip"
    assert kept.metadata == {"team": "=?utf-8?b?Z3LDtsOfZQ==?="}


def test_a_repeated_task_of_a_delivered_run_writes_nothing(world: World) -> None:
    run = sealed(world)
    world.deliver(run)
    world.destinations.buckets["acme"].objects.clear()
    assert world.deliver(run).state is State.REPEATED
    assert world.files() == {}


@pytest.mark.parametrize("state", [RunState.OPEN, RunState.DELIVERED, RunState.FAILED, RunState.SKIPPED])
def test_only_a_sealed_run_is_delivered(world: World, state: RunState) -> None:
    sealed(world)
    run = set_run(world, state=state)
    assert world.deliver(run).state is State.REPEATED
    assert world.files() == {}


def test_a_run_without_rows_is_an_empty_file(world: World) -> None:
    world.stage(end_body(0, 0, started_at=STARTED))
    assert world.deliver(stored(world)).state is State.DELIVERED
    [(key, body)] = world.files().items()
    assert (key, body) == (KEY, b"")


def test_marks_come_after_the_objects(world: World) -> None:
    world.definitions.add(success_file=True, manifest=True, key_template="{cursor_year}/{part}.{extension}")
    for number, year in enumerate(("2025", "2026")):
        world.stage(rows_body(number, cursor=f"{year}-01-01T00:00:00Z"))
    world.stage(end_body(2))
    world.journal.clear()
    assert world.deliver(stored(world)).state is State.DELIVERED
    written = [about[0] for deed, *about in world.journal if deed == "put" and "parts/" not in about[0]]
    assert written == [
        "2025/0000001.jsonl",
        "2026/0000002.jsonl",
        "2025/_run-1_manifest.json",
        "2025/.run-1.DONE",
    ]
    manifest = json.loads(world.files()["2025/_run-1_manifest.json"])
    assert [each["key"] for each in manifest["objects"]] == ["2025/0000001.jsonl", "2026/0000002.jsonl"]
    assert stored(world).files == 2


def test_columns_are_those_that_were_declared(world: World) -> None:
    world.definitions.add(format="csv")
    schema = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "integer"}}}
    stream = {"id": "orders", "name": "Orders", "schema": schema}
    world.deliver(sealed(world, [{"a": 1}], stream=stream))
    assert world.files() == {KEY.replace("jsonl", "csv"): b"b,a\n,1\n"}


# The definition


def test_a_run_is_delivered_by_the_definition_that_it_was_sealed_by(world: World) -> None:
    run = sealed(world)
    world.definitions.add(prefix="new/")
    world.deliver(run)
    assert list(world.files()) == [KEY]


def test_a_run_of_a_destination_that_is_deleted_is_delivered_all_the_same(world: World) -> None:
    run = sealed(world)
    world.definitions.deleted.add("acme")
    assert world.deliver(run).state is State.DELIVERED


def test_a_run_of_a_destination_that_is_now_of_another_kind_is_delivered_all_the_same(world: World) -> None:
    run = sealed(world)
    world.definitions.add(kind="messages", format=None)
    assert world.deliver(run).state is State.DELIVERED


def test_a_disabled_destinations_run_waits(world: World) -> None:
    run = sealed(world)
    world.definitions.add(enabled=False)
    assert world.deliver(run).state is State.HELD
    assert stored(world) == run
    assert world.files() == {}
    world.definitions.add()
    assert world.deliver(run).state is State.DELIVERED


# Leases


def test_a_run_that_somebody_else_delivers_comes_back(world: World) -> None:
    run = sealed(world)
    set_run(world, leased_until=int(world.clock.now) + 100, lease="other", attempts=1)
    assert world.deliver(run).state is State.DELAYED
    assert world.files() == {}
    world.clock.now += 100
    assert world.deliver(run).state is State.DELIVERED


def test_the_lease_outlives_the_invocation(world: World) -> None:
    run = sealed(world)
    seen: list[Run] = []
    world.journal.before("put", lambda: seen.append(stored(world)))
    world.deliver(run, seconds=100)
    [leased] = seen
    assert leased.leased_until == leased.look_at == int(world.clock.now) + 100 + GRACE_SECONDS
    assert (leased.attempts, bool(leased.lease)) == (1, True)


def test_a_delivery_that_lost_its_lease_does_not_say_that_it_is_done(world: World) -> None:
    run = sealed(world)
    world.journal.before("put", lambda: set_run(world, lease="other"))
    assert world.deliver(run).state is State.DELAYED
    assert (stored(world).state, stored(world).lease) == (RunState.SEALED, "other")
    assert list(world.files()) == [KEY]


def test_who_comes_second_to_a_lease_comes_back(world: World) -> None:
    run = sealed(world)
    world.journal.before("define", lambda: set_run(world, look_at=1))
    assert world.deliver(run).state is State.DELAYED
    assert world.files() == {}


# What may go right later


@pytest.mark.parametrize("error", [SLOW, LookupError("s3cr3t")], ids=["foreseen", "unforeseen"])
@pytest.mark.parametrize("deed", ["put", "get"])
def test_what_may_go_right_later_comes_back_and_gives_the_lease_free(
    world: World, deed: str, error: Exception
) -> None:
    run = sealed(world)
    world.journal.fail(deed, error)
    outcome = world.deliver(run, receives=3)
    assert outcome.state is State.DELAYED
    assert "s3cr3t" not in outcome.text
    free = stored(world)
    assert (free.state, free.leased_until, free.attempts) == (RunState.SEALED, 0, 0)
    assert free.look_at == int(world.clock.now) + 120 + AGAIN_SECONDS
    assert world.deliver(run).state is State.DELIVERED
    assert world.files() == {KEY: b'{"n":1}\n{"n":2}\n{"n":3}\n'}


@pytest.mark.parametrize("deed", ["get run", "define", "replace"])
def test_a_ledger_that_does_not_answer_puts_the_task_off(world: World, deed: str) -> None:
    run = sealed(world)
    world.journal.fail(deed, SLOW)
    assert world.deliver(run).state is State.DELAYED
    assert world.files() == {}
    assert world.deliver(run).state is State.DELIVERED


def test_a_delivery_that_cannot_be_recorded_is_made_again_with_the_same_objects(world: World) -> None:
    run = sealed(world)
    world.journal.before("put", lambda: world.journal.fail("replace", SLOW))
    assert world.deliver(run).state is State.DELAYED
    before = world.files()
    world.clock.now += LONG + GRACE_SECONDS
    assert world.deliver(run).state is State.DELIVERED
    assert world.files() == before


def test_a_failure_that_cannot_be_kept_comes_back_and_gives_the_lease_free(world: World) -> None:
    run = sealed(world)
    world.journal.fail("put", DENIED)
    world.journal.fail("keep", SLOW)
    assert world.deliver(run).state is State.DELAYED
    assert (stored(world).state, stored(world).leased_until) == (RunState.SEALED, 0)
    assert world.deliver(run).state is State.DELIVERED


def test_a_failure_whose_run_could_not_be_recorded_is_settled_when_the_run_is_delivered_after_all(
    world: World,
) -> None:
    run = sealed(world)
    world.journal.fail("put", DENIED)
    world.journal.before("keep", lambda: world.journal.fail("replace", SLOW))
    assert world.deliver(run).state is State.DELAYED
    assert list(world.failures.kept) == [RUN]
    assert world.deliver(run, receives=2).state is State.DELIVERED
    assert world.failures.resolved == [RUN]


def test_a_failure_of_a_delivery_that_died_is_settled_when_the_run_is_delivered_after_all(
    world: World,
) -> None:
    run = sealed(world)
    set_run(world, leased_until=1, attempts=1, lease="lost")
    assert world.deliver(run).state is State.DELIVERED
    assert world.failures.resolved == [RUN]


# What fails for good


def failed(world: World, run: Run, code: Code, words: str = "", **changes: Any) -> None:
    """The delivery fails with this code, and is kept under the run's own name; nothing is shown."""
    outcome = world.deliver(run, **changes)
    assert (outcome.state, outcome.code, outcome.failure) == (State.FAILED, code, run.id)
    assert words in outcome.text
    assert "s3cr3t" not in outcome.text
    assert stored(world).state is RunState.FAILED
    assert world.failures.kept[run.id].record.body == run_task(run.id).body
    assert list(world.runs.unfinished()) == []
    assert world.files() == {}


def test_what_the_bucket_refuses_is_a_failure(world: World) -> None:
    run = sealed(world)
    world.journal.fail("put", DENIED)
    failed(world, run, Code.MISSING_PERMISSION)


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        ([rows_body(0), rows_body(1), rows_body(2), end_body(2)], "has 2 messages; there are 3"),
        ([rows_body(0), rows_body(5), end_body(1)], "has 1 messages; there are 2"),
        ([rows_body(0), end_body(1, 2)], "has 2 rows; its messages hold 1"),
        ([rows_body(0), end_body(1, 0)], "has 0 rows; its messages hold 1"),
        ([end_body(0, 1)], "has 1 rows; its messages hold 0"),
    ],
)
def test_a_run_that_is_not_what_its_end_says_is_a_failure_until_it_is_tried_again(
    world: World, bodies: list[str], words: str
) -> None:
    world.stage(*bodies)
    failed(world, stored(world), Code.BAD_MESSAGE, words)
    assert world.deliver(stored(world), failure=RUN).state is State.DELIVERED
    assert len(world.files()) == 1


def test_a_stream_without_cursor_has_no_name_made_of_it(world: World) -> None:
    world.definitions.add(key_template="{cursor_day}/{part}.{extension}")
    failed(world, sealed(world), Code.BAD_KEY, "`{cursor_day}`")


@pytest.mark.parametrize("name", ["../../x", "a/../b", "/a", "a\x00", "x" * 1_024])
def test_a_name_that_would_leave_its_place_is_no_key(world: World, name: str) -> None:
    failed(world, sealed(world, stream={"id": "orders", "name": name}), Code.BAD_KEY)


def test_rows_that_the_format_cannot_hold_are_a_failure_without_their_values(world: World) -> None:
    world.definitions.add(format="csv", delimited={"quote": "none"})
    failed(world, sealed(world, [{"a": "s3cr3t,1"}]), Code.BAD_FILE, "sequence 0")


@pytest.mark.parametrize("text", ['{"a":1e999999}', '{"a":1e400}'])
def test_numbers_that_nobody_can_hold_are_carried_or_a_failure(world: World, text: str) -> None:
    world.definitions.add(format="csv")
    world.stage(rows_body(0, "HERE").replace('"HERE"', f"[{text}]"), end_body(1))
    assert world.deliver(stored(world)).state in {State.DELIVERED, State.FAILED}


@pytest.mark.parametrize(
    "schema",
    [
        '{"properties":{"s3cr3t":7}}',
        '{"properties":{"a":{"type":"integer","maximum":1e400}}}',
        '{"properties":{"a":{"maximum":' + "9" * 5_000 + "}}}",
        '{"properties":' * 900 + "{}" + "}" * 900,
        '{"$ref":"#"}',
        '{"properties":[]}',
    ],
)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_schema_that_is_none_never_comes_back_for_ever(world: World, schema: str, form: str) -> None:
    world.definitions.add(format=form)
    stream = {"id": "orders", "name": "Orders", "schema": "HERE"}
    world.stage(rows_body(0, [{"a": 1}], stream=stream).replace('"HERE"', schema), end_body(1))
    outcome = world.deliver(stored(world))
    assert outcome.state in {State.DELIVERED, State.FAILED}
    assert outcome.code in {None, Code.SCHEMA, Code.BAD_FILE}


def test_rows_that_have_been_kept_for_as_long_as_they_are_cannot_be_delivered(world: World) -> None:
    run = sealed(world)
    world.bucket.objects.clear()
    failed(world, run, Code.MISSING_FILE)


@pytest.mark.parametrize("gone", [1, 2])
def test_parts_that_have_expired_are_never_left_out_in_silence(world: World, gone: int) -> None:
    world.stage(rows_body(0))
    world.stage(rows_body(1), end_body(2))
    run = stored(world)
    world.journal.fail("put", DENIED)
    failed(world, run, Code.MISSING_PERMISSION)
    world.runs.expire(run.id, parts=gone)
    failed(world, run, Code.MISSING_FILE, failure=RUN)


def test_a_run_that_is_too_large_for_one_delivery_is_a_failure(world: World) -> None:
    run = sealed(world)
    world.writer = world.new_writer(largest_run_gigabytes=0)
    failed(world, run, Code.TOO_LARGE, "24 bytes")


def test_a_delivery_that_would_not_end_in_time_is_a_failure(world: World) -> None:
    failed(world, sealed(world), Code.TOO_LARGE, "time of one invocation", seconds=0)


def test_a_run_whose_deliveries_end_without_a_word_is_given_up(world: World) -> None:
    run = sealed(world)
    for lost in range(1, MAX_LOST + 1):
        set_run(world, leased_until=1, attempts=lost, lease="lost")
        if lost < MAX_LOST:
            continue
        failed(world, run, Code.TOO_LARGE, "without a word")
    assert stored(world).attempts == 0
    assert world.deliver(run, failure=RUN).state is State.DELIVERED


# Retries


def test_a_failed_run_that_is_tried_again_is_made_by_what_was_pinned_and_resolves_its_failure(
    world: World,
) -> None:
    run = sealed(world)
    world.journal.fail("put", DENIED)
    failed(world, run, Code.MISSING_PERMISSION)
    world.definitions.add(prefix="new/")
    assert world.deliver(run, failure=RUN).state is State.DELIVERED
    assert world.failures.resolved == [RUN]
    assert list(world.files()) == [KEY]


def test_a_failed_run_that_is_begun_anew_is_made_by_the_definition_as_it_now_is(world: World) -> None:
    world.definitions.add(key_template="{cursor_day}/{part}.{extension}")
    run = sealed(world)
    failed(world, run, Code.BAD_KEY)
    failed(world, run, Code.BAD_KEY, failure=RUN)
    world.definitions.add(key_template="new/{part}.{extension}")
    assert world.deliver(run, failure=RUN, restart=True).state is State.DELIVERED
    assert list(world.files()) == ["new/0000001.jsonl"]
    assert world.failures.resolved == [RUN]


def test_what_is_begun_anew_stays_pinned_to_what_it_was_begun_by(world: World) -> None:
    world.definitions.add(key_template="{cursor_day}/{part}.{extension}")
    run = sealed(world)
    failed(world, run, Code.BAD_KEY)
    world.definitions.add(key_template="new/{part}.{extension}")
    world.journal.fail("put", DENIED)
    failed(world, run, Code.MISSING_PERMISSION, failure=RUN, restart=True)
    world.definitions.add(key_template="newer/{part}.{extension}")
    assert world.deliver(run, failure=RUN).state is State.DELIVERED
    assert list(world.files()) == ["new/0000001.jsonl"]


@pytest.mark.parametrize("failure", [None, f"acme:{'0' * 32}", RUN.replace("acme", "other")])
def test_a_task_that_is_no_retry_of_the_run_leaves_a_failed_one_alone(
    world: World, failure: str | None
) -> None:
    run = sealed(world)
    world.journal.fail("put", DENIED)
    failed(world, run, Code.MISSING_PERMISSION)
    assert world.deliver(run, failure=failure, restart=True).state is State.REPEATED
    assert world.files() == {}


def test_a_retry_that_was_delivered_before_resolves_its_failure(world: World) -> None:
    run = sealed(world)
    world.deliver(run)
    assert world.deliver(run, failure=RUN).state is State.REPEATED
    assert world.failures.resolved == [RUN]


# Tasks


@pytest.mark.parametrize("body", ["", "s3cr3t", "{}", "[1]", run_task(f"acme:{'0' * 32}").body])
def test_what_is_no_task_of_a_run_is_a_failure(world: World, body: str) -> None:
    outcome = world.writer.deliver(record(body), seconds=LONG)
    assert (outcome.state, outcome.code) == (State.FAILED, Code.BAD_MESSAGE)
    assert "s3cr3t" not in outcome.text
    [kept] = world.failures.kept.values()
    assert kept.record.body == body


def test_a_run_that_was_sealed_when_there_was_no_destination_waits_for_one(world: World) -> None:
    sealed(world)
    run = set_run(world, version=0)
    world.definitions.deleted.add("acme")
    failed(world, run, Code.BAD_MESSAGE)
    world.definitions.deleted.clear()
    assert world.deliver(run, failure=RUN, restart=True).state is State.DELIVERED
