"""What SQS may do with messages: bring them in another order, bring them twice, bring two that are the same."""

import json

from functions.core.errors import Code
from functions.core.failures import State
from local.faults import Fault, calls_of, kill
from tests.system import scenarios
from tests.system.stage import NOTHING_WAITS, Kept, Seen, Stage, enveloped, message


def test_a_batch_comes_again_in_reverse_order(stage: Stage) -> None:
    play = scenarios.failing(stage)
    place = calls_of("PutObject", f"{stage.bucket}/{play.destination}/")
    stage.faults.inject(Fault(on=place, nth=2, when="after", effect=kill(stage.writer)))
    first = stage.poll()
    assert first.outcome.failed
    assert not stage.faults.pending

    event = {"Records": list(reversed(first.records))}
    reversed_outcome = stage.writer.invoke(json.dumps(event).encode())

    assert not reversed_outcome.failed
    assert stage.seen(play.destination) == play.end
    assert not stage.redeliver().failed
    assert stage.seen(play.destination) == play.end
    assert stage.waiting() == NOTHING_WAITS


def test_a_delivered_batch_that_sqs_brings_again_changes_nothing(stage: Stage) -> None:
    play = scenarios.failing(stage)
    delivery = stage.poll()
    for _ in range(2):
        outcome = stage.writer.invoke(json.dumps({"Records": delivery.records}).encode())
        assert json.loads(outcome.payload) == {"batchItemFailures": []}
    assert stage.seen(play.destination) == play.end
    [failure] = stage.failures(play.destination)
    assert failure.attempts == 3


def test_held_messages_that_sqs_brings_again_are_held_once(stage: Stage) -> None:
    play = scenarios.held(stage)
    delivery = stage.poll()
    assert not stage.writer.invoke(json.dumps({"Records": delivery.records}).encode()).failed
    assert stage.seen(play.destination) == play.end


def test_the_same_body_is_sent_twice_and_delivered_twice(stage: Stage) -> None:
    destination = stage.destination()
    stage.send(*[message(destination, "a")] * 2)
    delivery = stage.poll()
    assert len(delivery.records) == 2
    assert not stage.writer.invoke(json.dumps({"Records": delivery.records}).encode()).failed
    assert stage.seen(destination) == Seen(objects={"a": enveloped("a")})
    assert stage.waiting() == NOTHING_WAITS


def test_the_same_body_is_sent_twice_to_who_keeps_what_is_there(stage: Stage) -> None:
    destination = stage.destination(on_existing="keep")
    stage.deliver(*[message(destination, "a")] * 2)
    stage.deliver(message(destination, "a"))
    assert stage.seen(destination) == Seen(objects={"a": enveloped("a")})


def test_the_same_body_fails_twice_and_is_one_failure(stage: Stage) -> None:
    destination = stage.destination(key_template=scenarios.BY_NAME, on_existing="overwrite")
    bad = message(destination, "a", data={})
    stage.deliver(bad, bad)
    kept = Kept(state=State.OPEN, code=Code.BAD_KEY, body=bad.encode())
    assert stage.seen(destination) == Seen(failures=(kept,))
    assert stage.failures(destination)[0].attempts == 2


def test_two_messages_without_id_are_two_even_when_they_are_equal(stage: Stage) -> None:
    destination = stage.destination()
    body = message(destination)
    ids = stage.send(body, body)
    assert not stage.poll().failed
    assert set(stage.objects(destination)) == set(ids)


def test_one_id_with_two_bodies_is_one_object_where_it_may_be_replaced(stage: Stage) -> None:
    destination = stage.destination()
    stage.deliver(message(destination, "a", data={"n": 1}))
    stage.deliver(message(destination, "a", data={"n": 2}))
    assert stage.seen(destination) == Seen(objects={"a": b'{"data": {"n": 2}}'})


def test_one_id_with_two_bodies_is_an_object_and_a_failure_where_it_is_kept(stage: Stage) -> None:
    destination = stage.destination(on_existing="keep")
    second = message(destination, "a", data={"n": 2})
    stage.deliver(message(destination, "a", data={"n": 1}))
    stage.deliver(second)
    kept = Kept(state=State.OPEN, code=Code.EXISTS, body=second.encode())
    assert stage.seen(destination) == Seen(objects={"a": b'{"data": {"n": 1}}'}, failures=(kept,))
