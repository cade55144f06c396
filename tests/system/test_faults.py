"""AWS refuses, stumbles or is away: what passes is tried again, what does not is a failure, and nothing is lost."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from functions.core.errors import Code
from functions.core.failures import State
from local.calls import Call
from local.faults import Effect, Fault, calls_of, delay, hang_up, refuse
from tests.system import scenarios
from tests.system.stage import NOTHING_WAITS, Kept, Seen, Stage, enveloped, message

MANY = 1000


def inject(stage: Stage, action: str, resource: str, effect: Effect, **how: Any) -> None:
    stage.faults.inject(Fault(on=calls_of(action, resource), effect=effect, **how))


def writes(stage: Stage, destination: str) -> Callable[[Call], bool]:
    return calls_of("PutObject", f"{stage.bucket}/{destination}/")


def put_off(stage: Stage) -> list[int]:
    """For how long messages were put off, in seconds."""
    return [int(call.parameters["VisibilityTimeout"]) for call in stage.calls("ChangeMessageVisibility")]


PASSING = [
    pytest.param(refuse(503, "SlowDown"), "before", id="503 SlowDown"),
    pytest.param(refuse(500, "InternalError"), "before", id="500 InternalError"),
    pytest.param(hang_up(), "before", id="closed before S3 wrote"),
    pytest.param(hang_up(), "after", id="closed after S3 wrote"),
    pytest.param(delay(1), "before", id="slow"),
]


@pytest.mark.parametrize("on_existing", ["overwrite", "keep"])
@pytest.mark.parametrize(("effect", "when"), PASSING)
def test_what_happens_to_one_request_to_s3_is_seen_by_nobody(
    stage: Stage, effect: Effect, when: Any, on_existing: str
) -> None:
    destination = stage.destination(on_existing=on_existing)
    stage.send(*(message(destination, each) for each in "abc"))
    stage.faults.inject(Fault(on=writes(stage, destination), effect=effect, when=when, nth=2))

    delivery = stage.poll()

    assert not stage.faults.pending
    assert not delivery.outcome.failed
    if delivery.failed:
        assert put_off(stage) == [30] * len(delivery.failed)
        assert not stage.redeliver().failed
    assert stage.seen(destination) == Seen(objects={each: enveloped(each) for each in "abc"})
    assert stage.waiting() == NOTHING_WAITS


LASTING = [
    pytest.param(refuse(503, "SlowDown"), "THROTTLED", id="503 SlowDown"),
    pytest.param(refuse(503, "ServiceUnavailable"), "UNAVAILABLE", id="503 ServiceUnavailable"),
    pytest.param(refuse(500, "InternalError"), "UNAVAILABLE", id="500 InternalError"),
    pytest.param(hang_up(), "UNAVAILABLE", id="closed"),
]


@pytest.mark.parametrize(("effect", "code"), LASTING)
def test_a_message_comes_back_later_when_s3_does_not_recover(stage: Stage, effect: Effect, code: str) -> None:
    sick, well = stage.destination(), stage.destination()
    stage.send(message(sick, "a"), message(well, "b"))
    stage.faults.inject(Fault(on=writes(stage, sick), effect=effect, times=MANY))

    delivery = stage.poll()

    assert len(delivery.failed) == 1
    assert put_off(stage) == [30]
    assert stage.seen(sick) == Seen()
    assert stage.seen(well) == Seen(objects={"b": enveloped("b")})
    assert f'"code":"{code}"' in stage.log().rpartition("messages delayed")[2]

    stage.faults.clear()
    assert not stage.redeliver().failed
    assert stage.seen(sick) == Seen(objects={"a": enveloped("a")})
    assert stage.waiting() == NOTHING_WAITS


def test_a_message_that_only_ever_has_to_wait_waits_longer_and_becomes_a_dead_letter(stage: Stage) -> None:
    destination = stage.destination()
    [message_id] = stage.send(body := message(destination, "a"))
    later = refuse(400, "RequestTimeout")
    stage.faults.inject(Fault(on=writes(stage, destination), effect=later, times=MANY))

    for _ in range(20):
        assert stage.redeliver().failed == {message_id}

    doubling = itertools.accumulate(range(19), lambda seconds, _: min(2 * seconds, 3600), initial=30)
    assert put_off(stage) == list(doubling)
    assert sum(put_off(stage)) >= 12 * 3600
    stage.mapping.expire_visibility()
    assert stage.mapping.poll_once() is None
    assert stage.waiting() == {"queue": 0, "dead letters": 1}
    [dead] = stage.cloud.client("sqs").receive_message(QueueUrl=stage.dead_letters)["Messages"]
    assert dead["Body"] == body
    assert stage.seen(destination) == Seen()


def test_a_message_that_cannot_be_put_off_comes_back_all_the_same(stage: Stage) -> None:
    destination = stage.destination()
    stage.send(message(destination, "a"))
    stage.faults.inject(Fault(on=writes(stage, destination), effect=refuse(400, "RequestTimeout")))
    inject(stage, "ChangeMessageVisibility", "", refuse(400, "AWS.SimpleQueueService.MessageNotInflight"))
    assert len(stage.poll().failed) == 1
    assert not stage.faults.pending
    assert not stage.redeliver().failed
    assert stage.seen(destination) == Seen(objects={"a": enveloped("a")})


FOR_GOOD = [
    (403, "AccessDenied", Code.MISSING_PERMISSION),
    (403, "InvalidAccessKeyId", Code.INVALID_CREDENTIALS),
    (403, "SignatureDoesNotMatch", Code.INVALID_CREDENTIALS),
    (400, "ExpiredToken", Code.INVALID_CREDENTIALS),
    (404, "NoSuchBucket", Code.INVALID_BUCKET),
    (301, "PermanentRedirect", Code.INVALID_BUCKET),
    (400, "KMS.DisabledException", Code.KMS_DENIED),
    (400, "KMS.NotFoundException", Code.KMS_DENIED),
]


@pytest.mark.parametrize(("status", "answer", "code"), FOR_GOOD)
def test_what_only_the_customer_can_mend_is_a_failure_and_stops_nobody_else(
    stage: Stage, status: int, answer: str, code: Code
) -> None:
    sick, well = stage.destination(), stage.destination()
    stage.send(body := message(sick, "a"), message(well, "b"))
    stage.faults.inject(Fault(on=writes(stage, sick), effect=refuse(status, answer), times=MANY))

    assert not stage.poll().failed

    kept = Kept(state=State.OPEN, code=code, body=body.encode())
    assert stage.seen(sick) == Seen(failures=(kept,))
    assert stage.seen(well) == Seen(objects={"b": enveloped("b")})
    [failure] = stage.failures(sick)
    assert failure.text
    assert failure.resolution[-1].endswith(f"{failure.id}")


def test_a_bucket_that_does_not_exist_is_a_failure(stage: Stage) -> None:
    destination = stage.destination(bucket="nobody-has-made-this-bucket")
    stage.deliver(message(destination, "a"))
    assert [each.code for each in stage.failures(destination)] == [Code.INVALID_BUCKET]


def test_a_role_that_cannot_be_assumed_is_a_failure(stage: Stage) -> None:
    destination = stage.destination()
    inject(stage, "AssumeRole", stage.role_arn, refuse(403, "AccessDenied"), times=MANY)
    stage.deliver(message(destination, "a"))
    assert [each.code for each in stage.failures(destination)] == [Code.INVALID_CREDENTIALS]


def test_a_role_that_does_not_exist_is_a_failure_until_it_does(stage: Stage) -> None:
    role = "arn:aws:iam::111122223333:role/sluice-nobody"
    destination = stage.destination(credentials={"role_arn": role})
    stage.deliver(message(destination, "a"))
    assert [each.code for each in stage.failures(destination)] == [Code.INVALID_CREDENTIALS]


def test_a_refused_role_is_asked_for_again_at_the_next_message(stage: Stage) -> None:
    destination = stage.destination()
    inject(stage, "AssumeRole", stage.role_arn, refuse(403, "AccessDenied"))
    stage.deliver(message(destination, "a"))
    stage.deliver(message(destination, "b"))
    assert stage.objects(destination) == {"b": enveloped("b")}


def test_a_role_is_assumed_once_and_the_session_says_for_whom(stage: Stage) -> None:
    destination = stage.destination()
    stage.deliver(*(message(destination, str(number)) for number in range(40)))
    [call] = stage.calls("AssumeRole")
    assert call.parameters["RoleSessionName"] == f"sluice-{destination}"
    assert call.parameters["DurationSeconds"] == "3600"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "effect"),
    [
        pytest.param("AssumeRole", refuse(503, "ServiceUnavailable"), id="STS is away"),
        pytest.param("GetItem", refuse(400, "ThrottlingException"), id="definitions are throttled"),
    ],
)
def test_a_message_comes_back_when_what_it_needs_is_away(stage: Stage, action: str, effect: Effect) -> None:
    destination = stage.destination()
    stage.send(message(destination, "a"))
    stage.faults.inject(Fault(on=calls_of(action), effect=effect, times=MANY))
    assert len(stage.poll().failed) == 1
    assert put_off(stage) == [30]
    stage.faults.clear()
    assert not stage.redeliver().failed
    assert stage.seen(destination) == Seen(objects={"a": enveloped("a")})


LEDGER_REFUSES = [
    pytest.param("ResourceNotFoundException", id="the table is gone"),
    pytest.param(
        "ProvisionedThroughputExceededException", marks=pytest.mark.slow, id="the table is throttled"
    ),
]


@pytest.mark.parametrize("answer", LEDGER_REFUSES)
def test_a_failure_that_cannot_be_recorded_is_not_acknowledged(stage: Stage, answer: str) -> None:
    play = scenarios.failing(stage)
    inject(stage, "UpdateItem", "", refuse(400, answer), times=MANY)

    assert len(stage.poll().failed) == 1

    assert stage.failures(play.destination) == []
    assert stage.bodies_kept(play.destination) == 1
    stage.faults.clear()
    assert not stage.redeliver().failed
    assert stage.seen(play.destination) == play.end
    assert stage.waiting() == NOTHING_WAITS


def test_a_body_that_cannot_be_kept_is_not_acknowledged(stage: Stage) -> None:
    play = scenarios.failing(stage)
    data_bucket = stage.cloud.outputs["DataBucket"]
    inject(stage, "PutObject", f"{data_bucket}/failures/", refuse(403, "AccessDenied"), times=MANY)
    assert len(stage.poll().failed) == 1
    assert stage.failures(play.destination) == []
    stage.faults.clear()
    assert not stage.redeliver().failed
    assert stage.seen(play.destination) == play.end


def test_a_message_that_cannot_be_held_is_not_acknowledged(stage: Stage) -> None:
    play = scenarios.held(stage)
    inject(stage, "PutItem", "", refuse(400, "ResourceNotFoundException"), times=1)
    assert len(stage.poll().failed) == 1
    assert not stage.redeliver().failed
    assert stage.seen(play.destination) == play.end


def test_a_failure_that_cannot_be_resolved_is_delivered_again(stage: Stage) -> None:
    play = scenarios.retried(stage)
    inject(stage, "UpdateItem", "", refuse(400, "ResourceNotFoundException"), times=1)
    assert len(stage.poll().failed) == 1
    assert not stage.redeliver().failed
    assert stage.seen(play.destination) == play.end


def test_keys_that_are_gone_are_a_failure(stage: Stage) -> None:
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sluice-system/gone-AbCdEf"
    keys = dict.fromkeys(scenarios.KEYS, "****")
    destination = stage.destination(credentials=keys, secret_arn=secret)
    stage.deliver(message(destination, "a"))
    assert [each.code for each in stage.failures(destination)] == [Code.INVALID_CREDENTIALS]


def test_an_object_that_we_may_not_look_at_counts_as_anothers(stage: Stage) -> None:
    destination = stage.destination(on_existing="keep")
    stage.deliver(message(destination, "a"))
    inject(stage, "HeadObject", f"{stage.bucket}/", refuse(403, "AccessDenied"))
    stage.deliver(message(destination, "a"))
    assert [each.code for each in stage.failures(destination)] == [Code.EXISTS]
    assert stage.objects(destination) == {"a": enveloped("a")}


def test_an_object_that_is_gone_when_it_is_looked_at_is_written_then(stage: Stage) -> None:
    destination = stage.destination(on_existing="keep")
    stage.send(message(destination, "a"))
    taken = Fault(on=writes(stage, destination), effect=refuse(412, "PreconditionFailed"))
    stage.faults.inject(taken)
    assert len(stage.poll().failed) == 1
    assert not stage.faults.pending
    assert not stage.redeliver().failed
    assert stage.seen(destination) == Seen(objects={"a": enveloped("a")})


def test_a_look_that_s3_puts_off_decides_nothing(stage: Stage) -> None:
    play = scenarios.occupied(stage)
    inject(stage, "HeadObject", f"{stage.bucket}/", refuse(503, "SlowDown"), times=MANY)
    assert len(stage.poll().failed) == 1
    assert stage.failures(play.destination) == []
    stage.faults.clear()
    assert not stage.redeliver().failed
    assert stage.seen(play.destination) == play.end


def test_a_race_between_two_conditional_writes_is_no_refusal(stage: Stage) -> None:
    play = scenarios.created(stage)
    conflict = refuse(409, "ConditionalRequestConflict")
    stage.faults.inject(Fault(on=writes(stage, play.destination), effect=conflict, times=MANY))
    assert len(stage.poll().failed) == 2
    stage.faults.clear()
    assert not stage.redeliver().failed
    assert stage.seen(play.destination) == play.end


def test_an_object_of_anothers_is_left_alone_whatever_its_key_is(stage: Stage) -> None:
    destination = stage.destination(
        on_existing="keep", key_template="join('//', ['a', metadata.\"event-id\"])"
    )
    stage.put(destination, "a//1", b"the customer's own")
    stage.deliver(message(destination, "1"), message(destination, "2"), message(destination, "2"))
    assert [each.code for each in stage.failures(destination)] == [Code.EXISTS]
    assert stage.objects(destination) == {"a//1": b"the customer's own", "a//2": enveloped("2")}
