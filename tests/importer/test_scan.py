"""Passes over a bucket, with the real ledger: what is new begins, what is gone is forgotten."""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.adapters.files import FileLedger
from functions.adapters.inbox import Inbox
from functions.adapters.objects import Bucket
from functions.adapters.scans import Scans
from functions.adapters.sources import OpenSource, Sources, StoredSource
from functions.core.arrivals import ScanTask, parse_arrivals
from functions.core.definitions.sources import parse_source
from functions.core.digests import digest
from functions.core.errors import Code, Permanent, Transient
from functions.core.failures import failure_id
from functions.core.imports import FileState, Found, ImportFile
from functions.core.outcomes import Outcome, State
from functions.core.records import Record
from functions.core.scanning import Pass, next_pass
from functions.core.sealing import AGAIN_SECONDS
from functions.importer.scan import Scanner
from tests.adapters.aws import Aws
from tests.core.source_documents import SMALLEST
from tests.fakes import Clock, FakeFailures, FakePayloads, FakeQueue, Journal
from tests.memory import FakeSender
from tests.message_writer.records import record

SLOW = Transient(Code.THROTTLED, "S3 answered SlowDown")
CLOSED = Permanent(Code.MISSING_PERMISSION, "S3 answered AccessDenied")
FAILURE = failure_id("acme-in", digest("scan", "acme-in"))


class Shelf(Bucket):
    """A bucket that is listed; `stale` keys are listed no longer, and are there."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.found: dict[str, Found] = {}
        self.stale: set[str] = set()

    def add(self, *keys: str, etag: str = "e1", modified: int = 1_000) -> None:
        for key in keys:
            self.found[key] = Found(key=key, etag=etag, size=1, modified=modified)

    def listing(self, prefix: str, *, after: str = "") -> Iterator[Found]:
        self.journal.note("list", prefix, after)
        for key in sorted(self.found.keys() - self.stale, key=str.encode):
            if key.startswith(prefix) and key > after:
                self.journal.note("listed", key)
                yield self.found[key]

    def head(self, key: str) -> Found:
        self.journal.note("head", key)
        if key not in self.found:
            raise Permanent(Code.MISSING_FILE, "S3 answered 404")
        return self.found[key]


class FakeSources(Sources):
    """One source, of the newest version."""

    def __init__(self, bucket: Bucket, **fields: Any) -> None:
        self.bucket = bucket
        self.define(**fields)

    def define(self, **fields: Any) -> None:
        document = SMALLEST | {"prefix": "in/"} | fields
        self.stored = StoredSource(source=parse_source(document), version=1)

    def version(self, name: str, number: int) -> OpenSource:
        return OpenSource(source=self.stored.source, version=number, bucket=self.bucket)


class World:
    """A source's bucket, the ledger, and a scanner with all the time it wants, unless it is given less."""

    def __init__(self, aws: Aws, table: str) -> None:
        self.journal = Journal()
        self.clock = Clock(10_000.0)
        self.bucket = Shelf(self.journal)
        self.sources = FakeSources(self.bucket)
        dynamodb = aws.client("dynamodb")
        self.files = FileLedger(dynamodb, table=table, event_days=1, clock=self.clock)
        self.scans = Scans(dynamodb, table=table, clock=self.clock)
        self.tasks = FakeSender(self.journal)
        self.failures = FakeFailures(self.journal)
        self.inbox = Inbox(
            payloads=FakePayloads(self.journal), failures=self.failures, queue=FakeQueue(self.journal)
        )
        self.scanner = Scanner(
            sources=self.sources,
            files=self.files,
            scans=self.scans,
            tasks=self.tasks,
            inbox=self.inbox,
            page_keys=3,
            clock=self.clock,
        )

    def scan(self, *, began: int = 0, message: Record | None = None, seconds: float = 60) -> Outcome:
        task = ScanTask(source_id="acme-in", began=began)
        end = time.monotonic() + seconds
        return self.scanner.scan(message or record(), self.sources.stored, task, end=end)

    def asked(self) -> list[tuple[str, Any]]:
        """The tasks that were sent: of files their keys, of scans when they began."""
        bodies = [json.loads(each.body) for each in self.tasks.sent]
        return [(body["task"], body.get("key", body.get("began"))) for body in bodies]

    def all_files(self) -> dict[str, ImportFile]:
        return {file.key: file for file in self.files.of("acme-in")}

    def change(self, key: str, **changes: Any) -> ImportFile:
        file = self.files.get("acme-in", key)
        assert file is not None
        changed = self.files.replace(msgspec.structs.replace(file, **changes))
        assert changed is not None
        return changed

    def done(self, *keys: str) -> None:
        for key in keys:
            self.change(key, state=FileState.DONE, version=1)

    def last(self) -> Pass:
        last = self.scans.get("acme-in")
        assert last is not None
        return last


@pytest.fixture
def world(aws: Aws) -> World:
    return World(aws, aws.table())


def test_what_is_new_is_in_the_ledger_before_anybody_is_told(world: World) -> None:
    world.bucket.add("in/b.json", "in/a.json", "in/no.txt", "other/c.json", "in/sub/d.json")
    world.journal.before("send", lambda: None if world.all_files() else pytest.fail("told before"))
    assert world.scan().state is State.DELIVERED
    assert world.asked() == [("file", "in/a.json"), ("file", "in/b.json")]
    assert [file.state for file in world.all_files().values()] == [FileState.WAITING] * 2
    last = world.last()
    assert (last.keys, last.found, last.done_at, last.after) == (4, 2, 10_000, "in/sub/d.json")
    world.scan()
    assert len(world.asked()) == 2


def test_files_before_the_start_are_passed_over(world: World) -> None:
    world.sources.define(start_from="1970-01-02")
    world.bucket.add("in/old.json", modified=86_399_999)
    world.bucket.add("in/new.json", modified=86_400_000)
    world.scan()
    assert list(world.all_files()) == ["in/new.json"]


def test_a_key_that_sqs_would_not_take_is_a_task_all_the_same(world: World) -> None:
    world.sources.define(converter=SMALLEST["converter"] | {"keyValidatorConfig": None})
    keys = ["in/ \t+%é\n.json", "in/\ufffe.json", "in/😀.json"]
    world.bucket.add(*keys)
    world.scan()
    assert all(each.fits for each in world.tasks.sent)
    told = [parse_arrivals(each.body.encode())[0] for each in world.tasks.sent]
    assert [each.key for each in told if not isinstance(each, ScanTask)] == keys


@pytest.mark.parametrize("deed", ["list", "listed", "send"])
def test_what_died_midway_is_done_by_the_repetition_or_found_by_the_planner(world: World, deed: str) -> None:
    world.bucket.add(*(f"in/{name}.json" for name in "abc"))
    world.journal.fail(deed, SLOW)
    with pytest.raises(Transient):
        world.scan()
    again = record(receives=2)
    assert world.scan(message=again).state is State.DELIVERED
    assert len(world.all_files()) == 3
    told = {key for _, key in world.asked()}
    unfinished = {key for _, key in world.files.unfinished()}
    assert told | unfinished == set(world.all_files())
    assert world.last().done_at is not None


def test_a_pass_goes_on_from_its_last_key_and_ends(world: World) -> None:
    keys = [f"in/{number}.json" for number in range(8)]
    world.bucket.add(*keys)
    for _ in range(2):
        world.scan(began=world.last().began if world.asked() else 0, seconds=0)
        assert world.asked()[-1] == ("scan", 10_000)
        world.clock.now += 1
    assert world.last().after == "in/5.json"
    listed = [about for deed, *about in world.journal if deed == "list"]
    assert listed == [["in/", ""], ["in/", "in/2.json"]]
    world.scan(began=10_000)
    assert (world.last().keys, world.last().found) == (8, 8)
    assert [key for what, key in world.asked() if what == "file"] == keys


def test_a_repeated_task_does_nothing(world: World) -> None:
    world.bucket.add("in/a.json")
    world.scan()
    began = world.last().began
    world.journal.clear()
    assert world.scan(began=began).state is State.REPEATED
    assert world.scan(began=began - 1).state is State.REPEATED
    assert world.scan(began=began + 1).state is State.REPEATED
    assert not world.journal


def test_two_never_work_on_one_pass(world: World) -> None:
    world.bucket.add("in/a.json")
    world.journal.before(
        "list", lambda: pytest.fail("both") if world.scan(began=10_000).state is not State.REPEATED else None
    )
    assert world.scan().state is State.DELIVERED


def test_a_newer_pass_takes_the_place_of_one_under_way(world: World) -> None:
    world.bucket.add("in/a.json")

    def somebody_asks() -> None:
        world.clock.now += 1
        assert world.scan().state is State.DELIVERED

    world.journal.before("list", somebody_asks)
    assert world.scan().state is State.REPEATED
    assert world.last().began == 10_001
    assert world.asked() == [("file", "in/a.json")]


def test_a_pass_that_the_planner_began_is_taken_up(world: World) -> None:
    begun = world.scans.put(next_pass("acme-in", None, now=9_000))
    assert begun is not None
    assert world.scan(began=9_000).state is State.DELIVERED
    assert (world.last().began, world.last().done_at) == (9_000, 10_000)


# What is gone


def test_a_file_that_is_gone_is_forgotten_and_imported_when_it_comes_again(world: World) -> None:
    world.bucket.add("in/a.json", "in/b.json")
    world.scan()
    world.done("in/a.json", "in/b.json")
    world.bucket.found.pop("in/a.json")
    world.clock.now += 10
    world.scan()
    assert list(world.all_files()) == ["in/b.json"]
    assert world.last().forgotten == 1
    world.bucket.add("in/a.json")
    world.scan()
    assert world.asked()[-1] == ("file", "in/a.json")


def test_a_listing_that_lacks_a_file_is_not_believed(world: World) -> None:
    world.bucket.add("in/a.json")
    world.scan()
    world.done("in/a.json")
    world.bucket.stale.add("in/a.json")
    world.clock.now += 10
    world.scan()
    world.journal.fail("head", Permanent(Code.KMS_DENIED, "S3 answered 403"))
    world.scan()
    assert list(world.all_files()) == ["in/a.json"]


def test_files_below_a_former_prefix_are_known_for_ever(world: World) -> None:
    world.bucket.add("in/a.json")
    world.scan()
    world.done("in/a.json")
    world.clock.now += 10
    for prefix in ("in/a.json.", "a/", "z/"):
        world.sources.define(prefix=prefix)
        world.scan()
    assert list(world.all_files()) == ["in/a.json"]
    assert "head" not in world.journal.deeds()


@pytest.mark.parametrize("state", [FileState.WAITING, FileState.READING])
def test_a_file_that_somebody_still_has_to_read_is_not_forgotten(world: World, state: FileState) -> None:
    world.bucket.add("in/a.json")
    world.scan()
    world.change("in/a.json", state=state)
    world.bucket.found.clear()
    world.clock.now += 10
    world.scan()
    assert list(world.all_files()) == ["in/a.json"]


def test_a_file_that_came_while_the_pass_was_under_way_is_not_forgotten(world: World) -> None:
    world.bucket.add("in/a.json")

    def arrives() -> None:
        for file in world.files.begin_each([_waiting("in/b.json", found_at=10_000)]):
            world.files.replace(msgspec.structs.replace(file, state=FileState.DONE))

    world.journal.before("listed", arrives)
    world.scan()
    assert list(world.all_files()) == ["in/a.json", "in/b.json"]
    assert "head" not in world.journal.deeds()


def test_a_file_that_is_reopened_meanwhile_is_not_forgotten(world: World) -> None:
    world.bucket.add("in/a.json")
    world.scan()
    world.change("in/a.json", state=FileState.FAILED)
    world.bucket.found.clear()
    world.clock.now += 10

    def retried() -> None:
        file = world.files.get("acme-in", "in/a.json")
        assert file is not None
        world.files.reopen(msgspec.structs.replace(file, state=FileState.READING))

    world.journal.before("head", retried)
    world.scan()
    assert world.all_files()["in/a.json"].state is FileState.READING


# What has changed


def test_a_change_is_noted_and_not_imported(world: World) -> None:
    world.bucket.add("in/a.json", "in/b.json")
    world.scan()
    world.done("in/a.json")
    world.bucket.add("in/a.json", "in/b.json", etag="e2", modified=5_000)
    for _ in range(2):
        world.scan()
        files = world.all_files()
        assert (files["in/a.json"].etag, files["in/a.json"].changed_at) == ("e1", 5_000)
        assert (files["in/b.json"].etag, files["in/b.json"].changed_at) == ("e2", None)
    assert len(world.asked()) == 2


# A bucket that cannot be listed


def test_a_bucket_that_cannot_be_listed_is_one_failure_until_it_can(world: World) -> None:
    world.bucket.add("in/a.json")
    for error in (CLOSED, CLOSED):
        world.journal.fail("list", error)
        assert world.scan().state is State.FAILED
    assert list(world.failures.kept) == [FAILURE]
    kept = world.failures.kept[FAILURE]
    assert parse_arrivals(kept.record.body.encode()) == [ScanTask(source_id="acme-in")]
    assert (world.last().text, world.last().done_at) == ("S3 answered AccessDenied", 10_000)
    assert world.scan().state is State.DELIVERED
    assert world.failures.resolved == [FAILURE]


def test_a_bucket_that_cannot_be_listed_now_waits_for_nobodys_lease(world: World) -> None:
    world.journal.fail("list", SLOW)
    with pytest.raises(Transient):
        world.scan()
    assert (world.last().leased_until, world.last().look_at) == (0, 10_000 + AGAIN_SECONDS)


def test_memory_is_that_of_a_page(world: World) -> None:
    """A listing and a ledger are read as they are needed: of a pass that ends early no more than a page."""
    numbers = itertools.count()

    def endless(prefix: str, *, after: str = "") -> Iterator[Found]:
        for number in numbers:
            yield Found(key=f"in/{number:09d}", etag="e", size=1, modified=1)

    world.bucket.listing = endless  # type: ignore[method-assign] # no list can hold what this one gives
    world.scan(seconds=0)
    assert next(numbers) == 3


def _waiting(key: str, *, found_at: int) -> ImportFile:
    return ImportFile(
        source="acme-in", bucket="acme-data", key=key, etag="e1", size=1, modified=1, found_at=found_at
    )
