"""What senders, operators and the clock do to imports: told twice or not at all, replaced, mended, sent again."""

from dataclasses import replace

import pytest

from functions.adapters.ledger import Ledger
from functions.core.errors import Code
from functions.core.event_groups import hour_of_key
from functions.core.failures import State
from functions.core.imports import FileState
from functions.core.profiles import Kind
from local.calls import Call
from local.faults import calls_of, kill, refuse
from tests.system import import_scenarios as scenarios
from tests.system.import_scenarios import kept, two_events
from tests.system.import_seen import FileSeen, Seen
from tests.system.import_stage import CHUNK, USER, Imports, converter, lines, notification, record
from tests.system.stage import NOTHING_WAITS


def test_a_file_that_is_told_of_five_times_and_late_is_imported_once(imports: Imports) -> None:
    play = scenarios.small(imports)
    told = notification(imports.drop_bucket, f"{play.source}/f.jsonl")
    for _ in range(4):
        imports.told(told)
    imports.importer.poll_once()
    imports.settle(play.source)
    imports.told(told)
    imports.task(play.source, "f.jsonl")
    imports.work()
    assert imports.seen(play.source) == play.end
    assert imports.waiting() == NOTHING_WAITS


def test_a_file_that_is_told_of_before_it_is_there_is_imported_and_one_that_never_comes_is_not(
    imports: Imports,
) -> None:
    source = imports.source()
    for name in ("f.jsonl", "never.jsonl"):
        imports.told(notification(imports.drop_bucket, f"{source}/{name}"))
    early = imports.importer.poll_once()
    assert early
    assert len(early.failed) == 2
    imports.put(source, "f.jsonl", lines([record(0), record(1)]))
    imports.settle(source)
    assert imports.seen(source) == two_events("f.jsonl")


@pytest.mark.parametrize("lost", [False, True], ids=["holds its lease", "has lost its lease"])
def test_of_two_importers_on_one_file_one_commits_it(imports: Imports, lost: bool) -> None:  # noqa: FBT001 - a parameter of the test
    play = scenarios.chunked(imports)
    second: list[bool] = []

    def come_between(_: Call) -> None:
        imports.task(play.source, "f.jsonl")
        if lost:
            imports.pass_time(play.source)
        delivery = imports.importer.poll_once()
        assert delivery
        second.append(bool(delivery.failed))

    on = calls_of("PutObject", f"{imports.stage.cloud.outputs['DataBucket']}/events/")
    imports.inject(on, come_between)
    first = imports.importer.poll_once()
    assert first
    assert [bool(first.failed), *second] == [lost, not lost]
    imports.settle(play.source)
    assert imports.seen(play.source) == play.end


def test_a_file_that_is_replaced_while_it_is_read_fails_and_is_begun_anew_without_what_was_committed(
    imports: Imports,
) -> None:
    play = scenarios.chunked(imports)
    on = calls_of("PutObject", f"{imports.stage.cloud.outputs['DataBucket']}/events/")
    imports.inject(on, kill(imports.importer.function), nth=2)
    imports.importer.poll_once()
    assert imports.file(play.source, "f.jsonl").chunks == 1
    anew = lines(record(n) for n in range(CHUNK + 1))
    imports.put(play.source, "f.jsonl", anew)

    imports.settle(play.source)
    failed = imports.seen(play.source)
    # Both chunks had claimed their insert ids: what was claimed is output, whatever has become of the file.
    assert failed.events == play.end.events
    assert failed.files["f.jsonl"].state is FileState.FAILED
    assert failed.failures == (kept(play.source, Code.CHANGED),)

    imports.send_again(play.source, restart=True)
    imports.settle(play.source)
    count = CHUNK + 1
    assert imports.seen(play.source) == Seen(
        files={"f.jsonl": FileSeen(records=count, events=count)},
        events=tuple(range(count)),
        claims=count,
        properties=play.end.properties,
        failures=(kept(play.source, Code.CHANGED, State.RESOLVED),),
    )


def test_a_file_that_is_replaced_between_its_lease_and_the_first_read_fails_with_nothing_of_it_output(
    imports: Imports,
) -> None:
    play = scenarios.small(imports)

    def replaced(_: Call) -> None:
        imports.put(play.source, "f.jsonl", lines([record(7)]))

    imports.inject(calls_of("GetObject", f"{imports.drop_bucket}/{play.source}/"), replaced)
    imports.settle(play.source)
    file = FileSeen(state=FileState.FAILED, code=Code.CHANGED, changed=True)
    failure = kept(play.source, Code.CHANGED)
    assert imports.seen(play.source) == Seen(files={"f.jsonl": file}, failures=(failure,))


def test_a_file_that_is_replaced_after_its_import_is_told_of_and_not_imported_again(imports: Imports) -> None:
    play = scenarios.small(imports)
    imports.work()
    imports.put(play.source, "f.jsonl", lines([record(7)]))
    imports.work()
    changed = FileSeen(records=2, events=2, changed=True)
    assert imports.seen(play.source) == Seen(files={"f.jsonl": changed}, events=(0, 1), claims=2)


def test_a_committed_chunk_whose_hour_is_sealed_is_not_taken_back(imports: Imports) -> None:
    play = scenarios.refused(imports)
    imports.work()
    file = imports.file(play.source, "f.jsonl")
    table = imports.stage.cloud.outputs["LedgerTable"]
    ledger = Ledger(imports.stage.cloud.client("dynamodb"), table=table)
    [key] = file.parts
    assert ledger.transact("sealing", ledger.seal(hour_of_key(key).group, seconds=3600)) is None
    imports.send_again(play.source, restart=True)
    imports.work()
    [failure] = imports.failures(play.source)
    assert (failure.code, failure.attempts) == (Code.LATE, 2)
    assert imports.file(play.source, "f.jsonl").parts == file.parts


def test_a_file_above_its_threshold_stays_failed_when_it_is_only_tried_again(imports: Imports) -> None:
    play = scenarios.refused(imports)
    imports.work()
    imports.send_again(play.source)
    imports.work()
    assert imports.seen(play.source) == play.end
    imports.define(play.source)
    imports.send_again(play.source, restart=True)
    imports.work()
    file = FileSeen(records=3, events=2, rejects=1)
    resolved = (kept(play.source, Code.BAD_FILE, State.RESOLVED),)
    end = Seen(files={"f.jsonl": file}, events=(0, 2), rejects={"f.jsonl": (1,)}, claims=2, failures=resolved)
    assert imports.seen(play.source) == end


def test_all_or_nothing_outputs_nothing_of_a_file_that_is_refused(imports: Imports) -> None:
    source = imports.source(rejects={"max_percent": 0, "all_or_nothing": True})
    imports.put(source, "bad.jsonl", lines([*(record(n) for n in range(CHUNK)), record(CHUNK, type=None)]))
    imports.put(source, "good.jsonl", lines([record(0), record(1)]))
    imports.work()
    files = {
        "bad.jsonl": FileSeen(state=FileState.FAILED, code=Code.BAD_FILE),
        "good.jsonl": FileSeen(records=2, events=2),
    }
    failure = kept(source, Code.BAD_FILE, key="bad.jsonl")
    assert imports.seen(source) == Seen(files=files, events=(0, 1), claims=2, failures=(failure,))


@pytest.mark.parametrize("action", ["HeadObject", "GetObject"])
def test_a_file_that_may_not_be_read_is_one_failure_and_imported_when_it_is_sent_again(
    imports: Imports, action: str
) -> None:
    play = scenarios.small(imports)
    place = calls_of(action, f"{imports.drop_bucket}/{play.source}/")
    imports.inject(place, refuse(403, "AccessDenied"), times=2)
    imports.work()
    [failure] = imports.failures(play.source)
    assert (failure.state, failure.code) == (State.OPEN, Code.MISSING_PERMISSION)
    imports.send_again(play.source)
    imports.work()
    assert imports.failures(play.source)[0].attempts == 2
    imports.send_again(play.source)
    imports.work()
    [failure] = imports.failures(play.source)
    assert failure.state is State.RESOLVED
    assert imports.seen(play.source).events == play.end.events


def test_a_failure_that_the_file_has_overcome_is_resolved(imports: Imports) -> None:
    play = scenarios.small(imports)
    refused = calls_of("GetObject", f"{imports.drop_bucket}/{play.source}/")
    imports.inject(refused, refuse(403, "AccessDenied"))
    imports.inject(
        calls_of("UpdateItem", imports.stage.cloud.outputs["LedgerTable"]),
        kill(imports.importer.function),
        when="after",
    )
    imports.importer.poll_once()
    assert imports.failures(play.source)[0].state is State.OPEN
    imports.settle(play.source)
    resolved = (kept(play.source, Code.MISSING_PERMISSION, State.RESOLVED),)
    assert imports.seen(play.source) == replace(play.end, failures=resolved)


def test_a_disabled_source_waits_and_a_deleted_one_imports_nothing(imports: Imports) -> None:
    disabled, deleted = imports.source(), imports.source()
    imports.define(disabled, enabled=False)
    imports.delete(deleted)
    for source in (disabled, deleted):
        imports.put(source, "f.jsonl", lines([record(0), record(1)]))
        imports.task(source, "f.jsonl")
    imports.work()
    imports.tick()
    assert imports.waiting() == NOTHING_WAITS
    assert imports.seen(disabled) == imports.seen(deleted) == Seen()

    imports.define(disabled)
    imports.tick()
    imports.settle(disabled)
    assert imports.seen(disabled) == two_events("f.jsonl")


def test_hundreds_of_tiny_files_are_found_by_one_pass(imports: Imports) -> None:
    source, count = imports.source(dedup="none"), 100
    for n in range(count):
        imports.put(source, f"{n}.jsonl", lines([record(n)]))
        if n % 50 == 0:
            imports.untold()
    imports.untold()
    imports.tick()
    while imports.importer.poll_once():
        pass
    seen = imports.seen(source)
    assert seen.events == tuple(range(count))
    assert set(seen.files.values()) == {FileSeen(records=1, events=1)}


def test_of_a_mirror_the_later_row_wins_in_whatever_order_files_are_read(imports: Imports) -> None:
    config = {"user_id": "user", "mutation_type": "does", "city": "city", "region": "region"}
    source = imports.source(
        data_type="profile", strategy="mirror", converter=converter(convertToAmplitudeFunc=config)
    )
    older = [
        {"user": USER, "does": "INSERT", "city": "old", "region": "old"},
        {"user": "user-2", "does": "DELETE"},
        {"user": "user-3", "does": "UPSERT"},
    ]
    newer = [{"user": USER, "does": "UPDATE", "city": "new"}]
    # Written within one second, the names decide.
    imports.put(source, "1-older.jsonl", lines(older))
    imports.put(source, "2-newer.jsonl", lines(newer))
    imports.untold()
    for name in ("2-newer.jsonl", "1-older.jsonl"):
        imports.told(notification(imports.drop_bucket, f"{source}/{name}"))
        imports.work()
    profile = imports.tables.properties(imports.project(source), USER, Kind.PROFILE)
    assert profile == {"city": "new", "region": "old"}
    counters = imports.file(source, "1-older.jsonl").counters
    assert (counters.properties, counters.rejected, sum(counters.passed.values())) == (2, 1, 1)


def test_events_of_a_mirror_are_logged_with_what_they_do_and_those_without_a_user_are_dropped(
    imports: Imports,
) -> None:
    source = imports.source(strategy="mirror")
    imports.put(source, "f.jsonl", lines([record(0), record(0), record(1, user=None)]))
    imports.work()
    assert [event["mutation_type"] for event in imports.events(source)] == ["UPDATE", "UPDATE"]
    assert sum(imports.file(source, "f.jsonl").counters.passed.values()) == 1
