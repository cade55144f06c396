"""The planner of imports, with the real ledger: what is asked for again, which passes begin, what is told."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.adapters.discoveries import Discoveries
from functions.adapters.files import FileLedger
from functions.adapters.scans import Scans
from functions.core import scanning
from functions.core.errors import Code, Transient
from functions.core.imports import FileState, Found, ImportFile, waiting
from functions.core.sealing import AGAIN_SECONDS
from functions.planner.imports import ImportPlanner, SeenFiles
from tests.adapters.aws import Aws
from tests.adapters.telemetry_reading import logged
from tests.core.source_documents import SMALLEST
from tests.fakes import Clock, Journal
from tests.memory import FakeDefinitions, FakeSender

SLOW = Transient(Code.THROTTLED, "SQS answered Throttled")
NOTHING = SeenFiles()
FIRST_LOOK = 900


class Sources(FakeDefinitions):
    """The definitions of sources."""

    def define(self, name: str = "acme-in", **fields: Any) -> None:
        self.add(**(SMALLEST | {"name": name, "format": None} | fields))

    def names(self, *, deleted: bool = False) -> Iterator[str]:
        return iter(sorted(self.versions.keys() - self.deleted))


class World:
    """A ledger, sources and the queue of arrivals."""

    def __init__(self, aws: Aws) -> None:
        self.journal = Journal()
        self.clock = Clock(1_000_000.0)
        self.sources = Sources(self.journal)
        table, dynamodb = aws.table(), aws.client("dynamodb")
        self.files = FileLedger(dynamodb, table=table, event_days=1, clock=self.clock)
        self.scans = Scans(dynamodb, table=table, clock=self.clock)
        self.tasks = FakeSender(self.journal)
        self.planner = ImportPlanner(
            discoveries=Discoveries(self.sources, max_age_seconds=0),
            files=self.files,
            scans=self.scans,
            tasks=self.tasks,
            clock=self.clock,
        )

    def plan(self, after: int = 0) -> SeenFiles:
        self.clock.now += after
        return self.planner.plan(seconds=60)

    def file(self, key: str = "in/a.json", *, source: str = "acme-in", **changes: Any) -> ImportFile:
        """A file that somebody has just found."""
        found = Found(key=key, etag="e1", size=1, modified=1_000)
        file = waiting(found, source=source, bucket="acme-data", now=int(self.clock.now))
        begun = self.files.begin(msgspec.structs.replace(file, **changes))
        assert begun is not None
        return begun

    def asked(self, task: str = "file") -> list[Any]:
        """The keys of the files that were asked for, or when the passes began."""
        bodies = [json.loads(each.body) for each in self.tasks.sent]
        return [body["key" if task == "file" else "began"] for body in bodies if body["task"] == task]

    def no_passes(self) -> None:
        """A pass has just ended, and none begins today."""
        self.sources.define(scan_every_minutes=1_440)
        self.plan()
        self.end_pass()

    def end_pass(self, source: str = "acme-in") -> None:
        last = self.scans.get(source)
        assert last is not None
        assert self.scans.put(scanning.over(last, now=int(self.clock.now)))


@pytest.fixture
def world(aws: Aws) -> World:
    made = World(aws)
    made.sources.define()
    return made


# Files


def test_a_file_that_nobody_began_is_asked_for_again_and_not_before(world: World) -> None:
    world.file()
    asked = []
    for after in (FIRST_LOOK - 1, 1, 0, AGAIN_SECONDS - 1, 1):
        world.plan(after)
        asked.append(len(world.asked()))
    assert asked == [0, 1, 1, 1, 2]
    assert set(world.asked()) == {"in/a.json"}


def test_a_file_that_somebody_reads_is_left_alone_until_the_lease_is_over(world: World) -> None:
    until = int(world.clock.now) + 5_000
    world.file(state=FileState.READING, version=1, leased_until=until, look_at=until)
    assert world.plan(4_999) == NOTHING
    assert world.asked() == []
    world.plan(1)
    assert world.asked() == ["in/a.json"]


@pytest.mark.parametrize("how", ["disabled", "deleted"])
def test_files_wait_for_their_source(world: World, how: str) -> None:
    world.file()
    if how == "deleted":
        world.sources.deleted.add("acme-in")
    else:
        world.sources.define(enabled=False)
    assert world.plan(10**6) == NOTHING
    assert world.tasks.sent == []
    world.sources.deleted.clear()
    world.sources.define()
    world.plan()
    assert world.asked() == ["in/a.json"]


def test_what_is_done_with_is_not_looked_at(world: World) -> None:
    file = world.file()
    world.files.replace(msgspec.structs.replace(file, state=FileState.DONE))
    assert world.plan(10**6) == NOTHING
    assert world.asked() == []


def test_a_file_that_changes_while_it_is_asked_for_is_not_changed_back(world: World) -> None:
    world.no_passes()
    file = world.file()
    world.journal.before("send", lambda: world.files.replace(msgspec.structs.replace(file, lease="other")))
    world.plan(FIRST_LOOK)
    found = world.files.get("acme-in", "in/a.json")
    assert found is not None
    assert (found.lease, found.look_at) == ("other", file.look_at)


def test_waiting_files_are_counted_and_the_oldest_is_told(world: World) -> None:
    world.file("in/a.json")
    world.clock.now += 50
    world.file("in/b.json")
    world.file("in/c.json", state=FileState.READING, version=1)
    assert world.plan(7) == SeenFiles(waiting=2, oldest_seconds=57)


def test_what_cannot_be_asked_for_together_is_asked_for_one_by_one(world: World) -> None:
    world.no_passes()
    keys = {world.file(f"in/{number}.json").key for number in range(3)}
    world.journal.fail("send", SLOW, LookupError("s3cr3t"))
    with logged() as lines:
        assert world.plan(FIRST_LOOK).waiting == 2
    assert [(line["message"], line["source"]) for line in lines] == [("source not looked at", "acme-in")]
    assert "s3cr3t" not in repr(lines)
    assert len(world.asked()) == 2
    world.plan()
    assert set(world.asked()) == keys


def test_without_time_it_says_so_and_stops(world: World) -> None:
    world.file()
    with logged() as lines:
        assert world.planner.plan(seconds=0) == NOTHING
    assert [line["message"] for line in lines] == ["out of time"]
    assert world.tasks.sent == []


# Passes


def test_a_pass_begins_at_once_and_then_after_its_minutes(world: World) -> None:
    world.sources.define(scan_every_minutes=5)
    world.plan()
    world.end_pass()
    world.plan(299)
    world.plan(1)
    assert world.asked("scan") == [1_000_000, 1_000_300]


def test_a_pass_that_is_under_way_is_not_begun_again(world: World) -> None:
    world.plan()
    last = world.scans.get("acme-in")
    assert last is not None
    mine = scanning.taken(last, now=int(world.clock.now), until=int(world.clock.now) + 5_000)
    assert mine is not None
    assert world.scans.put(mine)
    world.plan(5_000)
    assert world.asked("scan") == [1_000_000]


def test_a_pass_that_nobody_goes_on_with_is_asked_for_again_and_goes_on(world: World) -> None:
    world.journal.fail("send", SLOW)
    world.plan()
    last = world.scans.get("acme-in")
    assert last is not None
    assert world.scans.put(msgspec.structs.replace(last, after="in/m"))
    for after in (AGAIN_SECONDS - 1, 1, AGAIN_SECONDS - 1):
        world.plan(after)
    assert world.asked("scan") == [1_000_000]
    again = world.scans.get("acme-in")
    assert again is not None
    assert (again.began, again.after) == (1_000_000, "in/m")


def test_two_planners_begin_one_pass(world: World) -> None:
    world.journal.before("send", lambda: world.planner.plan(seconds=60))
    world.plan()
    assert world.asked("scan") == [1_000_000]


def test_of_a_source_that_finds_nothing_no_pass_begins(world: World) -> None:
    world.sources.define(enabled=False)
    world.plan()
    assert world.tasks.sent == []


@pytest.mark.parametrize("error", [SLOW, LookupError("s3cr3t")], ids=["foreseen", "unforeseen"])
@pytest.mark.parametrize("deed", ["define", "send"])
def test_one_faulty_source_never_stops_the_others(world: World, deed: str, error: Exception) -> None:
    world.sources.define("other-in")
    world.file(source="other-in")
    world.clock.now += FIRST_LOOK
    world.journal.fail(deed, error)
    with logged() as lines:
        world.plan()
    assert [(line["message"], line["source"]) for line in lines] == [("source not looked at", "acme-in")]
    assert (len(world.asked("scan")), world.asked()) == (1, ["in/a.json"])


def test_a_definition_that_nobody_understands_stops_only_itself(world: World) -> None:
    world.sources.define("broken", scan_every_minutes="often")
    with logged() as lines:
        world.plan()
    assert [line["source"] for line in lines] == ["broken"]
    assert len(world.asked("scan")) == 1
