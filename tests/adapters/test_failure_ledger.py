from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from functions.adapters.failures import FailureLedger
from functions.adapters.objects import Bucket
from functions.core.errors import Code, Permanent, SluiceError, Transient
from functions.core.failures import State, failure_id
from functions.core.instants import Instant
from functions.core.records import Record
from tests.adapters.aws import Aws
from tests.adapters.stub_s3 import StubS3, refusal
from tests.fakes import Clock

Open = Callable[..., Bucket]
DIGEST = "0123456789abcdef0123456789abcdef"
FAILURE = f"acme:{DIGEST}"
DAY = 86_400


def _record(body: str = '{"a": 1}', **changes: Any) -> Record:
    record = Record(
        delivery_id="d-1",
        message_id="m-1",
        receipt_handle="r-1",
        body=body,
        sent=Instant.from_milliseconds(1_760_410_739_323),
        receives=1,
    )
    return msgspec.structs.replace(record, **changes)


def _bad(text: str = "why") -> Permanent:
    return Permanent(Code.BAD_KEY, text)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(aws: Aws) -> str:
    return aws.bucket()


@pytest.fixture
def table(aws: Aws) -> str:
    return aws.table()


@pytest.fixture
def ledger(aws: Aws, opened: Open, bucket: str, table: str, clock: Clock) -> FailureLedger:
    return FailureLedger(
        aws.client("dynamodb"), table=table, bucket=opened(bucket), retention_days=400, clock=clock
    )


def _items(aws: Aws, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("dynamodb").scan(TableName=table)["Items"]
    return found


def test_a_failure_is_kept_with_all_that_is_known_of_it(
    aws: Aws, ledger: FailureLedger, bucket: str, clock: Clock
) -> None:
    ledger.keep(_record(), _bad(), failure=FAILURE)
    found = ledger.show(FAILURE)
    assert found is not None
    assert msgspec.to_builtins(found) == {
        "id": FAILURE,
        "connection": "acme",
        "state": "open",
        "first_at": "2025-10-14T02:58:59Z",
        "last_at": "2025-10-14T02:58:59Z",
        "attempts": 1,
        "message_id": "m-1",
        "sent_ms": 1_760_410_739_323,
        "body_key": f"failures/acme/{DIGEST}.json",
        "code": "BAD_KEY",
        "text": "why",
    }
    assert datetime.fromtimestamp(clock.now, UTC).isoformat() == "2025-10-14T02:58:59+00:00"
    assert aws.body(bucket, found.body_key) == b'{"a": 1}'


@pytest.mark.parametrize("body", ["", "hello", '{"z":  1.0, "u": "\\ud83d"}', "größe 😀", "x" * 1_048_576])
def test_the_body_is_kept_as_it_came(ledger: FailureLedger, body: str) -> None:
    ledger.keep(_record(body), _bad(), failure=FAILURE)
    assert ledger.body(FAILURE) == body.encode()


def test_a_message_that_fails_again_is_the_same_failure_with_one_more_attempt(
    ledger: FailureLedger, clock: Clock
) -> None:
    ledger.keep(_record(), _bad("first"), failure=FAILURE)
    clock.now += 60
    ledger.keep(_record(), Permanent(Code.EXISTS, "second"), failure=FAILURE)
    [found] = ledger.of("acme")
    assert (found.attempts, found.code, found.text) == (2, Code.EXISTS, "second")
    assert (found.first_at, found.last_at) == ("2025-10-14T02:58:59Z", "2025-10-14T02:59:59Z")


def test_a_failure_that_was_settled_is_open_once_it_fails_again(ledger: FailureLedger) -> None:
    ledger.keep(_record(), _bad(), failure=FAILURE)
    ledger.resolve(FAILURE)
    ledger.keep(_record(), _bad(), failure=FAILURE)
    found = ledger.show(FAILURE)
    assert found is not None
    assert found.state is State.OPEN


def test_a_failure_is_kept_for_as_long_as_was_said(
    aws: Aws, ledger: FailureLedger, table: str, clock: Clock
) -> None:
    ledger.keep(_record(), _bad(), failure=FAILURE)
    ledger.hold(_record(), connection="acme", failure=FAILURE)
    assert {item["expires_at"]["N"] for item in _items(aws, table)} == {str(int(clock.now) + 400 * DAY)}


def test_every_item_carries_a_schema(aws: Aws, ledger: FailureLedger, table: str) -> None:
    ledger.keep(_record(), _bad(), failure=FAILURE)
    ledger.hold(_record(), connection="acme", failure=FAILURE)
    assert [item["schema"]["N"] for item in _items(aws, table)] == ["1", "1"]


def test_no_body_is_in_the_table(aws: Aws, ledger: FailureLedger, table: str) -> None:
    ledger.keep(_record('{"s3cr3t": 1}'), _bad(), failure=FAILURE)
    ledger.hold(_record('{"s3cr3t": 1}'), connection="acme", failure=FAILURE)
    assert "s3cr3t" not in repr(_items(aws, table))


def test_a_message_that_is_delivered_resolves_its_failure(ledger: FailureLedger, clock: Clock) -> None:
    ledger.keep(_record(), _bad(), failure=FAILURE)
    clock.now += 60
    ledger.resolve(FAILURE)
    found = ledger.show(FAILURE)
    assert found is not None
    assert (found.state, found.last_at, found.attempts) == (State.RESOLVED, "2025-10-14T02:59:59Z", 1)


def test_a_failure_that_is_not_known_is_nobodys(aws: Aws, ledger: FailureLedger, table: str) -> None:
    ledger.resolve(FAILURE)
    assert not ledger.skip(FAILURE)
    assert ledger.show(FAILURE) is None
    assert _items(aws, table) == []


def test_a_failure_is_skipped(ledger: FailureLedger) -> None:
    ledger.keep(_record(), _bad(), failure=FAILURE)
    assert ledger.skip(FAILURE)
    found = ledger.show(FAILURE)
    assert found is not None
    assert found.state is State.SKIPPED


def test_each_connection_has_its_own_failures(ledger: FailureLedger) -> None:
    for connection in ("acme", "acme-2", None):
        ledger.keep(_record(), _bad(), failure=failure_id(connection, DIGEST))
    assert [found.id for found in ledger.of("acme")] == [FAILURE]
    assert [found.id for found in ledger.of("_")] == [f"_:{DIGEST}"]
    assert list(ledger.of("other")) == []


def test_held_messages_are_listed_in_the_order_that_they_were_sent_in(ledger: FailureLedger) -> None:
    sent = {"b": 30, "a": 200, "d": 1_760_410_739_323, "c": 1_760_410_739_324}
    for letter, milliseconds in reversed(sent.items()):
        record = _record(sent=Instant.from_milliseconds(milliseconds))
        ledger.hold(record, connection="acme", failure=f"acme:{letter * 32}")
    held = list(ledger.held("acme"))
    assert [found.id for found in held] == [f"acme:{letter * 32}" for letter in sent]
    assert {found.state for found in held} == {State.HELD}
    assert [found.sent_ms for found in held] == list(sent.values())


def test_a_held_messages_body_is_there_to_be_sent_again(ledger: FailureLedger) -> None:
    ledger.hold(_record("the body"), connection="acme", failure=FAILURE)
    [held] = ledger.held("acme")
    assert ledger.body(held.id) == b"the body"


def test_a_message_that_is_held_twice_is_held_once(ledger: FailureLedger) -> None:
    ledger.hold(_record(), connection="acme", failure=FAILURE)
    ledger.hold(_record(), connection="acme", failure=FAILURE)
    assert len(list(ledger.held("acme"))) == 1


def test_a_message_that_was_released_is_held_no_more(ledger: FailureLedger) -> None:
    ledger.hold(_record(), connection="acme", failure=FAILURE)
    ledger.hold(_record(sent=Instant.from_milliseconds(1)), connection="acme", failure=f"acme:{'f' * 32}")
    first, second = ledger.held("acme")
    ledger.release(first)
    assert [found.id for found in ledger.held("acme")] == [second.id]


def test_held_messages_are_no_failures_and_failures_are_not_held(ledger: FailureLedger) -> None:
    ledger.hold(_record(), connection="acme", failure=FAILURE)
    assert list(ledger.of("acme")) == []
    ledger.keep(_record(), _bad(), failure=FAILURE)
    assert len(list(ledger.of("acme"))) == len(list(ledger.held("acme"))) == 1


def test_more_failures_than_one_page_are_all_listed(ledger: FailureLedger) -> None:
    for number in range(12):
        ledger.keep(_record(), _bad("x" * 100_000), failure=f"acme:{number:032x}")
    assert len(list(ledger.of("acme"))) == 12


@pytest.mark.parametrize("deed", ["keep", "hold"])
def test_there_is_no_record_without_a_body(
    aws: Aws, opened: Open, stub: StubS3, table: str, deed: str
) -> None:
    stub.answer = lambda _: refusal(403, "AccessDenied")
    ledger = FailureLedger(
        aws.client("dynamodb"), table=table, bucket=opened("data", endpoint_url=stub.url), retention_days=1
    )
    with pytest.raises(SluiceError):
        _do(ledger, deed)
    assert _items(aws, table) == []


@pytest.mark.parametrize("deed", ["keep", "hold"])
def test_a_record_that_cannot_be_written_is_told(aws: Aws, opened: Open, bucket: str, deed: str) -> None:
    ledger = FailureLedger(
        aws.client("dynamodb"), table="no-such-table", bucket=opened(bucket), retention_days=1
    )
    with pytest.raises(Transient):
        _do(ledger, deed)
    assert aws.keys(bucket) == [f"failures/acme/{DIGEST}.json"]


def _do(ledger: FailureLedger, deed: str) -> None:
    if deed == "keep":
        ledger.keep(_record(), _bad(), failure=FAILURE)
    else:
        ledger.hold(_record(), connection="acme", failure=FAILURE)


def test_a_ledger_that_cannot_be_reached_is_transient(aws: Aws, opened: Open, bucket: str) -> None:
    ledger = FailureLedger(
        aws.client("dynamodb"), table="no-such-table", bucket=opened(bucket), retention_days=1
    )
    calls: list[Callable[[], Any]] = [
        lambda: ledger.resolve(FAILURE),
        lambda: ledger.skip(FAILURE),
        lambda: ledger.show(FAILURE),
        lambda: list(ledger.of("acme")),
        lambda: list(ledger.held("acme")),
    ]
    for call in calls:
        with pytest.raises(Transient):
            call()
