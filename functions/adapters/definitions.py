"""Definitions in DynamoDB: every version kept, a new one put only over the version it was made from.

Under `pk` = `destination#<name>` stand `sk` = `current`, one `v<number>` for each version that there was, and
`external-id`; under `pk` = `destinations` one item a name, for listings. Sources likewise, under `source#<name>`
and `sources`; and under `pk` = `bucket#<bucket>` one item for each source that reads the bucket.
"""

import secrets
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.adapters.clients import error_code, translated
from functions.core.definitions.destination import Destination
from functions.core.definitions.parsing import parse_definition, parse_destination
from functions.core.errors import Code, Permanent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from functions.core.definitions.sources import Source

SCHEMA = 1
"""Of the items; a release reads its own and the one before."""


class What(StrEnum):
    """What a definition is of."""

    DESTINATION = "destination"
    SOURCE = "source"


class Stored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a definition as it is stored: secrets masked, what we issued and found out beside it.

    `verified` is when access was last found in order, None when it was stored with `--no-verify`.
    """

    name: str
    version: int
    document: dict[str, Any]
    created_at: str
    external_id: str
    secret_arn: str | None = None
    verified: str | None = None
    schema: int = SCHEMA

    @property
    def kind(self) -> str:
        """The kind of the destination or the source."""
        return str(self.document.get("kind"))

    @property
    def bucket(self) -> str:
        """The bucket that it is connected to."""
        return str(self.document.get("bucket"))

    def connection(self) -> "Destination | Source":
        """The checked destination or source."""
        return parse_definition(self.document)

    def destination(self) -> Destination:
        """The checked destination."""
        return parse_destination(self.document)

    def source(self) -> "Source":
        """The checked source."""
        # Its libraries are not everybody's.
        from functions.core.definitions.sources import parse_source  # noqa: PLC0415 - as said

        return parse_source(self.document)


_LONGEST_NAME = 64
"""Of anything that is defined. A message can name anything, and DynamoDB refuses keys of more than 2,048 bytes."""


class Definitions:
    """The definitions of destinations, or those of sources; `dynamodb` is a low-level client."""

    def __init__(self, dynamodb: "DynamoDBClient", *, table: str, what: What = What.DESTINATION) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self.what = what

    def current(self, name: str) -> Stored | None:
        """The newest version, or None where there is none of this name. Reads are consistent."""
        return self._stored(name, "current")

    def version(self, name: str, number: int) -> Stored | None:
        """One version, as it was."""
        return self._stored(name, _version_key(number))

    def names(self, *, deleted: bool = False) -> Iterator[str]:
        """The names of all of them, in order; also of those that are no more, if `deleted`."""
        found = (item for item in self._items(self._names) if deleted or "deleted" not in item)
        return (item["sk"]["S"] for item in found)

    def of_bucket(self, bucket: str) -> Iterator[str]:
        """The names of the sources that read this bucket, in order."""
        return (item["sk"]["S"] for item in self._items(_of_bucket(bucket)))

    def put(self, stored: Stored) -> None:
        """Store a version, which must follow the current one.

        Raises:
            Permanent: `EXISTS`; somebody else has stored that version first.
        """
        item = {"body": {"B": msgspec.json.encode(stored)}, "version": {"N": str(stored.version)}}
        key = self._pk(stored.name)
        self._transact(
            stored.name,
            self._put(
                {**_key(key, "current"), **item},
                ConditionExpression="attribute_not_exists(pk) OR #version = :before",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":before": {"N": str(stored.version - 1)}},
            ),
            # Of two who store the same version at once, one is too late, whatever is current.
            self._put(
                {**_key(key, _version_key(stored.version)), **item},
                ConditionExpression="attribute_not_exists(pk)",
            ),
            self._put({**_key(self._names, stored.name), "version": item["version"]}),
            *self._indexed(stored),
            *self._follows(key, stored.version),
        )

    def delete(self, stored: Stored) -> None:
        """Forget the current version and the external id, which is never issued again; the versions stay.

        Raises:
            Permanent: `EXISTS`; somebody else has stored a newer version meanwhile.
        """
        key = self._pk(stored.name)
        self._transact(
            stored.name,
            self._delete(
                _key(key, "current"),
                ConditionExpression="#version = :before",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":before": {"N": str(stored.version)}},
            ),
            self._delete(_key(key, "external-id")),
            # The name stays known: its failures are still somebody's to look at.
            self._put({**_key(self._names, stored.name), "deleted": {"BOOL": True}}),
            *self._unindexed(stored),
        )

    def issue_external_id(self, name: str) -> str:
        """The external id of this connection: random, made when it is first asked for, and then the same."""
        made = f"sluice-{secrets.token_urlsafe(24)}"
        with translated("issuing an external id"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item={**_key(self._pk(name), "external-id"), "external_id": {"S": made}},
                    ConditionExpression="attribute_not_exists(pk)",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return str(self._item(name, "external-id")["external_id"]["S"])
        return made

    def last_version(self, name: str) -> int:
        """The number of the newest version that there ever was, 0 where there was none."""
        with translated("reading versions"):
            found = self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :v)",
                ExpressionAttributeValues={":pk": {"S": self._pk(name)}, ":v": {"S": "v0"}},
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=1,
            )["Items"]
        return int(found[0]["version"]["N"]) if found else 0

    def _stored(self, name: str, sort_key: str) -> Stored | None:
        item = self._item(name, sort_key)
        return msgspec.json.decode(item["body"]["B"], type=Stored) if item else None

    def _item(self, name: str, sort_key: str) -> Mapping[str, Any]:
        if len(name) > _LONGEST_NAME:
            return {}
        with translated("reading a definition"):
            found = self._dynamodb.get_item(
                TableName=self._table, Key=_key(self._pk(name), sort_key), ConsistentRead=True
            )
        return found.get("Item", {})

    def _transact(self, name: str, *actions: Any) -> None:
        with translated("storing a definition"):
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
            except ClientError as error:
                if not _refused_by_condition(error):
                    raise
                text = f"{name} was changed by somebody else meanwhile; look at it and try again"
                raise Permanent(Code.EXISTS, text) from None

    def _items(self, pk: str) -> Iterator[Any]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        with translated("listing definitions"):
            for page in pages:
                yield from page["Items"]

    def _indexed(self, stored: Stored) -> list[Any]:
        """The entry by which arrivals find a source, and the removal of that which it replaces."""
        if self.what is not What.SOURCE:
            return []
        before = self.current(stored.name)
        # Another version than the one before this is refused by the transaction anyhow.
        stale = self._unindexed(before) if before and before.bucket != stored.bucket else []
        return [self._put(_key(_of_bucket(stored.bucket), stored.name)), *stale]

    def _unindexed(self, stored: Stored) -> list[Any]:
        if self.what is not What.SOURCE:
            return []
        return [self._delete(_key(_of_bucket(stored.bucket), stored.name))]

    def _follows(self, pk: str, version: int) -> list[Any]:
        """The check that there was a version before this one; the first has none."""
        if version == 1:
            return []
        there = {"Key": _key(pk, _version_key(version - 1)), "ConditionExpression": "attribute_exists(pk)"}
        return [{"ConditionCheck": {"TableName": self._table, **there}}]

    @property
    def _names(self) -> str:
        return f"{self.what}s"

    def _pk(self, name: str) -> str:
        return f"{self.what}#{name}"

    def _put(self, item: Mapping[str, Any], **condition: Any) -> Any:
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def _delete(self, key: Mapping[str, Any], **condition: Any) -> Any:
        return {"Delete": {"TableName": self._table, "Key": key, **condition}}


def _refused_by_condition(error: ClientError) -> bool:
    """Whether a transaction was cancelled because a condition did not hold, and not by a throttle or a conflict."""
    reasons: Any = error.response.get("CancellationReasons", [])
    return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)


def _of_bucket(bucket: str) -> str:
    return f"bucket#{bucket}"


def _version_key(number: int) -> str:
    return f"v{number:06d}"


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
