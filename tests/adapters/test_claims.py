"""Claims on insert ids against DynamoDB: of two who claim one, one has it, and has it again."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters.claims import Claims
from functions.core.chunks import Claim
from functions.core.errors import Code, Transient
from tests.adapters.aws import Aws
from tests.fakes import Clock

WEEK = 7 * 86_400


class Table:
    """A table of claims, and chunks that claim in it, one transaction at a time: moto's are not safe on threads."""

    def __init__(self, aws: Aws) -> None:
        self.name = aws.name("claims")
        self.client = aws.client("dynamodb")
        self.client.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.clock = Clock()
        self.claims = Claims(self.client, table=self.name, at_once=1, clock=self.clock, sleep=lambda _: None)

    def claim(self, chunk: str, *wanted: Claim, project: int = 7) -> frozenset[int]:
        return self.claims.claim(chunk, wanted, project=project)

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.scan(TableName=self.name)["Items"]
        return found


@pytest.fixture
def table(aws: Aws) -> Table:
    return Table(aws)


def claim(record: int, insert_id: str | None = None, device: str = "phone-1") -> Claim:
    return Claim(record, insert_id or f"id-{record}", device)


def test_what_another_chunk_has_is_refused_and_the_rest_is_claimed(table: Table) -> None:
    assert table.claim("one", claim(1), claim(2, "both")) == frozenset()
    assert table.claim("two", claim(1, "both"), claim(2, "mine")) == {1}
    assert table.claim("three", claim(5, "mine"), claim(6, "both"), claim(7)) == {5, 6}


def test_a_repeated_chunk_finds_its_own_claims_and_no_others(table: Table) -> None:
    table.claim("one", claim(1), claim(2))
    assert table.claim("one", claim(1), claim(2), claim(3)) == frozenset()
    assert table.claim("one", claim(9, "id-2")) == {9}


def test_the_same_insert_id_of_another_device_or_project_is_another(table: Table) -> None:
    table.claim("one", claim(1))
    assert table.claim("two", claim(1, device="phone-2")) == frozenset()
    assert table.claim("two", claim(1), project=8) == frozenset()


def test_what_has_expired_is_claimed_though_it_is_still_there(table: Table) -> None:
    table.claim("one", claim(1))
    table.clock.now += WEEK
    assert table.claim("two", claim(1)) == {1}
    table.clock.now += 1
    assert table.claim("two", claim(1)) == frozenset()
    [item] = table.items()
    assert item["expires_at"] == {"N": str(int(table.clock.now) + WEEK)}
    assert table.claim("one", claim(1)) == {1}


def test_more_claims_than_one_transaction_takes(table: Table) -> None:
    table.claim("one", *(claim(number) for number in range(0, 250, 7)))
    refused = table.claim("two", *(claim(number) for number in range(250)))
    assert refused == set(range(0, 250, 7))
    assert len(table.items()) == 250


def test_no_claims_are_no_call(table: Table) -> None:
    assert table.claim("one") == frozenset()


def test_a_chunk_that_gives_up_releases_its_own_claims_and_no_others(table: Table) -> None:
    table.claim("one", claim(1), claim(2))
    table.claim("two", claim(1, "id-3"))
    table.claims.release("one", [claim(1), claim(2), claim(3), claim(4)], project=7)
    table.claims.release("one", [claim(1)], project=7)
    assert table.claim("three", claim(1), claim(2), claim(3)) == {3}


def test_conflicts_and_throttles_are_waited_out(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = [{"Code": "TransactionConflict"}, {"Code": "ThrottlingError"}]
    response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    answers: list[Any] = [ClientError(response, "TransactWriteItems")] * 2
    write = table.client.transact_write_items

    def fail_at_first(**request: Any) -> Any:
        if answers:
            raise answers.pop()
        return write(**request)

    monkeypatch.setattr(table.client, "transact_write_items", fail_at_first)
    assert table.claim("one", claim(1), claim(2)) == frozenset()
    assert len(table.items()) == 2
    answers += [ClientError(response, "TransactWriteItems")] * 20
    with pytest.raises(Transient) as caught:
        table.claim("one", claim(3))
    assert caught.value.code is Code.THROTTLED
