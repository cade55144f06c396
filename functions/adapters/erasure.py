"""A user's events taken out of the event store: parts are rewritten under their keys, and the ledger corrected.

The ledger is corrected first: as long as a part still has events of the user, whoever repeats the erasure does both
again, and once it has none, both are done. An object is replaced only if it is still the one that was read, so that
two erasures at once undo nothing of one another.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.adapters.clients import error_code, translated
from functions.adapters.ledger import Ledger, key_of
from functions.core.erasure import Cleared, prefix_of, without
from functions.core.errors import Code, Permanent, Transient
from functions.core.event_groups import EventPart, hour_of_key
from functions.core.profiles import Subject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_PART = ".jsonl.gz"
_TRIES = 6
_GONE = frozenset({"NoSuchKey", "404"})
_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_SAME = {"ContentType", "ContentEncoding", "Metadata", "StorageClass"}
"""What an object keeps when its content is replaced."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """A part that was looked at: how many events were taken out of it, or why it cannot be read."""

    key: str
    events: int = 0
    fault: Permanent | None = None


class Erasure:
    """The event store of this deployment, in its data bucket.

    `at_once` parts are looked at together; `sleep` waits for some seconds.
    """

    def __init__(
        self,
        s3: "S3Client",
        dynamodb: "DynamoDBClient",
        *,
        bucket: str,
        ledger_table: str,
        at_once: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._table = ledger_table
        self._ledger = Ledger(dynamodb, table=ledger_table, sleep=sleep)
        self._at_once = at_once

    def run(self, subject: Subject, *, after: str = "") -> Iterator[Looked]:
        """Take the events of a user, or of a device without one, out of all parts of the project.

        Parts come in the order of their keys, from the one that comes after `after`; each that is given is done.

        Raises:
            Transient: S3 or DynamoDB cannot do it now; what was given is done.
        """
        with ThreadPoolExecutor(self._at_once) as threads:
            under_way: deque[Future[Looked]] = deque()
            for key in self._keys(prefix_of(subject.project), after):
                under_way.append(threads.submit(self._look, key, subject))
                if len(under_way) > self._at_once:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

    def _keys(self, prefix: str, after: str) -> Iterator[str]:
        begin: Any = {"StartAfter": after} if after else {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, **begin
        )
        with translated("listing events"):
            for page in pages:
                keys = (found["Key"] for found in page.get("Contents", []))
                yield from (key for key in keys if key.endswith(_PART))

    def _look(self, key: str, subject: Subject) -> Looked:
        try:
            return Looked(key=key, events=self._clear(key, subject))
        except Permanent as fault:
            return Looked(key=key, fault=fault)

    def _clear(self, key: str, subject: Subject) -> int:
        """Take the events out of one part; gives how many there were."""
        for attempt in range(_TRIES):
            found = self._read(key)
            cleared = found and without(found["Body"], key, subject)
            if not cleared:
                return 0
            if self._correct(key, cleared) and self._replace(key, found, cleared):
                return cleared.removed
            self._ledger.wait(attempt)
        raise Transient(Code.THROTTLED, f"erasing events: others change {key}")

    def _read(self, key: str) -> dict[str, Any]:
        """The object with its content; empty where it has expired meanwhile."""
        with translated("reading events"):
            try:
                found = self._s3.get_object(Bucket=self._bucket, Key=key)
                return {**found, "Body": found["Body"].read()}
            except ClientError as error:
                if error_code(error) in _GONE:
                    return {}
                raise

    def _correct(self, key: str, cleared: Cleared) -> bool:
        """Have the ledger count what the part will hold; False where others changed it meanwhile.

        Of a part that it does not have, because it was never committed, there is nothing to correct.
        """
        partition = f"parts#{hour_of_key(key).group}#{key.removesuffix(_PART)[-1]}"
        item = self._ledger.item(key_of(partition, f"part#{key}"))
        if not item:
            return True
        before = msgspec.json.decode(item["body"]["B"], type=EventPart)
        after = cleared.of(before)
        if after == before:
            return True
        put = self._ledger.put(
            {**item, "body": {"B": msgspec.json.encode(after)}},
            ConditionExpression="#body = :body",
            ExpressionAttributeNames={"#body": "body"},
            ExpressionAttributeValues={":body": item["body"]},
        )
        counts = self._counted(partition, rows=after.events - before.events, bytes=after.bytes - before.bytes)
        return self._ledger.transact("correcting counts", [put, counts]) is None

    def _counted(self, partition: str, **more: int) -> Any:
        """The action that changes the counts of the part's shard, sealed or not."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": key_of(partition, "state"),
                "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in more),
                "ExpressionAttributeNames": {f"#{name}": name for name in more},
                "ExpressionAttributeValues": {f":{name}": {"N": str(each)} for name, each in more.items()},
            }
        }

    def _replace(self, key: str, found: dict[str, Any], cleared: Cleared) -> bool:
        """Replace the object; False where it is no longer the one that was read."""
        same: Any = {name: found[name] for name in _SAME & found.keys()}
        with translated("rewriting events"):
            try:
                self._s3.put_object(
                    Bucket=self._bucket, Key=key, Body=cleared.body, IfMatch=found["ETag"], **same
                )
            except ClientError as error:
                if error_code(error) in _CHANGED | _GONE:
                    return False
                raise
        return True
