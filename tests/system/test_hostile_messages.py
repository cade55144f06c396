"""All hostile messages of the table in one batch with good ones: each has its outcome, and none has another's."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.header import decode_header, make_header

import pytest

from functions.adapters.payloads import PREFIX
from functions.core.errors import Code
from functions.core.failures import State
from functions.core.outgoing import MAX_BYTES, Outgoing, pointer
from local.mappings import Delivery
from tests.system.hostile import DELIVERED, REFUSED, Delivered, Refused
from tests.system.stage import NOTHING_WAITS, Seen, Stage, enveloped, message


@dataclass(frozen=True)
class Batch:
    """What was sent: each body with its destination and the id that SQS gave it, by the case's name."""

    sent: Mapping[str, tuple[str, str, str]]
    neighbours: str
    delivery: Delivery


@pytest.fixture(scope="session")
def batch(shared_stage: Stage) -> Batch:
    shared_stage.tidy()
    destinations: dict[str, str] = {}
    sent: dict[str, tuple[str, str, str]] = {}
    neighbours = shared_stage.destination()
    cases: list[Refused | Delivered] = [*REFUSED, *DELIVERED]
    for number, case in enumerate(cases):
        fields = json.dumps(case.definition, sort_keys=True)
        if fields not in destinations:
            destinations[fields] = shared_stage.destination(**case.definition)
        body = case.body.replace("§", destinations[fields])
        [message_id] = shared_stage.send(body)
        sent[case.name] = (body, destinations[fields], message_id)
        if number % 40 == 0:
            shared_stage.send(message(neighbours, str(number)))
    return Batch(sent, neighbours, shared_stage.poll())


def test_the_names_of_the_cases_are_their_own() -> None:
    names = [*(case.name for case in REFUSED), *(case.name for case in DELIVERED)]
    assert sorted(set(names)) == sorted(names)


def test_a_hostile_batch_is_done_with_and_its_good_messages_are_delivered(stage: Stage, batch: Batch) -> None:
    assert len(batch.delivery.records) == len(REFUSED) + len(DELIVERED) + 4
    assert not batch.delivery.outcome.failed
    assert not batch.delivery.failed
    names = ["0", "120", "40", "80"]
    assert stage.seen(batch.neighbours) == Seen(objects={each: enveloped(each) for each in names})
    assert stage.waiting() == NOTHING_WAITS


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_it_is_kept_as_it_came_and_the_failure_says_why(stage: Stage, batch: Batch, case: Refused) -> None:
    body, destination, message_id = batch.sent[case.name]
    failure = stage.failure_of(message_id, connection=destination if case.known else "_")
    assert failure.code == case.code
    assert re.search(case.text, failure.text)
    assert failure.text.isprintable()
    assert len(failure.text) < 300
    assert failure.state is State.OPEN
    assert stage.kept_body(failure.id) == body.encode()


@pytest.mark.parametrize("case", DELIVERED, ids=lambda case: case.name)
def test_it_is_delivered_as_it_came(stage: Stage, batch: Batch, case: Delivered) -> None:
    _, destination, _ = batch.sent[case.name]
    found = stage.get(destination, case.key)
    if case.object is not None:
        assert found.body == case.object.encode()
    told = {name: str(make_header(decode_header(found.metadata[name]))) for name in case.metadata}
    assert told == case.metadata
    assert found.metadata["sluice-id"]
    assert found.content_type == "application/json"


@pytest.mark.usefixtures("batch")
def test_a_batch_that_mostly_fails_logs_nothing_but_our_own_lines(stage: Stage) -> None:
    """A library that complains in between says that it is used in a way it is not made for."""
    lines = stage.log().splitlines()
    assert [line for line in lines if not line.startswith(("{", "REPORT "))] == []


def test_a_reserved_name_cannot_be_set(stage: Stage) -> None:
    destination = stage.destination(on_existing="keep")
    forged = {"sluice-id": "forged", "Sluice-Id": "forged"}
    stage.deliver(*[message(destination, "a", metadata=forged)] * 2)
    assert stage.get(destination, "a").metadata["sluice-id"] != "forged"
    assert stage.failures(destination) == []


def test_the_largest_message_that_sqs_takes(stage: Stage) -> None:
    destination = stage.destination(body="payload")
    empty = message(destination, "large", data={"text": ""})
    payload = {"text": "x" * (MAX_BYTES - len(empty))}
    body = message(destination, "large", data=payload)
    assert len(body) == MAX_BYTES
    stage.deliver(body)
    assert stage.seen(destination) == Seen(objects={"large": json.dumps(payload).encode()})


def test_the_largest_message_that_sqs_takes_is_kept_when_it_fails(stage: Stage) -> None:
    body = "x" * MAX_BYTES
    [message_id] = stage.send(body)
    assert not stage.poll().failed
    failure = stage.failure_of(message_id, connection="_")
    assert stage.kept_body(failure.id) == body.encode()


def test_many_large_messages_are_several_batches(stage: Stage) -> None:
    destination = stage.destination()
    ids = [str(number) for number in range(8)]
    stage.send(*(message(destination, each, data={"of": each, "x": "x" * 1_000_000}) for each in ids))
    while delivery := stage.mapping.poll_once():
        assert len(delivery.records) < len(ids)
        assert not delivery.failed
    assert sorted(stage.objects(destination)) == ids


@pytest.fixture
def pointed(stage: Stage) -> Iterator[str]:
    """A destination for messages behind pointers, beside which nothing goes wrong."""
    neighbour = stage.destination()
    stage.send(message(neighbour, "beside"))
    yield stage.destination()
    assert stage.seen(neighbour) == Seen(objects={"beside": enveloped("beside")})


def test_20_megabytes_come_behind_a_pointer(stage: Stage, pointed: str) -> None:
    payload = {"text": "é" * 10_000_000}
    body = json.dumps({"destination_id": pointed, "id": "a", "data": payload}, ensure_ascii=False)
    stage.deployment.sender().send([Outgoing(body=body, group=pointed)])
    assert not stage.poll().failed
    written = b'{"data": ' + json.dumps(payload, ensure_ascii=False).encode() + b"}"
    found = stage.objects(pointed)
    assert {name: _digest(body) for name, body in found.items()} == {"a": _digest(written)}


def test_more_payloads_than_a_function_can_hold_at_once_take_turns(stage: Stage, pointed: str) -> None:
    texts = {each: each * 12_000_000 for each in "abcd"}
    bodies = [message(pointed, each, data={"text": text}) for each, text in texts.items()]
    stage.deployment.sender().send(Outgoing(body=body, group=pointed) for body in bodies)
    assert not stage.poll().failed
    found = {name: len(body) for name, body in stage.objects(pointed).items()}
    assert found == dict.fromkeys(texts, 12_000_000 + len('{"data": {"text": ""}}'))


def test_what_sqs_refuses_comes_behind_a_pointer(stage: Stage, pointed: str) -> None:
    body = message(pointed, "a").replace('{"of": "a"}', '{"raw": "\ufffe"}')
    stage.deployment.sender().send([Outgoing(body=body, group=pointed)])
    assert not stage.poll().failed
    assert stage.objects(pointed) == {"a": '{"data": {"raw": "\ufffe"}}'.encode()}


def test_the_legacy_spelling_of_a_pointer(stage: Stage, pointed: str) -> None:
    bucket = stage.cloud.outputs["DataBucket"]
    stage.keep_payload("legacy", message(pointed, "a").encode())
    place = {"s3BucketName": bucket, "s3Key": f"{PREFIX}legacy"}
    stage.deliver(json.dumps(["com.amazon.sqs.javamessaging.MessageS3Pointer", place]))
    assert stage.objects(pointed) == {"a": enveloped("a")}


OUR_BUCKET = "(our own bucket)"
POINTERS = [
    pytest.param("acme-landing", "payloads/x", Code.BAD_MESSAGE, "points outside", id="a foreign bucket"),
    pytest.param(OUR_BUCKET, "failures/acme/x.json", Code.BAD_MESSAGE, "points outside", id="failures"),
    pytest.param(OUR_BUCKET, "payloads", Code.BAD_MESSAGE, "points outside", id="no folder"),
    pytest.param(OUR_BUCKET, "", Code.BAD_MESSAGE, "points outside", id="no key"),
    pytest.param(OUR_BUCKET, "payloads/gone", Code.MISSING_FILE, "not there", id="nothing there"),
    pytest.param(OUR_BUCKET, "payloads/", Code.MISSING_FILE, "not there", id="the folder itself"),
    pytest.param(OUR_BUCKET, "payloads/../failures/x", Code.BAD_KEY, "segment `..`", id="out of the folder"),
    pytest.param(OUR_BUCKET, "payloads//gone", Code.MISSING_FILE, "not there", id="an empty segment"),
    pytest.param(OUR_BUCKET, "payloads/" + "x" * 2000, Code.BAD_KEY, "2009 bytes", id="longer than a key"),
    pytest.param(OUR_BUCKET, "payloads/a\nb", Code.BAD_KEY, "U+000A", id="a newline"),
]


@pytest.mark.parametrize(("bucket", "key", "code", "text"), POINTERS)
@pytest.mark.usefixtures("pointed")
def test_a_pointer_to_what_cannot_be_read(stage: Stage, bucket: str, key: str, code: Code, text: str) -> None:
    bucket = bucket.replace(OUR_BUCKET, stage.cloud.outputs["DataBucket"])
    [message_id] = stage.send(body := pointer(bucket=bucket, key=key))
    assert not stage.poll().failed
    failure = stage.failure_of(message_id, connection="_")
    assert failure.code == code
    assert text in failure.text
    assert stage.kept_body(failure.id) == body.encode()


PAYLOADS = [
    pytest.param(b"\xff\xfe", "not UTF-8", id="no UTF-8"),
    pytest.param(b"", "not JSON", id="nothing"),
    pytest.param(pointer(bucket="b", key="k").encode(), "got `array`", id="another pointer"),
]


@pytest.mark.parametrize(("payload", "text"), PAYLOADS)
@pytest.mark.usefixtures("pointed")
def test_a_pointer_to_what_is_no_message(stage: Stage, payload: bytes, text: str) -> None:
    stage.keep_payload(key := _digest(payload), payload)
    body = pointer(bucket=stage.cloud.outputs["DataBucket"], key=PREFIX + key)
    [message_id] = stage.send(body)
    assert not stage.poll().failed
    failure = stage.failure_of(message_id, connection="_")
    assert (failure.code, text in failure.text) == (Code.BAD_MESSAGE, True)
    assert stage.kept_body(failure.id) == body.encode()


@pytest.mark.usefixtures("pointed")
def test_a_pointer_to_more_than_a_function_can_hold(stage: Stage) -> None:
    stage.keep_payload("huge", bytes(33_000_000))
    [message_id] = stage.send(pointer(bucket=stage.cloud.outputs["DataBucket"], key=f"{PREFIX}huge"))
    assert not stage.poll().failed
    failure = stage.failure_of(message_id, connection="_")
    assert failure.code == Code.TOO_LARGE
    assert "33000000" in failure.text


ATTRIBUTES = [
    pytest.param({"SluiceSentTimestamp": "yesterday"}, id="a timestamp in words"),
    pytest.param({"SluiceSentTimestamp": "-1"}, id="a timestamp before time"),
    pytest.param({"SluiceSentTimestamp": "9" * 30}, id="a timestamp after time"),
    pytest.param({"SluiceSentTimestamp": "9" * 5000}, id="a timestamp of 5,000 digits"),
    pytest.param({"SluiceSentTimestamp": "٣"}, id="a timestamp in other digits"),
    pytest.param({"SluiceFailure": "../../x"}, id="a failure that is none"),
    pytest.param({"SluiceFailure": "nobody:" + "0" * 32}, id="a failure that nobody knows"),
    pytest.param({"SluiceMessageId": "x" * 3000}, id="an id of 3,000 letters"),
    pytest.param({"ExtendedPayloadSize": "1"}, id="the extended client's own"),
]


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_attributes_that_only_we_set_harm_nobody_when_others_do(
    stage: Stage, attributes: Mapping[str, str]
) -> None:
    """The message itself may be refused or delivered, at once; it must not come back for ever."""
    destination = stage.destination()
    stage.send(message(destination, "odd"), attributes=attributes)
    stage.send(message(destination, "even"))
    delivery = stage.poll()
    assert not delivery.outcome.failed, delivery.outcome.payload
    assert not delivery.failed
    assert stage.objects(destination)["even"] == enveloped("even")


def test_a_message_that_names_anothers_failure_does_not_replace_its_body(stage: Stage) -> None:
    victim = stage.destination(key_template="data.name", on_existing="overwrite")
    stage.deliver(lost := message(victim, "victim", data={}))
    [failure] = stage.failures(victim)
    stage.send("no message at all", attributes={"SluiceFailure": failure.id})
    assert not stage.poll().failed
    assert stage.kept_body(failure.id) == lost.encode()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
