"""Passes over sources' buckets in DynamoDB: under `pk` = `scans` one item a source, its latest pass."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from functions.adapters.ledger import Ledger, key_of
from functions.core.scanning import Pass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SCANS = "scans"


class Scans:
    """The latest passes of all sources; `clock` gives seconds since the epoch."""

    def __init__(
        self, dynamodb: "DynamoDBClient", *, table: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._ledger = Ledger(dynamodb, table=table, clock=clock)

    def get(self, source: str) -> Pass | None:
        """The latest pass over a source's bucket; None where there was none."""
        item = self._ledger.item(key_of(_SCANS, source))
        return msgspec.json.decode(item["body"]["B"], type=Pass) if item else None

    def put(self, scan: Pass) -> Pass | None:
        """Store a pass over that of its revision, or, where that is 0, a source's first; as it is then.

        None says that somebody else was before us.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        newer = msgspec.structs.replace(scan, revision=scan.revision + 1)
        item = {
            **key_of(_SCANS, scan.source),
            "body": {"B": msgspec.json.encode(newer)},
            "revision": {"N": str(newer.revision)},
        }
        action = (
            self._ledger.put_over(item, revision=scan.revision)
            if scan.revision
            else self._ledger.put_new(item)
        )
        return newer if self._ledger.transact("recording a pass", [action]) is None else None
