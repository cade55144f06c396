"""Transactions in the embedded cloud: all or nothing, and at once from many threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local import transactions
from local.loopback import Loopback
from local.serial import Serial
from tests.adapters.aws import Aws


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    transactions.install()
    with Loopback(Serial(DomainDispatcherApplication(create_backend_app), service="dynamodb")) as server:
        yield Aws(server.url)


@pytest.fixture
def table(aws: Aws) -> str:
    return aws.table()


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "x"}}


def put(table: str, name: str, *, new: bool = True) -> Any:
    condition = {"ConditionExpression": "attribute_not_exists(pk)"} if new else {}
    return {"Put": {"TableName": table, "Item": key(name), **condition}}


def add(table: str, name: str) -> Any:
    values = {":one": {"N": "1"}}
    return {
        "Update": {
            "TableName": table,
            "Key": key(name),
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": values,
        }
    }


def items(aws: Aws, table: str) -> dict[str, Any]:
    found = aws.client("dynamodb").scan(TableName=table)["Items"]
    return {item["pk"]["S"]: item.get("n", {}).get("N") for item in found}


def test_all_of_it_is_done(aws: Aws, table: str) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.put_item(TableName=table, Item=key("old"))
    delete = {"Delete": {"TableName": table, "Key": key("old")}}
    dynamodb.transact_write_items(TransactItems=[put(table, "new"), add(table, "count"), delete])
    assert items(aws, table) == {"new": None, "count": "1"}


def test_nothing_of_it_is_done_where_one_condition_does_not_hold(aws: Aws, table: str) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.transact_write_items(TransactItems=[put(table, "there"), add(table, "count")])
    actions = [add(table, "count"), put(table, "new"), put(table, "there")]
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as refused:
        dynamodb.transact_write_items(TransactItems=actions)
    codes = [reason["Code"] for reason in refused.value.response["CancellationReasons"]]
    assert codes == ["None", "None", "ConditionalCheckFailed"]
    assert items(aws, table) == {"there": None, "count": "1"}


def test_a_table_without_a_sort_key_is_as_one_that_has_one(aws: Aws) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="claims",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def claim(name: str) -> Any:
        item = {"pk": {"S": name}}
        condition = "attribute_not_exists(pk)"
        return {"Put": {"TableName": "claims", "Item": item, "ConditionExpression": condition}}

    delete = {"Delete": {"TableName": "claims", "Key": {"pk": {"S": "gone"}}}}
    dynamodb.transact_write_items(TransactItems=[claim("a"), claim("gone")])
    dynamodb.transact_write_items(TransactItems=[claim("b"), delete])
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=[claim("c"), claim("a")])
    assert items(aws, "claims") == {"a": None, "b": None}


def test_one_that_fails_takes_nothing_from_others_at_the_same_time(aws: Aws, table: str) -> None:
    def each_twice(number: int) -> int:
        dynamodb = aws.client("dynamodb")
        done = 0
        for name in range(20):
            try:
                dynamodb.transact_write_items(
                    TransactItems=[put(table, f"{number // 2}-{name}"), add(table, "n")]
                )
                done += 1
            except dynamodb.exceptions.TransactionCanceledException:
                pass
        return done

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(each_twice, range(4))) == 40
    found = items(aws, table)
    assert (found.pop("n"), len(found)) == ("40", 40)
