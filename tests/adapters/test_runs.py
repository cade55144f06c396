"""The ledger of runs against DynamoDB, and beside it the one in memory that other tests work with."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.adapters.runs import MAX_MESSAGES, Refusal, RunLedger, shard_of
from functions.core.digests import digest
from functions.core.errors import Code, Transient
from functions.core.runs import (
    END,
    SHARDS,
    Ending,
    Part,
    Piece,
    Run,
    RunState,
    Schema,
    Tally,
    flush_of,
    new_run,
    run_of,
    stream_of,
)
from functions.core.sealing import sealed
from functions.core.streams import StreamContext
from tests.adapters.aws import Aws
from tests.core.record_messages import rows
from tests.fakes import Clock
from tests.memory import MemoryRuns

DAY = 86_400
RUN = new_run(rows(), id=run_of(rows()), now=1_000, flush=None)
STREAM = stream_of(rows())


@pytest.fixture
def table(aws: Aws) -> str:
    return aws.table()


@pytest.fixture
def dynamodb(aws: Aws, table: str) -> RunLedger:
    return _opened(aws, table)


@pytest.fixture(params=["dynamodb", "memory"])
def ledger(request: pytest.FixtureRequest) -> RunLedger:
    if request.param == "memory":
        return MemoryRuns()
    found: RunLedger = request.getfixturevalue("dynamodb")
    return found


def _opened(aws: Aws, table: str) -> RunLedger:
    return RunLedger(aws.client("dynamodb"), table=table, part_days=90, marker_days=430, clock=Clock())


def _items(aws: Aws, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("dynamodb").scan(TableName=table)["Items"]
    return found


def part(*sequences: int, number: int = 0, key: str = "0", **changes: Any) -> Part:
    """A part of messages of these sequences, each of ten bytes and two rows."""
    pieces = tuple(
        Piece(place * 10, 10, 2, sequence, 7, digest(str(sequence)))
        for place, sequence in enumerate(sequences)
    )
    context = changes.pop("context", StreamContext(stream_name="Orders"))
    return Part(key=f"parts/{key * 32}.jsonl", number=number, context=context, pieces=pieces, **changes)


def ids(*sequences: int) -> frozenset[str]:
    return frozenset(digest(str(each)) for each in sequences)


def flush(number: int = 0) -> Run:
    return new_run(rows(), id=flush_of(STREAM, number), now=1_000, flush=number)


def as_sealed(ledger: RunLedger, run: Run) -> Run:
    return sealed(run, ledger.tally(run.id), version=3, now=2_000)


# A run


def test_a_run_that_is_not_there_is_none(ledger: RunLedger) -> None:
    assert ledger.get(RUN.id) is None
    assert list(ledger.of("acme")) == []
    assert list(ledger.unfinished()) == []
    assert (ledger.tally(RUN.id), ledger.parts(RUN.id)) == (Tally(), [])


def test_a_run_begins_once(ledger: RunLedger) -> None:
    assert ledger.begin(RUN) == RUN
    changed = ledger.replace(msgspec.structs.replace(RUN, ending=Ending(batches=3, records_total=9)))
    assert ledger.begin(msgspec.structs.replace(RUN, created_at=5)) == changed == ledger.get(RUN.id)
    assert list(ledger.unfinished()) == [RUN.id]


def test_a_run_that_has_changed_meanwhile_is_not_replaced(ledger: RunLedger) -> None:
    ledger.begin(RUN)
    first = ledger.replace(msgspec.structs.replace(RUN, lease="first"))
    assert first is not None
    assert ledger.replace(msgspec.structs.replace(RUN, lease="second")) is None
    assert ledger.get(RUN.id) == first
    assert ledger.replace(msgspec.structs.replace(first, lease="third"))


def test_a_run_that_is_not_there_is_not_replaced(ledger: RunLedger) -> None:
    assert ledger.replace(RUN) is None
    assert ledger.get(RUN.id) is None


@pytest.mark.parametrize("state", RunState)
def test_only_what_is_open_or_sealed_is_unfinished(ledger: RunLedger, state: RunState) -> None:
    ledger.begin(RUN)
    ledger.replace(msgspec.structs.replace(RUN, state=state))
    expected = [RUN.id] if state in {RunState.OPEN, RunState.SEALED} else []
    assert list(ledger.unfinished()) == expected


def test_a_run_that_is_delivered_does_not_begin_again(ledger: RunLedger) -> None:
    ledger.begin(RUN)
    ledger.replace(msgspec.structs.replace(RUN, state=RunState.DELIVERED))
    assert ledger.begin(RUN).state is RunState.DELIVERED
    assert list(ledger.unfinished()) == []


def test_each_destination_has_its_own_runs_in_the_order_of_their_ids(ledger: RunLedger) -> None:
    runs = [msgspec.structs.replace(RUN, id=f"acme:{digit * 32}") for digit in "9a0"]
    for run in (*runs, msgspec.structs.replace(RUN, id=f"acme-2:{'1' * 32}")):
        ledger.begin(run)
    assert [run.id for run in ledger.of("acme")] == sorted(run.id for run in runs)
    assert len(list(ledger.of("acme-2"))) == 1


def test_unfinished_runs_are_all_listed_whichever_comes_first(ledger: RunLedger) -> None:
    names = [f"acme:{digit * 32}" for digit in SHARDS]
    for name in names:
        ledger.begin(msgspec.structs.replace(RUN, id=name))
    for first in (0, 5, 15, 16, 29_340_178):
        start = first % 16
        assert list(ledger.unfinished(first=first)) == names[start:] + names[:start]


# Parts


def test_a_part_is_taken_and_read_back_as_it_is(ledger: RunLedger) -> None:
    whole = part(
        0,
        1,
        END,
        number=12,
        context=rows(cursor="0001-01-01T00:00:00Z").context,
        schema=Schema(3, 4, "d"),
        started_at=rows(started_at="9999-12-31T23:59:59Z").started_at,
    )
    ledger.begin(RUN)
    assert ledger.commit(RUN.id, whole, scope=RUN.id) is None
    assert ledger.parts(RUN.id) == [whole]
    assert ledger.tally(RUN.id) == Tally(messages=2, sequences=1, rows=4, bytes=20)


def test_an_end_alone_is_a_part_that_counts_for_nothing(ledger: RunLedger) -> None:
    assert ledger.commit(RUN.id, part(END), scope=RUN.id) is None
    assert ledger.tally(RUN.id) == Tally()
    assert len(ledger.parts(RUN.id)) == 1


def test_counts_are_over_all_shards(ledger: RunLedger) -> None:
    for number, digit in enumerate(SHARDS):
        assert ledger.commit(RUN.id, part(number, key=digit), scope=RUN.id) is None
    assert ledger.tally(RUN.id) == Tally(messages=16, sequences=120, rows=32, bytes=160)
    assert len(ledger.parts(RUN.id)) == 16


def test_parts_of_one_object_are_told_apart(ledger: RunLedger) -> None:
    for number in (0, 1, 10):
        assert ledger.commit(RUN.id, part(number, number=number), scope=RUN.id) is None
    assert [each.number for each in ledger.parts(RUN.id)] == [0, 1, 10]


def test_a_message_that_is_there_keeps_the_whole_part_out_and_is_told(ledger: RunLedger) -> None:
    ledger.commit(RUN.id, part(1, 3), scope=RUN.id)
    before = ledger.parts(RUN.id), ledger.tally(RUN.id)
    refusal = ledger.commit(RUN.id, part(0, 1, 2, 3, key="1"), scope=RUN.id)
    assert refusal == Refusal(repeated=ids(1, 3), sealed=False)
    assert (ledger.parts(RUN.id), ledger.tally(RUN.id)) == before
    assert ledger.commit(RUN.id, part(0, 2, key="1"), scope=RUN.id) is None


def test_a_message_is_the_same_within_its_scope_alone(ledger: RunLedger) -> None:
    assert ledger.commit(flush(0).id, part(1), scope=STREAM) is None
    assert ledger.commit(flush(1).id, part(1, key="1"), scope=STREAM) == Refusal(repeated=ids(1))
    assert ledger.commit(RUN.id, part(1), scope=RUN.id) is None


def test_a_run_is_sealed_once_and_takes_nothing_more(ledger: RunLedger) -> None:
    ledger.begin(RUN)
    ledger.commit(RUN.id, part(0), scope=RUN.id)
    run = as_sealed(ledger, RUN)
    assert ledger.seal(run)
    assert not ledger.seal(run)
    assert not ledger.seal(msgspec.structs.replace(run, revision=1))
    assert ledger.get(RUN.id) == msgspec.structs.replace(run, revision=1)
    for digit in SHARDS:
        assert ledger.commit(RUN.id, part(1, key=digit), scope=RUN.id) == Refusal(sealed=True)
    refusal = ledger.commit(RUN.id, part(0, 1, END, key="7"), scope=RUN.id)
    assert refusal == Refusal(repeated=ids(0), sealed=True)
    assert ledger.parts(RUN.id) == [part(0)]
    assert ledger.tally(RUN.id) == Tally(messages=1, rows=2, bytes=10)
    assert list(ledger.unfinished()) == [RUN.id]


def test_a_run_that_has_changed_meanwhile_is_not_sealed_and_still_takes_rows(ledger: RunLedger) -> None:
    ledger.begin(RUN)
    assert ledger.replace(msgspec.structs.replace(RUN, ending=Ending(batches=2)))
    assert not ledger.seal(as_sealed(ledger, RUN))
    assert ledger.commit(RUN.id, part(0), scope=RUN.id) is None


def test_when_a_flush_is_sealed_the_next_takes_the_rows(ledger: RunLedger) -> None:
    assert ledger.flush_number(STREAM) == 0
    for number in range(3):
        ledger.begin(flush(number))
        ledger.commit(flush(number).id, part(number), scope=STREAM)
        assert ledger.flush_number(STREAM) == number
        assert ledger.seal(as_sealed(ledger, flush(number)))
        assert not ledger.seal(as_sealed(ledger, flush(number)))
    assert ledger.flush_number(STREAM) == 3
    assert ledger.flush_number(stream_of(rows(connection_id="other"))) == 0


def test_a_run_that_a_message_ends_is_no_flush(ledger: RunLedger) -> None:
    ledger.begin(RUN)
    assert ledger.seal(as_sealed(ledger, RUN))
    assert ledger.flush_number(STREAM) == 0


_DEEDS = st.lists(
    st.one_of(
        st.tuples(
            st.just("commit"), st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True).map(tuple)
        ),
        st.tuples(st.sampled_from(["begin", "seal", "deliver", "change"]), st.just(())),
    ),
    max_size=12,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_DEEDS)
def test_the_ledger_in_memory_does_as_the_one_in_dynamodb(
    aws: Aws, deeds: list[tuple[str, tuple[int, ...]]]
) -> None:
    # A table for each story: moto copies all of it at every transaction.
    assert _story(_opened(aws, aws.table()), deeds) == _story(MemoryRuns(), deeds)


def _story(ledger: RunLedger, deeds: list[tuple[str, tuple[int, ...]]]) -> list[Any]:
    """What the ledger answers to these deeds, on the flush that takes rows, and what it holds in the end."""
    answers: list[Any] = []
    for number, (deed, sequences) in enumerate(deeds):
        name = flush(ledger.flush_number(STREAM)).id
        run = ledger.get(name)
        if deed == "commit":
            given_part = part(*sequences, key=SHARDS[number])
            answers += [ledger.commit(flush(each).id, given_part, scope=STREAM) for each in (0, 1)]
        elif deed == "begin":
            answers.append(ledger.begin(flush(ledger.flush_number(STREAM))))
        elif run is not None:
            delivered = msgspec.structs.replace(run, state=RunState.DELIVERED)
            answers.append(
                ledger.seal(as_sealed(ledger, run))
                if deed == "seal"
                else ledger.replace(delivered if deed == "deliver" else run)
            )
    names = [flush(number).id for number in range(3)]
    answers += [(ledger.tally(name), ledger.parts(name)) for name in names]
    return [*answers, list(ledger.of("acme")), list(ledger.unfinished()), ledger.flush_number(STREAM)]


# What DynamoDB bounds


def test_a_part_of_as_many_messages_as_there_may_be_is_one_transaction(dynamodb: RunLedger) -> None:
    whole = part(*range(MAX_MESSAGES))
    assert dynamodb.commit(RUN.id, whole, scope=RUN.id) is None
    assert dynamodb.parts(RUN.id) == [whole]
    refusal = dynamodb.commit(RUN.id, part(*range(MAX_MESSAGES), key="1"), scope=RUN.id)
    assert refusal == Refusal(repeated=ids(*range(MAX_MESSAGES)))


def test_more_parts_than_one_page_are_all_read(aws: Aws, table: str, dynamodb: RunLedger) -> None:
    dynamodb.commit(RUN.id, part(0), scope=RUN.id)
    [item] = [each for each in _items(aws, table) if each["sk"]["S"].startswith("part#")]
    whole = part(0, context=StreamContext(stream_name="x" * 300_000))
    for number in range(4):
        copy = {"sk": {"S": f"part#{number}"}, "body": {"B": msgspec.json.encode(whole)}}
        aws.client("dynamodb").put_item(TableName=table, Item=item | copy)
    assert len(dynamodb.parts(RUN.id)) == 5


def test_parts_go_before_what_is_known_of_their_run(aws: Aws, table: str, dynamodb: RunLedger) -> None:
    dynamodb.begin(RUN)
    dynamodb.commit(RUN.id, part(0), scope=RUN.id)
    now = int(Clock().now)
    expiries = {item["sk"]["S"].partition("#")[0]: item.get("expires_at") for item in _items(aws, table)}
    late, soon = {"N": str(now + 430 * DAY)}, {"N": str(now + 90 * DAY)}
    assert expiries["part"] == soon
    assert expiries["state"] == expiries[digest("0")] == expiries[RUN.id.partition(":")[2]] == late
    dynamodb.seal(as_sealed(dynamodb, RUN))
    assert {item["expires_at"]["N"] for item in _items(aws, table) if "sealed" in item} == {late["N"]}


def test_no_row_is_in_the_table(aws: Aws, table: str, dynamodb: RunLedger) -> None:
    dynamodb.begin(RUN)
    dynamodb.commit(RUN.id, part(0), scope=RUN.id)
    kinds = {item["pk"]["S"].partition("#")[0] for item in _items(aws, table)}
    assert kinds == {"runs", "parts", "seen", "unfinished"}


@pytest.mark.parametrize("digit", SHARDS)
def test_the_parts_of_an_object_fall_into_different_shards(digit: str) -> None:
    context = StreamContext(stream_name="orders")
    parts = [
        Part(key=f"parts/{'0' * 31}{digit}.jsonl", number=number, context=context, pieces=())
        for number in range(len(SHARDS))
    ]
    assert shard_of(parts[0]) == digit
    assert {shard_of(part) for part in parts} == set(SHARDS)


# What goes wrong


class Stub:
    """A client of DynamoDB that answers transactions, and reads of many items, as it was told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    def transact_write_items(self, **_: Any) -> Any:
        return self._answer()

    def batch_get_item(self, **_: Any) -> Any:
        return self._answer()

    def _answer(self) -> Any:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def cancelled(*codes: str | None) -> ClientError:
    reasons = [{"Code": code or "None"} for code in codes]
    response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(response, "TransactWriteItems")


def answered(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "TransactWriteItems")


def stubbed(*answers: Any) -> tuple[RunLedger, Stub, list[float]]:
    """A ledger, what it asks, and how long it waited each time."""
    stub, waits = Stub(*answers), list[float]()
    client: Any = stub
    return (
        RunLedger(client, table="t", part_days=1, marker_days=1, sleep=waits.append),
        stub,
        waits,
    )


FAILED, CONFLICT, THROTTLE = "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([{}], None),
        ([cancelled(CONFLICT, None, None, None), {}], None),
        ([cancelled(None, None, None, THROTTLE)] * 5 + [{}], None),
        ([cancelled(), {}], None),
        ([cancelled(FAILED, None, None, None)], Refusal(repeated=ids(0))),
        ([cancelled(None, FAILED, None, None)], Refusal(repeated=ids(1))),
        ([cancelled(FAILED, FAILED, None, FAILED)], Refusal(repeated=ids(0, 1), sealed=True)),
        ([cancelled(None, None, None, FAILED)], Refusal(sealed=True)),
        ([cancelled(FAILED, CONFLICT, None, THROTTLE)], Refusal(repeated=ids(0))),
        (
            [cancelled(CONFLICT, CONFLICT, None, None), cancelled(None, None, None, FAILED)],
            Refusal(sealed=True),
        ),
    ],
)
def test_a_commit_that_is_cancelled_is_refused_or_tried_again(
    answers: list[Any], expected: Refusal | None
) -> None:
    ledger, stub, waits = stubbed(*answers)
    assert ledger.commit(RUN.id, part(0, 1), scope=RUN.id) == expected
    assert stub.asked == len(answers) == len(waits) + 1
    assert waits == sorted(waits) or len(waits) > 1


@pytest.mark.parametrize(
    ("answer", "code", "asked"),
    [
        (cancelled(CONFLICT, None), Code.THROTTLED, 6),
        (cancelled(THROTTLE, None), Code.THROTTLED, 6),
        (cancelled("ProvisionedThroughputExceeded", None), Code.THROTTLED, 6),
        (answered("ProvisionedThroughputExceededException"), Code.THROTTLED, 1),
        (answered("RequestLimitExceeded"), Code.THROTTLED, 1),
        (answered("InternalServerError", 500), Code.UNAVAILABLE, 1),
        (answered("AccessDeniedException"), Code.UNAVAILABLE, 1),
        (EndpointConnectionError(endpoint_url="x"), Code.UNAVAILABLE, 1),
    ],
)
@pytest.mark.parametrize(
    "deed",
    [
        lambda ledger: ledger.commit(RUN.id, part(0), scope=RUN.id),
        lambda ledger: ledger.begin(RUN),
        lambda ledger: ledger.seal(RUN),
        lambda ledger: ledger.replace(RUN),
    ],
    ids=["commit", "begin", "seal", "replace"],
)
def test_what_may_go_right_later_is_transient(
    deed: Callable[[RunLedger], Any], answer: Exception, code: Code, asked: int
) -> None:
    ledger, stub, _ = stubbed(answer)
    with pytest.raises(Transient) as raised:
        deed(ledger)
    assert (raised.value.code, stub.asked) == (code, asked)
    assert RUN.id not in raised.value.text


def test_shards_that_are_not_read_at_once_are_asked_for_again() -> None:
    def answer(messages: int, *, left: bool) -> Any:
        item = {"messages": {"N": str(messages)}, "pk": {"S": "p"}, "sealed": {"BOOL": True}}
        return {"Responses": {"t": [item]}, "UnprocessedKeys": {"t": {}} if left else {}}

    ledger, stub, waits = stubbed(answer(1, left=True), answer(2, left=False))
    assert ledger.tally(RUN.id) == Tally(messages=3)
    assert (stub.asked, len(waits)) == (2, 1)
    ledger, stub, _ = stubbed(answer(1, left=True))
    with pytest.raises(Transient):
        ledger.tally(RUN.id)
    assert stub.asked == 6


def test_a_run_that_is_removed_while_it_begins_is_transient(aws: Aws, table: str) -> None:
    real = aws.client("dynamodb")

    class Vanishing(Stub):
        def get_item(self, **given: Any) -> Any:
            return real.get_item(**given)

    client: Any = Vanishing(cancelled(FAILED, None))
    ledger = RunLedger(client, table=table, part_days=1, marker_days=1)
    with pytest.raises(Transient, match="removed"):
        ledger.begin(msgspec.structs.replace(RUN, id=f"acme:{'f' * 32}"))


def test_a_ledger_that_cannot_be_reached_is_transient(aws: Aws) -> None:
    ledger = RunLedger(aws.client("dynamodb"), table="no-such-table", part_days=1, marker_days=1)
    calls: list[Callable[[], Any]] = [
        lambda: ledger.get(RUN.id),
        lambda: list(ledger.of("acme")),
        lambda: list(ledger.unfinished()),
        lambda: ledger.flush_number(STREAM),
        lambda: ledger.tally(RUN.id),
        lambda: ledger.parts(RUN.id),
        lambda: ledger.begin(RUN),
    ]
    for call in calls:
        with pytest.raises(Transient):
            call()
