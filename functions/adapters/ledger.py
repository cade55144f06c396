"""The ledger's table: reads that are consistent, transactions that happen whole or say why not.

What groups rows (a run, an hour of a project) has its parts and counts in shards, under `parts#<group>#<shard>`:
one item a part, and `state` with the counts, which also says whether the group is sealed.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.adapters.clients import error_code, translated
from functions.core.errors import Code, Permanent, Transient
from functions.core.runs import SHARDS, Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_ACTIONS = 100
"""Of one transaction."""

_TRIES = 6
_FIRST_WAIT = 0.05
_COUNTS = Tally.__struct_fields__


class Ledger:
    """One table whose items have the keys `pk` and `sk`.

    `clock` gives seconds since the epoch, `sleep` waits for some.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        *,
        table: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._clock = clock
        self._sleep = sleep

    def item(self, key: Mapping[str, Any]) -> Mapping[str, Any]:
        """The item of this key; empty where there is none."""
        with translated("reading the ledger"):
            found = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return found.get("Item", {})

    def query(
        self, partition: str, *, prefix: str = "", after: str = "", consistent: bool = True
    ) -> Iterator[Mapping[str, Any]]:
        """The items of a partition, in the order of `sk`: those that begin with `prefix`, or come `after` one.

        Not `consistent`, it costs half, and may not know what was written within the last second.
        """
        condition, values = "pk = :pk", {":pk": {"S": partition}}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :sk)", values | {":sk": {"S": prefix}}
        elif after:
            condition, values = f"{condition} AND sk > :sk", values | {":sk": {"S": after}}
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=consistent,
        )
        with translated("reading the ledger"):
            for page in pages:
                yield from page["Items"]

    def tally(self, group: str) -> Tally:
        """What was committed to a group so far.

        Raises:
            Transient: DynamoDB cannot say it now.
        """
        total = Tally()
        for item in self.items("counting rows", [_state_key(group, shard) for shard in SHARDS]):
            total += Tally(**{name: int(item[name]["N"]) for name in _COUNTS if name in item})
        return total

    def items(self, what: str, keys: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The items of these keys, at most 100, in no order, without those that are not there.

        Raises:
            Transient: DynamoDB cannot read them all now.
        """
        left: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for attempt in range(_TRIES):
            with translated(what):
                answer = self._dynamodb.batch_get_item(RequestItems=left)
            yield from answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys")
            if not left:
                return
            self.wait(attempt)
        raise Transient(Code.THROTTLED, f"{what}: DynamoDB does not read all items")

    def parts(self, group: str) -> Iterator[Mapping[str, Any]]:
        """The items of a group's parts."""
        for shard in SHARDS:
            yield from self.query(f"parts#{group}#{shard}", prefix="part#")

    def transact(self, what: str, actions: Sequence[Any]) -> list[bool] | None:
        """Do all of it, or say of which actions the condition does not hold.

        Another transaction on the same items, and a throttle, are waited out.

        Raises:
            Permanent: `TOO_LARGE`; an item has more than 400 KB.
            Transient: DynamoDB cannot do it now.
        """
        for attempt in range(_TRIES):
            with translated(what):
                try:
                    self._dynamodb.transact_write_items(TransactItems=actions)
                except ClientError as error:
                    if error_code(error) != "TransactionCanceledException":
                        raise
                    codes = [each.get("Code") for each in error.response.get("CancellationReasons", [])]
                    if "ValidationError" in codes:
                        raise Permanent(Code.TOO_LARGE, f"{what}: DynamoDB takes no such item") from None
                    if "ConditionalCheckFailed" in codes:
                        return [code == "ConditionalCheckFailed" for code in codes]
                else:
                    return None
            self.wait(attempt)
        raise Transient(Code.THROTTLED, f"{what}: others write to the same items")

    def transact_each(self, what: str, deeds: Sequence[Sequence[Any]]) -> frozenset[int]:
        """Do several deeds in one transaction: each is whole or not at all, and one refused stops no other.

        A deed is one or more actions; all deeds together have at most 100. Gives the places of those that were
        refused, because the condition of one of their actions does not hold.

        Raises:
            Transient: DynamoDB cannot do it now; some may be done.
        """
        left, refused = list(range(len(deeds))), set[int]()
        while left:
            reasons = self.transact(what, [action for place in left for action in deeds[place]])
            if reasons is None:
                break
            answers = iter(reasons)
            refused |= {place for place in left if any(list(islice(answers, len(deeds[place]))))}
            left = [place for place in left if place not in refused]
        return frozenset(refused)

    def put(self, item: Mapping[str, Any], **condition: Any) -> Any:
        """The action that puts an item."""
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def put_new(self, item: Mapping[str, Any]) -> Any:
        """The action that puts an item where there is none."""
        return self.put(item, ConditionExpression="attribute_not_exists(pk)")

    def put_over(self, item: Mapping[str, Any], *, revision: int) -> Any:
        """The action that puts an item over that of a revision; the item brings its own, newer one."""
        return self.put(item, **_at(revision))

    def delete(self, key: Mapping[str, Any], **condition: Any) -> Any:
        """The action that deletes an item."""
        return {"Delete": {"TableName": self._table, "Key": key, **condition}}

    def delete_at(self, key: Mapping[str, Any], *, revision: int) -> Any:
        """The action that deletes an item of a revision, and no other."""
        return self.delete(key, **_at(revision))

    def put_part(self, group: str, *, shard: str, name: str, body: bytes, seconds: int) -> Any:
        """The action that adds a part to a group."""
        return self.put(
            {
                **key_of(f"parts#{group}#{shard}", f"part#{name}"),
                "body": {"B": body},
                "expires_at": self.expiry(seconds),
            }
        )

    def count(self, group: str, *, shard: str, tally: Tally, seconds: int) -> Any:
        """The action that counts a part, unless the group is sealed."""
        counts = msgspec.structs.asdict(tally)
        added = ", ".join(f"#{name} :{name}" for name in counts)
        values = {f":{name}": {"N": str(number)} for name, number in counts.items()}
        return {
            "Update": {
                "TableName": self._table,
                "Key": _state_key(group, shard),
                "UpdateExpression": f"SET expires_at = :expires_at ADD {added}",
                "ConditionExpression": "attribute_not_exists(sealed)",
                "ExpressionAttributeNames": {f"#{name}": name for name in counts},
                "ExpressionAttributeValues": {":expires_at": self.expiry(seconds), **values},
            }
        }

    def seal(self, group: str, *, seconds: int) -> list[Any]:
        """The actions that let nothing more into a group, if nobody was before us."""
        values = {":true": {"BOOL": True}, ":expires_at": self.expiry(seconds)}
        return [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": _state_key(group, shard),
                    "UpdateExpression": "SET sealed = :true, expires_at = :expires_at",
                    "ConditionExpression": "attribute_not_exists(sealed)",
                    "ExpressionAttributeValues": values,
                }
            }
            for shard in SHARDS
        ]

    def expiry(self, seconds: int) -> Any:
        """When what is kept for so long expires."""
        return {"N": str(int(self._clock()) + seconds)}

    def wait(self, attempt: int) -> None:
        """Wait before trying again, twice as long each time, and never as long as others do."""
        self._sleep(_FIRST_WAIT * 2**attempt * (0.5 + secrets.randbelow(1000) / 1000))


def key_of(pk: str, sk: str) -> dict[str, Any]:
    """A key of the table."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _at(revision: int) -> dict[str, Any]:
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
    }


def _state_key(group: str, shard: str) -> dict[str, Any]:
    return key_of(f"parts#{group}#{shard}", "state")
