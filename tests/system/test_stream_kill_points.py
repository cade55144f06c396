"""A function of streams is killed at every point of the table, time goes on, and all ends as without killing."""

import pytest

from local.faults import calls_of, kill
from tests.system.stage import NOTHING_WAITS
from tests.system.stream_kill_points import KILL_POINTS, KillPoint, Left, Place, Worker
from tests.system.stream_stage import Streams, done


def resource(streams: Streams, place: Place, destination: str) -> str:
    """What the names of such resources begin with; a transaction has none."""
    outputs = streams.stage.cloud.outputs
    names = {
        Place.PART: f"{outputs['DataBucket']}/parts/",
        Place.LEDGER: "",
        Place.TASKS: outputs["DeliveriesQueueUrl"].rpartition("/")[2],
        Place.FILE: f"{streams.stage.bucket}/{destination}/",
        Place.BODY: f"{outputs['DataBucket']}/failures/{destination}/",
    }
    return names[place]


def left(streams: Streams, destination: str) -> Left:
    run = next(streams.runs.of(destination), None)
    return Left(
        state=run.state if run else None,
        rows=streams.runs.tally(run.id).rows if run else 0,
        ended=run is not None and run.ending is not None,
        tasks=streams.tasks(),
        objects=len(streams.objects(destination)),
        bodies=streams.stage.bodies_kept(destination),
        failures=len(streams.stage.failures(destination)),
    )


@pytest.mark.parametrize("point", KILL_POINTS, ids=lambda point: point.name)
def test_the_function_is_killed_and_all_ends_as_if_it_had_not_been(
    streams: Streams, point: KillPoint
) -> None:
    play = point.scenario(streams)
    if point.worker is Worker.FILE_WRITER:
        done(streams.stager)
    killed = streams.stage.mapping_of(point.worker)
    on = calls_of(point.action, resource(streams, point.place, play.destination))
    streams.inject(on, kill(killed.function), nth=point.nth, when=point.when)

    first = killed.poll_once()

    assert first
    assert b"signal: killed" in first.outcome.payload
    assert not streams.stage.faults.pending, "the point was not reached"
    assert left(streams, play.destination) == point.left

    streams.settle(play.destination)

    assert streams.seen(play.destination) == play.end
    assert [run.state for run in streams.with_rows(play.destination)] == [play.state]
    assert streams.waiting() == NOTHING_WAITS
