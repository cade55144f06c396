"""The function is killed at every point of the table, SQS delivers again, and all ends as without the killing."""

from collections.abc import Iterator

import pytest

from local.faults import Fault, calls_of, kill
from tests.system import scenarios
from tests.system.kill_points import KILL_POINTS, Done, KillPoint, Place
from tests.system.stage import NOTHING_WAITS, Seen, Stage, enveloped, message, staged

LOOKED_UP = {Place.DEFINITION, Place.ROLE, Place.SECRET}
"""What a function asks for when it is new, and then knows."""


@pytest.fixture(scope="module")
def one_by_one() -> Iterator[Stage]:
    """A deployment that writes one message at a time."""
    with staged("sluice-kill", writes_at_once=1) as stage:
        yield stage


@pytest.fixture
def serial(one_by_one: Stage) -> Iterator[Stage]:
    one_by_one.tidy()
    yield one_by_one
    one_by_one.tidy()


def resource(stage: Stage, place: Place, destination: str) -> str:
    """What the names of such resources begin with."""
    outputs = stage.cloud.outputs
    names = {
        Place.DEFINITION: outputs["DefinitionsTable"],
        Place.ROLE: stage.role_arn,
        Place.SECRET: "arn:aws:secretsmanager:",
        Place.PAYLOAD: f"{outputs['DataBucket']}/payloads/",
        Place.OBJECT: f"{stage.bucket}/{destination}/",
        Place.BODY: f"{outputs['DataBucket']}/failures/{destination}/",
        Place.LEDGER: outputs["LedgerTable"],
        Place.QUEUE: stage.queue.rpartition("/")[2],
    }
    return names[place]


def done(stage: Stage, destination: str) -> Done:
    ledger = stage.deployment.ports.failures
    return Done(
        objects=len(stage.objects(destination)),
        bodies=stage.bodies_kept(destination),
        records=len(stage.failures(destination)) + len(list(ledger.held(destination))),
    )


@pytest.mark.parametrize("scenario", sorted({point.scenario for point in KILL_POINTS}, key=str))
def test_a_scenario_ends_so_when_nobody_is_killed(serial: Stage, scenario: scenarios.Scenario) -> None:
    play = scenario(serial)
    delivery = serial.poll()
    if delivery.failed:
        delivery = serial.redeliver()
    assert not delivery.failed
    assert serial.seen(play.destination) == play.end
    assert serial.waiting() == NOTHING_WAITS


@pytest.mark.parametrize("point", KILL_POINTS, ids=lambda point: point.name)
def test_the_function_is_killed_and_all_ends_as_if_it_had_not_been(serial: Stage, point: KillPoint) -> None:
    play = point.scenario(serial)
    if point.place in LOOKED_UP:
        serial.writer.close()  # a cold start
    on = calls_of(point.action, resource(serial, point.place, play.destination))
    serial.faults.inject(Fault(on=on, nth=point.nth, when=point.when, effect=kill(serial.writer)))

    first = serial.poll()

    assert b"signal: killed" in first.outcome.payload
    assert not serial.faults.pending, "the point was not reached"
    assert done(serial, play.destination) == point.done

    second = serial.redeliver()

    assert not second.outcome.failed
    assert not second.failed
    assert serial.seen(play.destination) == play.end
    assert serial.waiting() == NOTHING_WAITS


def test_a_batch_may_be_killed_once_at_each_of_its_writes(serial: Stage) -> None:
    play = scenarios.delivered(serial)
    for nth in (1, 2, 3):
        place = calls_of("PutObject", f"{serial.bucket}/{play.destination}/")
        serial.faults.inject(Fault(on=place, nth=nth, when="after", effect=kill(serial.writer)))
        assert serial.poll().outcome.failed
        assert len(serial.objects(play.destination)) == nth
        serial.mapping.expire_visibility()
    assert not serial.faults.pending
    assert not serial.poll().failed
    assert serial.seen(play.destination) == play.end
    assert serial.waiting() == NOTHING_WAITS


def test_a_batch_is_killed_amid_writes_that_run_at_once(stage: Stage) -> None:
    destination = stage.destination()
    ids = [f"{number:02d}" for number in range(60)]
    stage.send(*(message(destination, each) for each in ids))
    place = calls_of("PutObject", f"{stage.bucket}/{destination}/")
    stage.faults.inject(Fault(on=place, nth=17, when="after", effect=kill(stage.writer)))

    first = stage.poll()

    assert first.outcome.failed
    assert not stage.faults.pending
    assert len(stage.objects(destination)) < len(ids)
    assert not stage.redeliver().failed
    assert stage.seen(destination) == Seen(objects={each: enveloped(each) for each in ids})
    assert stage.waiting() == NOTHING_WAITS
