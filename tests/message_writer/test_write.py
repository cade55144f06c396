import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent, Transient
from functions.core.messages import POINTER_CLASS
from functions.core.outcomes import Outcome, State
from functions.core.records import Record
from functions.message_writer.write import MessageWriter
from tests.fakes import FakeDestinations, FakeFailures, FakePayloads, FakeQueue, Journal
from tests.message_writer.records import body_of, record

ACCESS_DENIED = Permanent(Code.MISSING_PERMISSION, "S3 answered AccessDenied")
SLOW_DOWN = Transient(Code.THROTTLED, "S3 answered SlowDown")
BY_NAME = "data.name"


class World:
    """A writer among fakes that share one journal."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.destinations = FakeDestinations(self.journal)
        self.payloads = FakePayloads(self.journal)
        self.failures = FakeFailures(self.journal)
        self.queue = FakeQueue(self.journal)
        self.writer = MessageWriter(
            destinations=self.destinations,
            payloads=self.payloads,
            failures=self.failures,
            queue=self.queue,
        )

    def write(self, message: Record) -> Outcome:
        return self.writer.write(message)


@pytest.fixture
def world() -> World:
    return World()


def _pointer(bucket: str = "data", key: str = "payloads/1") -> str:
    return json.dumps([POINTER_CLASS, {"s3BucketName": bucket, "s3Key": key}])


def test_a_message_becomes_an_object(world: World) -> None:
    bucket = world.destinations.add(
        prefix="in/",
        metadata={"team": "billing"},
        storage_class="STANDARD_IA",
        key_template="join('/', [metadata.objectName, metadata.\"event-id\"])",
    )
    body = (
        '{"destination_id": "acme", "id": "evt-1", "topic": "read", "time": "2025-10-14T02:58:59.5Z",'
        ' "metadata": {"objectName": "größe"}, "data": {"z":  1.0, "u": "\\ud83d"}}'
    )
    outcome = world.write(record(body))
    [(key, written)] = bucket.objects.items()
    assert key == "in/größe/evt-1"
    assert written.body == b'{"data": {"z":  1.0, "u": "\\ud83d"}}'
    assert written.storage_class == "STANDARD_IA"
    assert {name: value for name, value in written.metadata.items() if name != "sluice-id"} == {
        "destinationId": "acme",
        "event-id": "evt-1",
        "timestamp": "2025-10-14T02:58:59Z",
        "topic": "read",
        "team": "billing",
        "objectName": "=?utf-8?b?Z3LDtsOfZQ==?=",
    }
    assert outcome == Outcome(state=State.DELIVERED, connection="acme", size=len(written.body))


def test_the_payload_alone_is_written_where_the_definition_says_so(world: World) -> None:
    bucket = world.destinations.add(body="payload")
    world.write(record('{"destination_id": "acme", "data": {"z":  1.0}}'))
    [written] = bucket.objects.values()
    assert written.body == b'{"z":  1.0}'


def test_what_sqs_knows_stands_for_what_the_message_does_not_say(world: World) -> None:
    bucket = world.destinations.add()
    world.write(record(message_id="sqs-1"))
    assert list(bucket.objects) == ["2025-10-14T02:58:59.323Z_sqs-1.json"]


def test_a_message_that_comes_twice_writes_the_same_object(world: World) -> None:
    bucket = world.destinations.add()
    message = record(body_of(id="evt-1"))
    world.write(message)
    first = dict(bucket.objects)
    again = record(body_of(id="evt-1"), message_id="redriven", receives=7)
    assert world.write(again).state is State.DELIVERED
    assert repr(bucket.objects) == repr(first)


def test_overwriting_the_last_attempt_wins(world: World) -> None:
    bucket = world.destinations.add(key_template="'latest.json'", on_existing="overwrite", body="payload")
    for number in (1, 2):
        world.write(record(body_of(data={"n": number})))
    assert [written.body for written in bucket.objects.values()] == [b'{"n": 2}']


def _keeping(world: World) -> Any:
    return world.destinations.add(key_template="metadata.operationId", on_existing="keep", body="payload")


def _named(number: int) -> str:
    return body_of(id=f"evt-{number}", metadata={"operationId": "op"}, data={"n": number})


def test_keeping_the_same_message_again_is_delivered(world: World) -> None:
    bucket = _keeping(world)
    message = record(_named(1))
    assert world.write(message).state is State.DELIVERED
    assert world.write(message).state is State.DELIVERED
    assert [written.body for written in bucket.objects.values()] == [b'{"n": 1}']
    assert world.failures.kept == {}


def test_keeping_another_message_under_the_same_key_is_a_failure(world: World) -> None:
    bucket = _keeping(world)
    world.write(record(_named(1)))
    outcome = world.write(record(_named(2)))
    assert (outcome.state, outcome.code) == (State.FAILED, Code.EXISTS)
    assert [written.body for written in bucket.objects.values()] == [b'{"n": 1}']
    assert [kept.code for kept in world.failures.kept.values()] == [Code.EXISTS]


def test_keeping_the_same_id_with_another_body_is_a_failure(world: World) -> None:
    _keeping(world)
    world.write(record(body_of(id="evt", metadata={"operationId": "op"}, data={"n": 1})))
    outcome = world.write(record(body_of(id="evt", metadata={"operationId": "op"}, data={"n": 2})))
    assert (outcome.state, outcome.code) == (State.FAILED, Code.EXISTS)


def test_keeping_an_object_that_may_not_be_looked_at_is_a_failure(world: World) -> None:
    bucket = _keeping(world)
    message = record(_named(1))
    world.write(message)
    bucket.closed = True
    outcome = world.write(message)
    assert (outcome.state, outcome.code) == (State.FAILED, Code.EXISTS)


def test_keeping_an_object_that_is_none_of_ours_is_a_failure(world: World) -> None:
    bucket = _keeping(world)
    bucket.put("op", b"theirs")
    outcome = world.write(record(_named(1)))
    assert (outcome.state, outcome.code) == (State.FAILED, Code.EXISTS)
    assert bucket.objects["op"].body == b"theirs"


def test_keeping_an_object_that_cannot_be_looked_at_now_comes_back(world: World) -> None:
    _keeping(world)
    message = record(_named(1))
    world.write(message)
    world.journal.fail("look", SLOW_DOWN)
    assert world.write(message).state is State.DELAYED
    assert world.failures.kept == {}


def test_keeping_an_object_that_is_removed_meanwhile_comes_back_and_is_written(world: World) -> None:
    bucket = _keeping(world)
    bucket.put("op", b"theirs")
    world.journal.fail("look", Permanent(Code.MISSING_FILE, "S3 answered 404"))
    message = record(_named(1))
    assert world.write(message).state is State.DELAYED
    del bucket.objects["op"]
    assert world.write(message).state is State.DELIVERED


def test_keeping_with_credentials_that_have_gone_says_so(world: World) -> None:
    bucket = _keeping(world)
    bucket.put("op", b"theirs")
    world.journal.fail("look", Permanent(Code.INVALID_CREDENTIALS, "S3 answered ExpiredToken"))
    outcome = world.write(record(_named(1)))
    assert (outcome.state, outcome.code) == (State.FAILED, Code.INVALID_CREDENTIALS)


def test_a_disabled_destinations_message_is_held(world: World) -> None:
    bucket = world.destinations.add(enabled=False)
    message = record()
    outcome = world.write(message)
    assert outcome.state is State.HELD
    assert outcome.connection == "acme"
    assert outcome.failure is not None
    assert world.failures.held == {outcome.failure: message}
    assert bucket.objects == {}
    assert "delay" not in world.journal.deeds()


def test_a_message_that_is_held_twice_is_held_under_one_name(world: World) -> None:
    world.destinations.add(enabled=False)
    message = record(body_of(id="evt"))
    again = record(body_of(id="evt"), message_id="redriven")
    assert world.write(message).failure == world.write(again).failure


BAD: dict[str, tuple[str, Code]] = {
    "no JSON": ("hello", Code.BAD_MESSAGE),
    "nothing": ("", Code.BAD_MESSAGE),
    "no destination": ('{"data": {}}', Code.BAD_MESSAGE),
    "an unknown destination": (body_of("nobody"), Code.BAD_MESSAGE),
    "a payload that is a list": ('{"destination_id": "acme", "data": []}', Code.BAD_MESSAGE),
    "a time that is none": (body_of(time="yesterday"), Code.BAD_MESSAGE),
    "metadata with a line feed": (body_of(metadata={"a": "\n"}, data={"name": "x"}), Code.BAD_MESSAGE),
    "metadata too large": (body_of(metadata={"a": "x" * 2048}, data={"name": "x"}), Code.BAD_MESSAGE),
    "a key that is null": (body_of(data={}), Code.BAD_KEY),
    "a key that climbs": (body_of(data={"name": "../x"}), Code.BAD_KEY),
    "a key that is too long": (body_of(data={"name": "x" * 1025}), Code.BAD_KEY),
    "a pointer elsewhere": (_pointer(bucket="foreign"), Code.BAD_MESSAGE),
    "a pointer to nothing": (_pointer(key="payloads/gone"), Code.MISSING_FILE),
    "a list": ("[1]", Code.BAD_MESSAGE),
    "a surrogate": ("\ud83d", Code.BAD_MESSAGE),
    "nested without end": ("[" * 100_000, Code.BAD_MESSAGE),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD)
def test_a_bad_message_is_kept_and_done(world: World, body: str, code: Code) -> None:
    bucket = world.destinations.add(key_template=BY_NAME, on_existing="overwrite")
    message = record(body)
    outcome = world.write(message)
    assert (outcome.state, outcome.code) == (State.FAILED, code)
    assert outcome.failure is not None
    kept = world.failures.kept[outcome.failure]
    assert (kept.record, kept.code, kept.text) == (message, code, outcome.text)
    assert bucket.objects == {}
    assert "delay" not in world.journal.deeds()


@pytest.mark.parametrize("body", [body for body, _ in BAD.values()], ids=BAD)
def test_a_bad_message_that_comes_twice_is_one_failure(world: World, body: str) -> None:
    world.destinations.add(key_template=BY_NAME, on_existing="overwrite")
    message = record(body)
    assert world.write(message).failure == world.write(message).failure
    assert len(world.failures.kept) == 1


def test_a_failures_id_names_its_connection_once_that_is_known(world: World) -> None:
    world.destinations.add(key_template=BY_NAME, on_existing="overwrite")
    known = world.write(record(body_of(data={})))
    unknown = world.write(record(body_of("nobody")))
    assert known.connection == "acme"
    assert str(known.failure).startswith("acme:")
    assert unknown.connection is None
    assert str(unknown.failure).startswith("_:")


@pytest.mark.parametrize("deed", ["put", "open", "define"])
def test_what_the_connection_lacks_is_kept_and_done(world: World, deed: str) -> None:
    world.destinations.add()
    world.journal.fail(deed, ACCESS_DENIED)
    outcome = world.write(record())
    assert (outcome.state, outcome.code) == (State.FAILED, Code.MISSING_PERMISSION)
    assert len(world.failures.kept) == 1


@pytest.mark.parametrize("deed", ["put", "open", "define"])
@pytest.mark.parametrize("receives", [1, 3, 20])
def test_what_passes_comes_back_later_and_later(world: World, deed: str, receives: int) -> None:
    world.destinations.add()
    world.journal.fail(deed, SLOW_DOWN)
    message = record(receives=receives)
    outcome = world.write(message)
    assert (outcome.state, outcome.code) == (State.DELAYED, Code.THROTTLED)
    assert world.queue.delays == {message.delivery_id: min(3_600, 30 * 2 ** (receives - 1))}
    assert world.failures.kept == {}


def test_what_nobody_foresaw_comes_back_and_says_nothing_of_the_payload(world: World) -> None:
    world.destinations.add()
    world.journal.fail("put", ZeroDivisionError("s3cr3t"))
    outcome = world.write(record())
    assert outcome.state is State.DELAYED
    assert "ZeroDivisionError" in outcome.text
    assert "s3cr3t" not in outcome.text
    assert world.failures.kept == {}


def test_a_message_that_cannot_be_delayed_comes_back_all_the_same(world: World) -> None:
    world.destinations.add()
    world.journal.fail("put", SLOW_DOWN)
    world.journal.fail("delay", Transient(Code.UNAVAILABLE, "SQS"))
    outcome = world.write(record())
    assert (outcome.state, outcome.code) == (State.DELAYED, Code.THROTTLED)


@pytest.mark.parametrize(
    "error", [SLOW_DOWN, ACCESS_DENIED, ZeroDivisionError("x")], ids=["transient", "permanent", "unforeseen"]
)
@pytest.mark.parametrize("deed", ["keep", "hold"])
def test_a_message_that_cannot_be_kept_is_never_done(world: World, deed: str, error: Exception) -> None:
    world.destinations.add(enabled=deed == "keep", key_template=BY_NAME, on_existing="overwrite")
    world.journal.fail(deed, error)
    world.journal.fail("keep", error)
    message = record(body_of(data={}))
    assert world.write(message).state is State.DELAYED
    assert message.delivery_id in world.queue.delays
    assert not world.failures.kept
    assert not world.failures.held


def test_why_a_failure_could_not_be_kept_is_told(world: World) -> None:
    world.journal.fail("keep", Permanent(Code.KMS_DENIED, "S3 answered AccessDenied"))
    outcome = world.write(record("bad"))
    assert (outcome.state, outcome.code) == (State.DELAYED, Code.KMS_DENIED)


FAILURE = "acme:0123456789abcdef0123456789abcdef"


def test_a_retried_message_that_is_delivered_resolves_its_failure(world: World) -> None:
    world.destinations.add()
    assert world.write(record(failure=FAILURE)).state is State.DELIVERED
    assert world.failures.resolved == [FAILURE]
    assert world.journal.deeds()[-2:] == ["put", "resolve"]


def test_a_message_that_is_no_retry_resolves_nothing(world: World) -> None:
    world.destinations.add()
    world.write(record())
    assert world.failures.resolved == []


def test_a_retried_message_that_fails_again_is_the_same_failure(world: World) -> None:
    world.destinations.add(key_template=BY_NAME, on_existing="overwrite")
    outcome = world.write(record(body_of(data={}), failure=FAILURE))
    assert outcome.failure == FAILURE
    assert list(world.failures.kept) == [FAILURE]


def test_a_failure_that_cannot_be_resolved_now_is_resolved_at_the_next_delivery(world: World) -> None:
    bucket = world.destinations.add()
    world.journal.fail("resolve", Transient(Code.UNAVAILABLE, "DynamoDB"))
    message = record(failure=FAILURE)
    assert world.write(message).state is State.DELAYED
    assert world.write(message).state is State.DELIVERED
    assert world.failures.resolved == [FAILURE]
    assert len(bucket.objects) == 1


def test_a_failure_is_kept_before_its_message_is_done_and_nothing_comes_after(world: World) -> None:
    world.destinations.add()
    world.journal.fail("put", ACCESS_DENIED)
    world.write(record())
    assert world.journal.deeds() == ["define", "open", "keep"]


def test_an_object_is_there_before_its_message_is_done(world: World) -> None:
    world.destinations.add()
    world.write(record())
    assert world.journal.deeds() == ["define", "open", "put"]


def test_a_pointer_is_resolved_whatever_its_size(world: World) -> None:
    bucket = world.destinations.add(body="payload")
    for size in (2, 20_000_000):
        payload = json.dumps({"x": "y" * size})
        world.payloads.bodies["payloads/1"] = (
            f'{{"destination_id": "acme", "id": "{size}", "data": {payload}}}'.encode()
        )
        outcome = world.write(record(_pointer()))
        assert (outcome.state, outcome.size) == (State.DELIVERED, len(payload))
    assert [len(written.body) for written in bucket.objects.values()] == [11, 20_000_009]
    assert world.payloads.held == 0


def test_a_pointer_and_the_body_itself_are_the_same_message(world: World) -> None:
    bucket = world.destinations.add(key_template="metadata.operationId", on_existing="keep")
    body = body_of(id="evt", metadata={"operationId": "op"})
    world.payloads.bodies["payloads/1"] = body.encode()
    assert world.write(record(body)).state is State.DELIVERED
    assert world.write(record(_pointer())).state is State.DELIVERED
    assert len(bucket.objects) == 1


def test_what_is_kept_of_a_pointer_is_the_pointer_as_it_came(world: World) -> None:
    world.destinations.add(key_template=BY_NAME, on_existing="overwrite")
    world.payloads.bodies["payloads/1"] = body_of(data={}).encode()
    outcome = world.write(record(_pointer()))
    assert world.failures.kept[str(outcome.failure)].record.body == _pointer()
    assert world.payloads.held == 0


def test_one_bad_message_never_affects_the_others(world: World) -> None:
    bucket = world.destinations.add()
    messages = [record(body_of(id=str(number)) if number % 2 else "bad") for number in range(10)]
    states = [world.write(message).state for message in messages]
    assert states == [State.FAILED, State.DELIVERED] * 5
    assert len(bucket.objects) == 5
    assert len(world.failures.kept) == 5


_BODIES = st.one_of(
    st.text(),
    st.builds(
        body_of,
        st.sampled_from(["acme", "held", "nobody", ""]),
        data=st.dictionaries(st.just("name"), st.one_of(st.text(), st.integers(), st.none(), st.booleans())),
        metadata=st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
    ),
    st.builds(_pointer, st.sampled_from(["data", "foreign"]), st.sampled_from(["payloads/1", "x"])),
)
_FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["define", "open", "put", "look", "keep", "hold", "resolve", "read"]),
        st.sampled_from([SLOW_DOWN, ACCESS_DENIED, ZeroDivisionError("x")]),
    ),
    max_size=2,
)


@given(_BODIES, _FAULTS, st.sampled_from([None, FAILURE]))
def test_no_message_is_ever_both_lost_and_unreported(
    body: str, faults: list[tuple[str, Exception]], failure: str | None
) -> None:
    world = World()
    bucket = world.destinations.add(key_template=BY_NAME, on_existing="overwrite")
    world.destinations.add("held", enabled=False)
    world.payloads.bodies["payloads/1"] = body_of(data={"name": "x"}).encode()
    for deed, error in faults:
        world.journal.fail(deed, error)
    outcome = world.write(record(body, failure=failure))
    there = {
        State.DELIVERED: bool(bucket.objects),
        State.FAILED: outcome.failure in world.failures.kept,
        State.HELD: outcome.failure in world.failures.held,
        State.DELAYED: True,
    }
    assert there[outcome.state]
