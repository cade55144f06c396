"""A function of the import is killed at every point of the table, time goes on, and all ends as without killing."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from functions.adapters.event_store import CANDIDATES, rejects_of
from functions.core.digests import digest
from local.calls import Call
from local.faults import calls_of, kill
from tests.system import import_scenarios as scenarios
from tests.system.import_kill_points import KILL_POINTS, KillPoint, Left, Place
from tests.system.import_stage import CHUNK, USER, Imports
from tests.system.stage import NOTHING_WAITS

TABLES = {Place.LEDGER: "LedgerTable", Place.CLAIMS: "ClaimsTable", Place.PROFILES: "ProfilesTable"}


def matching(imports: Imports, action: str, place: Place, source: str) -> Callable[[Call], bool]:
    """The calls that a point is about."""
    outputs = imports.stage.cloud.outputs
    if place in TABLES:
        table = outputs[TABLES[place]]
        return lambda call: call.action == action and _table(call) == table
    names = {
        Place.FILE: f"{imports.drop_bucket}/{source}/",
        Place.CANDIDATE: f"{outputs['DataBucket']}/candidates/",
        Place.REJECTS: f"{outputs['DataBucket']}/rejects/source={source}/",
        Place.EVENTS: f"{outputs['DataBucket']}/events/project_id={imports.project(source)}/",
        Place.OUTPUT: imports.output.rpartition("/")[2],
        Place.TASKS: outputs["ArrivalsQueueUrl"].rpartition("/")[2],
        Place.BODY: f"{outputs['DataBucket']}/failures/{source}/",
    }
    return calls_of(action, names[place])


def _table(call: Call) -> str:
    if call.action != "TransactWriteItems":
        return call.resource
    [what] = call.parameters["TransactItems"][0].values()
    return str(what["TableName"])


def left(imports: Imports, source: str) -> Left:
    tables, project = imports.tables, imports.project(source)
    file = next(imports.files.of(source), None)
    chunks = [msgspec.structs.replace(file, chunks=chunk).chunk_id for chunk in range(2)] if file else []
    names = [digest(str(project), f"id-{n}", "device-1") for n in range(CHUNK)]
    return Left(
        state=file.state if file else None,
        chunks=file.chunks if file else 0,
        candidates=sum(len(tables.keys(f"{CANDIDATES}{chunk}")) for chunk in chunks),
        claimed=bool(tables.holders(names)),
        added=(tables.properties(project, USER) or {}).get("k"),
        rejects=len(tables.keys(rejects_of(file))) if file else 0,
        parts=len(tables.keys(f"events/project_id={project}/")),
        tasks=sum(imports.importer.waiting().values()),
        bodies=imports.stage.bodies_kept(source),
        failures=len(imports.failures(source)),
    )


def start(imports: Imports, worker: str) -> bytes:
    """What a worker answers that is started once."""
    if worker == "Planner":
        return imports.stage.tick().payload
    delivery = imports.importer.poll_once()
    assert delivery
    return delivery.outcome.payload


def test_nobody_is_killed(imports: Imports) -> None:
    play = scenarios.chunked(imports)
    imports.work()
    assert imports.seen(play.source) == play.end
    assert imports.output_events() == {event["$insert_id"] for event in imports.events(play.source)}
    assert imports.waiting() == NOTHING_WAITS


@pytest.mark.parametrize("point", KILL_POINTS, ids=lambda point: point.name)
def test_the_function_is_killed_and_all_ends_as_if_it_had_not_been(
    imports: Imports, point: KillPoint
) -> None:
    play = point.scenario(imports)
    importer = imports.importer.function
    usual = importer.settings
    if point.seconds:
        importer.settings = replace(usual, timeout=point.seconds)
    on = matching(imports, point.action, point.place, play.source)
    killed = imports.stage.function_of(point.worker)
    imports.inject(on, kill(killed), nth=point.nth, when=point.when)

    assert b"signal: killed" in start(imports, point.worker)
    assert not imports.stage.faults.pending, "the point was not reached"
    assert left(imports, play.source) == point.left

    importer.settings = usual
    imports.settle(play.source)

    assert imports.seen(play.source) == play.end
    assert imports.waiting() == NOTHING_WAITS
