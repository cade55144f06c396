import json
from typing import Any

import pytest

from functions.adapters.inbox import Inbox
from functions.core.errors import Code, Permanent, Transient
from functions.core.messages import POINTER_CLASS, sluice_id
from functions.core.outcomes import Outcome, State
from tests.fakes import FakeFailures, FakePayloads, FakeQueue, Journal
from tests.message_writer.records import record

BAD = Permanent(Code.BAD_KEY, "why")
SLOW = Transient(Code.THROTTLED, "S3 answered SlowDown")
DIGEST = "0123456789abcdef0123456789abcdef"
FAILURE = f"acme:{DIGEST}"


class Office:
    """An inbox among fakes that share one journal."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.payloads = FakePayloads(self.journal)
        self.failures = FakeFailures(self.journal)
        self.queue = FakeQueue(self.journal)
        self.inbox = Inbox(payloads=self.payloads, failures=self.failures, queue=self.queue)


@pytest.fixture
def office() -> Office:
    return Office()


def _pointer(bucket: str, key: str) -> str:
    return json.dumps([POINTER_CLASS, {"s3BucketName": bucket, "s3Key": key}])


@pytest.mark.parametrize("body", ["", "{}", "größe", "\ud83d"])
def test_a_body_is_what_was_sent(office: Office, body: str) -> None:
    with office.inbox.body(record(body)) as found:
        assert found == body.encode(errors="surrogatepass")


def test_a_pointers_body_is_what_it_points_to_and_held_no_longer_than_it_is_used(office: Office) -> None:
    office.payloads.bodies["payloads/1"] = b"the body"
    with office.inbox.body(record(_pointer("data", "payloads/1"))) as found:
        assert found == b"the body"
        assert office.payloads.held == 1
    assert office.payloads.held == 0


@pytest.mark.parametrize("body", ["[", "[1]", _pointer("other", "payloads/1"), _pointer("data", "absent")])
def test_a_pointer_to_nothing_is_permanent(office: Office, body: str) -> None:
    with pytest.raises(Permanent), office.inbox.body(record(body)):
        pass


@pytest.mark.parametrize(
    ("changes", "connection", "digest", "expected"),
    [
        ({}, "acme", DIGEST, FAILURE),
        ({}, None, DIGEST, f"_:{DIGEST}"),
        ({"failure": f"acme:{'f' * 32}"}, "acme", DIGEST, f"acme:{'f' * 32}"),
        ({"failure": f"_:{'f' * 32}"}, "acme", DIGEST, f"_:{'f' * 32}"),
        ({"failure": f"other:{'f' * 32}"}, "acme", DIGEST, FAILURE),
        ({"failure": f"acme:{'f' * 32}"}, None, DIGEST, f"_:{DIGEST}"),
        ({"message_id": "m"}, "acme", None, f"acme:{sluice_id('m', b'the body')}"),
    ],
)
def test_a_failure_is_kept_under_the_name_that_it_had_or_gets(
    office: Office, changes: dict[str, Any], connection: str | None, digest: str | None, expected: str
) -> None:
    message = record("the body", **changes)
    outcome = office.inbox.failed(message, BAD, connection=connection, digest=digest)
    assert outcome == Outcome(
        state=State.FAILED, connection=connection, failure=expected, code=Code.BAD_KEY, text="why"
    )
    assert office.failures.kept[expected].record == message


def test_a_failure_that_cannot_be_kept_is_told(office: Office) -> None:
    office.journal.fail("keep", SLOW)
    with pytest.raises(Transient):
        office.inbox.failed(record(), BAD, connection="acme")


def test_a_message_is_held_under_the_name_that_it_had_or_gets(office: Office) -> None:
    outcome = office.inbox.held(record(), connection="acme", digest=DIGEST)
    assert outcome == Outcome(state=State.HELD, connection="acme", failure=FAILURE)
    again = record(failure=f"acme:{'f' * 32}")
    assert office.inbox.held(again, connection="acme", digest=DIGEST).failure == again.failure
    assert office.failures.holders == {FAILURE: "acme", f"acme:{'f' * 32}": "acme"}


def test_a_message_that_is_done_resolves_the_failure_that_it_is_a_retry_of_and_no_other(
    office: Office,
) -> None:
    outcome = Outcome(state=State.STAGED, connection="acme")
    for failure in (None, FAILURE, f"other:{DIGEST}"):
        assert office.inbox.done(record(failure=failure), outcome) is outcome
    assert office.failures.resolved == [FAILURE]


def test_a_failure_is_overcome_whoever_asks(office: Office) -> None:
    office.inbox.overcome(FAILURE)
    assert office.failures.resolved == [FAILURE]


@pytest.mark.parametrize(
    ("receives", "seconds"), [(1, 30), (2, 60), (5, 480), (8, 3_600), (20, 3_600), (1_000, 3_600)]
)
def test_a_message_is_put_off_for_longer_each_time(office: Office, receives: int, seconds: int) -> None:
    message = record(receives=receives)
    outcome = office.inbox.delayed(message, SLOW)
    assert (outcome.state, outcome.code, outcome.text) == (
        State.DELAYED,
        Code.THROTTLED,
        "S3 answered SlowDown",
    )
    assert office.queue.delays == {message.delivery_id: seconds}


def test_of_what_was_not_foreseen_the_type_and_the_place_are_told_and_never_the_text(office: Office) -> None:
    absent: dict[str, str] = {}
    with pytest.raises(KeyError) as raised:
        absent["s3cr3t"]
    outcome = office.inbox.delayed(record(), raised.value)
    assert outcome.code is Code.UNAVAILABLE
    assert "KeyError in test_of_what_was_not_foreseen" in outcome.text
    assert "s3cr3t" not in outcome.text


def test_a_message_that_cannot_be_put_off_comes_back_all_the_same(office: Office) -> None:
    office.journal.fail("delay", SLOW)
    outcome = office.inbox.delayed(record(), BAD)
    assert (outcome.state, outcome.text) == (State.DELAYED, "why; it could not be delayed")
