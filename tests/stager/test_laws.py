"""Laws of staging and assembling, whatever arrives in whatever order: nothing lost, doubled or mixed."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.core.assembly import folders
from functions.core.errors import Code, Permanent, Transient
from functions.core.files.dataset import Dataset
from functions.core.files.delivery import Delivery
from functions.core.files.inputs import StagedRows
from functions.core.files.names import StreamNames
from functions.core.files.settings import Split
from functions.core.instants import Instant
from functions.core.outcomes import State
from functions.core.records import Record
from functions.core.runs import Run, RunState
from functions.core.templates.macros import MACROS, MacroContext, MacroTemplate
from tests.core.record_messages import SENT, end_body, rows_body
from tests.formats.conversion import MemoryStore
from tests.message_writer.records import record
from tests.stream_world import World

SLOW = Transient(Code.THROTTLED, "DynamoDB answered ThrottlingException")
DONE = {State.STAGED, State.REPEATED}


# Nothing is lost, nothing is doubled


@st.composite
def arrangements(draw: st.DrawFn) -> tuple[int, list[list[int]]]:
    """How many messages there are, and batches of their numbers and the end's, -1, each at least once."""
    count = draw(st.integers(0, 8))
    numbers = [*range(count), -1]
    arriving = draw(st.permutations([*numbers, *draw(st.lists(st.sampled_from(numbers), max_size=6))]))
    batches: list[list[int]] = [[]]
    for number in arriving:
        if draw(st.booleans()):
            batches.append([])
        batches[-1].append(number)
    return count, batches


_FAULTS = st.lists(
    st.sampled_from(["put", "begin", "commit", "replace", "seal", "send", "tally"]), max_size=4
)


@given(arrangements(), _FAULTS)
def test_however_its_messages_arrive_a_run_is_sealed_once_with_its_rows_in_order(
    arranged: tuple[int, list[list[int]]], faults: list[str]
) -> None:
    count, batches = arranged
    world = World()
    world.definitions.add()
    records = {number: record(_body(number, count)) for number in range(-1, count)}
    for deed in faults:
        world.journal.fail(deed, SLOW)
    seen: set[int] = set()
    for batch in batches:
        world.stager = world.new_stager()
        _until_done(world, [records[number] for number in batch])
        seen |= set(batch)
        whole = seen == {-1, *range(count)}
        if seen and not whole:
            assert world.run().state is RunState.OPEN
    world.clock.now += 61
    for _ in range(6):
        world.planner.plan(seconds=60)
        world.clock.now += 901
    assert world.is_sealed()
    assert set(world.asked()) == {world.run().id}
    assert world.rows(world.run()) == [f'{{"of":{number}}}'.encode() for number in range(count)]
    assert world.failures.kept == {}


def _body(number: int, count: int) -> str:
    return end_body(count, count) if number < 0 else rows_body(number, [{"of": number}])


def _until_done(world: World, batch: list[Record]) -> None:
    """As SQS does: what is delayed comes again."""
    for _ in range(8):
        outcomes = world.stager.stage(batch, seconds=60)
        batch = [each for each, outcome in zip(batch, outcomes, strict=True) if _is_delayed(outcome)]
        if not batch:
            return
    raise AssertionError(batch)


def _is_delayed(outcome: Any) -> bool:
    assert outcome is None or outcome.state in DONE | {State.DELAYED}
    return outcome is None or outcome.state is State.DELAYED


@given(arrangements(), _FAULTS, st.integers(1, 4), st.data())
def test_however_messages_of_a_continuous_stream_arrive_each_is_in_one_flush(
    arranged: tuple[int, list[list[int]]], faults: list[str], limit: int, data: st.DataObject
) -> None:
    count, batches = arranged
    world = World()
    world.definitions.add(flush={"max_records": limit, "max_age_seconds": 60})
    numbered = data.draw(st.booleans())
    records = {
        number: record(rows_body(number if numbered else None, [{"of": number}])) for number in range(count)
    }
    for deed in faults:
        world.journal.fail(deed, SLOW)
    for batch in batches:
        _until_done(world, [records[number] for number in batch if number >= 0])
        world.clock.now += data.draw(st.sampled_from([0, 30, 61]))
        world.planner.plan(seconds=60)
    world.clock.now += 61
    for _ in range(6):
        world.planner.plan(seconds=60)
        world.clock.now += 901
    flushed = [world.rows(run) for run in world.all_runs()]
    assert sorted(row for rows in flushed for row in rows) == sorted(
        f'{{"of":{number}}}'.encode() for number in range(count)
    )
    if numbered:
        assert flushed == [sorted(rows) for rows in flushed]
    assert len({run.stream_run_id for run in world.all_runs()}) == len(flushed)
    closed = {run.id for run in world.all_runs() if run.state is RunState.SEALED}
    assert set(world.asked()) == closed == {run.id for run in world.all_runs() if world.rows(run)}


# Nothing is mixed

_NAMES = st.sampled_from(
    [["a", "aa"], ["a", "b", "ab"], ["/", "a", "a/b"], ["_", "0000001", "a_0000001"], ["é", "..", "x"]]
)
_TIMES = st.sampled_from(["2025-04-14T11:23:45Z", "2025-04-14T23:59:59.5Z", "2026-01-01T00:00:00Z"])
_PIECES = st.one_of(
    st.sampled_from([f"{{{name}}}" for name in MACROS]), st.sampled_from(["/", "-", "x", "_"])
)
_TEMPLATES = st.lists(_PIECES, max_size=6).flatmap(
    lambda pieces: st.integers(0, len(pieces)).map(
        lambda place: "".join([*pieces[:place], "{part}", *pieces[place:]])
    )
)


def _messages(names: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Messages whose names are these few, so that many differ by one of them alone."""
    name = st.sampled_from(names)
    fields = {
        "destination_id": st.sampled_from(["acme", "acme-2", "flow"]),
        "connection_id": name,
        "connection_run_id": name,
        "stream": st.fixed_dictionaries({"id": name, "name": name}),
        "stream_run_id": name,
        "sequence": st.integers(0, 1),
    }
    return st.lists(
        st.fixed_dictionaries(fields, optional={"cursor": _TIMES, "started_at": _TIMES}),
        min_size=1,
        max_size=16,
    )


@settings(max_examples=200)
@given(_TEMPLATES, _NAMES.flatmap(_messages), st.integers(1, 5), st.sampled_from([None, 1, 2]))
@example(
    "{stream_name}{part}{connection_run_id}",
    [
        {
            "destination_id": "flow",
            "connection_id": "a",
            "connection_run_id": run,
            "stream": {"id": "a", "name": name},
            "stream_run_id": "a",
            "sequence": sequence,
        }
        for sequence, (name, run) in enumerate([("a", "0000001b"), ("a0000001", "b")] * 2)
    ],
    5,
    1,
)
def test_no_object_holds_rows_of_two_tenants_or_of_two_folders(
    template: str, messages: list[dict[str, Any]], size: int, split: int | None
) -> None:
    world = World()
    for name in ("acme", "acme-2"):
        world.definitions.add(name, bucket="shared", key_template=template)
    world.definitions.add("flow", bucket="shared", key_template=template, flush={"max_age_seconds": 60})
    staged: set[tuple[str, ...]] = set()
    bodies = []
    for message in messages:
        # A repetition says what the first said: what it is is its place in its run.
        if (place := _place(message)) not in staged:
            staged.add(place)
            bodies.append(_telling(message))
    for start in range(0, len(bodies), size):
        world.stage(*bodies[start : start + size])
    runs = [run for name in ("acme", "acme-2", "flow") for run in world.all_runs(name)]
    assert sum(len(world.rows(run)) for run in runs) == 2 * len(bodies)
    for run in runs:
        load_time = _load_time([json.loads(row) for row in world.rows(run)])
        for key, rows in _objects(world, run, split):
            tellers = [json.loads(row) for row in rows]
            assert len({_tenant(run, each) for each in tellers}) == 1
            if run.flush is None:
                places = [(each["sequence"], each["row"]) for each in tellers]
                assert places == sorted(places)
            numbers = [_numbers(run, load_time, template, each, key) for each in tellers]
            assert frozenset.intersection(*numbers)


def _telling(message: dict[str, Any]) -> str:
    """A body each of whose rows tells where it belongs."""
    return rows_body(message["sequence"], [message | {"row": row} for row in range(2)], **_said(message))


def _said(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "sequence"}


def _place(message: dict[str, Any]) -> tuple[str, ...]:
    names = ("destination_id", "connection_id", "connection_run_id", "stream_run_id")
    return (*(message[name] for name in names), message["stream"]["id"], str(message["sequence"]))


def _tenant(run: Run, row: dict[str, Any]) -> tuple[str, ...]:
    """Whose a row is; rows of several runs of a continuous stream are in one flush of it."""
    runs = () if run.flush is not None else (row["connection_run_id"], row["stream_run_id"])
    return (row["destination_id"], row["connection_id"], row["stream"]["id"], *runs)


def _objects(world: World, run: Run, split: int | None) -> Iterator[tuple[str, list[bytes]]]:
    """What a run becomes, as who delivers it makes it; nothing where the template cannot name it."""
    destination = world.destinations.definition(run.destination)
    assert destination is not None
    settings = destination.files
    if split is not None:
        # Far below what a definition may say, so that few rows become several files.
        settings = msgspec.structs.replace(settings, split=Split(rows=split))
    store = MemoryStore()
    try:
        found = folders(run, world.runs.parts(run.id), destination.template, extension=settings.extension)
        datasets = [
            Dataset(
                StreamNames(settings, destination.template, folder.context, destination.prefix),
                (StagedRows(partial(world.parts.read, folder.pieces)),),
            )
            for folder in found
        ]
        Delivery(settings, datasets, store=store, run=run.stream_run_id).write()
    except Permanent as error:
        assert error.code is Code.BAD_KEY  # noqa: PT017 - it need not be raised
        assert store.objects == {}
        return
    assert sorted(row for body in store.objects.values() for row in body.splitlines()) == sorted(
        world.rows(run)
    )
    for key, body in store.objects.items():
        yield key, body.splitlines()


def _load_time(rows: list[dict[str, Any]]) -> Instant:
    return min((Instant.parse(row["started_at"]) for row in rows if "started_at" in row), default=SENT)


def _numbers(run: Run, load_time: Instant, template: str, row: dict[str, Any], key: str) -> frozenset[int]:
    """The numbers of a file under which its own message would have this row in the object of this key."""
    context = MacroContext(
        extension="jsonl",
        load_time=load_time,
        stream_id=row["stream"]["id"],
        stream_name=row["stream"]["name"],
        connection_id=row["connection_id"],
        connection_run_id=row["connection_run_id"],
        stream_run_id=run.stream_run_id,
        cursor=Instant.parse(row["cursor"]) if "cursor" in row else None,
    )
    parsed = MacroTemplate.parse(template)
    return frozenset(
        part for part in range(1, 30) if parsed.render(msgspec.structs.replace(context, part=part)) == key
    )
