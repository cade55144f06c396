"""Failures in DynamoDB, and the bodies of their messages in the data bucket.

Under `pk` = `failures#<connection>` stands one item a failure, `sk` its digest; under `pk` = `held#<connection>`
one item a held message, `sk` its SentTimestamp and digest, so that they are released in order.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.adapters.clients import error_code, translated
from functions.adapters.objects import Bucket
from functions.core.errors import Permanent
from functions.core.failures import Failure, State, body_key, connection_of
from functions.core.records import Queue, Record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SCHEMA = 1
"""Of the items; a release reads its own and the one before."""

_ATTEMPT = (
    "SET first_at = if_not_exists(first_at, :now), last_at = :now, #state = :state, #code = :code, #text = :text,"
    " message_id = :message_id, sent_ms = :sent_ms, queue = :queue, expires_at = :expires_at, #schema = :schema"
    " ADD attempts :one"
)
_RESERVED_WORDS = {"#state": "state", "#code": "code", "#text": "text", "#schema": "schema"}


class FailureLedger:
    """The failures of all connections.

    `retention_days` is how long a failure is kept; `queue` is where the messages came from; `clock` gives seconds
    since the epoch.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        *,
        table: str,
        bucket: Bucket,
        retention_days: int,
        queue: Queue = Queue.MESSAGES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._bucket = bucket
        self._retention_seconds = retention_days * 86_400
        self._queue = queue
        self._clock = clock

    def keep(self, record: Record, error: Permanent, *, failure: str) -> None:
        """Keep a message that failed for good, then record why: a record always has its body.

        Raises:
            Transient: One of the two could not be done; the message must not be acknowledged.
        """
        self._bucket.put(body_key(failure), record.body.encode(errors="surrogatepass"))
        with translated("recording a failure"):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_failure_key(failure),
                UpdateExpression=_ATTEMPT,
                ExpressionAttributeNames=_RESERVED_WORDS,
                ExpressionAttributeValues={
                    ":now": {"S": self._now()},
                    ":state": {"S": State.OPEN},
                    ":code": {"S": error.code},
                    ":text": {"S": error.text},
                    ":message_id": {"S": record.message_id},
                    ":sent_ms": {"N": str(record.sent.nanoseconds // 1_000_000)},
                    ":queue": {"S": self._queue},
                    ":expires_at": self._expiry(),
                    ":schema": {"N": str(SCHEMA)},
                    ":one": {"N": "1"},
                },
            )

    def hold(self, record: Record, *, connection: str, failure: str) -> None:
        """Keep a message for a destination that is disabled; delivered later, it resolves `failure`.

        Raises:
            Transient: It could not be kept; the message must not be acknowledged.
        """
        self._bucket.put(body_key(failure), record.body.encode(errors="surrogatepass"))
        sent_ms = record.sent.nanoseconds // 1_000_000
        with translated("holding a message"):
            self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    **_held_key(connection, sent_ms, failure),
                    "failure": {"S": failure},
                    "first_at": {"S": self._now()},
                    "last_at": {"S": self._now()},
                    "state": {"S": State.HELD},
                    "message_id": {"S": record.message_id},
                    "sent_ms": {"N": str(sent_ms)},
                    "attempts": {"N": "0"},
                    "queue": {"S": self._queue},
                    "expires_at": self._expiry(),
                    "schema": {"N": str(SCHEMA)},
                },
            )

    def resolve(self, failure: str) -> None:
        """Record that the message has been delivered; a failure that is not known is nobody's."""
        self._settle(failure, State.RESOLVED)

    def skip(self, failure: str) -> bool:
        """Record that the message is not to be delivered; False where there is no such failure."""
        return self._settle(failure, State.SKIPPED)

    def show(self, failure: str) -> Failure | None:
        """One failure, or held message, as it now stands."""
        with translated("reading a failure"):
            found = self._dynamodb.get_item(
                TableName=self._table, Key=_failure_key(failure), ConsistentRead=True
            )
        if "Item" in found:
            return _failure(found["Item"])
        return next((held for held in self.held(connection_of(failure)) if held.id == failure), None)

    def of(self, connection: str) -> Iterator[Failure]:
        """The failures of a connection, in the order of their ids."""
        yield from self._query(f"failures#{connection}")

    def held(self, connection: str) -> Iterator[Failure]:
        """The messages that are held for a connection, oldest first."""
        yield from self._query(f"held#{connection}")

    def release(self, held: Failure) -> None:
        """Forget that a message is held, once it has been sent again."""
        key = _held_key(held.connection, held.sent_ms, held.id)
        with translated("releasing a message"):
            self._dynamodb.delete_item(TableName=self._table, Key=key)

    def body(self, failure: str) -> bytes:
        """The body of the message, as it came."""
        return self._bucket.get(body_key(failure))

    def _settle(self, failure: str, state: State) -> bool:
        with translated("settling a failure"):
            try:
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key=_failure_key(failure),
                    UpdateExpression="SET #state = :state, last_at = :now",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={":state": {"S": state}, ":now": {"S": self._now()}},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def _query(self, partition: str) -> Iterator[Failure]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
        )
        with translated("listing failures"):
            for page in pages:
                yield from map(_failure, page["Items"])

    def _now(self) -> str:
        return f"{datetime.fromtimestamp(self._clock(), UTC):%Y-%m-%dT%H:%M:%SZ}"

    def _expiry(self) -> Any:
        return {"N": str(int(self._clock()) + self._retention_seconds)}


def _failure_key(failure: str) -> dict[str, Any]:
    return {"pk": {"S": f"failures#{connection_of(failure)}"}, "sk": {"S": failure.partition(":")[2]}}


def _held_key(connection: str, sent_ms: int, failure: str) -> dict[str, Any]:
    return {"pk": {"S": f"held#{connection}"}, "sk": {"S": f"{sent_ms:015d}#{failure.partition(':')[2]}"}}


def _failure(item: Mapping[str, Any]) -> Failure:
    plain = {name: next(iter(value.values())) for name, value in item.items()}
    connection = plain["pk"].partition("#")[2]
    plain["id"] = plain.get("failure") or f"{connection}:{plain['sk']}"
    plain["connection"] = connection
    plain["body_key"] = body_key(plain["id"])
    return msgspec.convert(plain, Failure, strict=False)
