"""Claims on insert ids: of the events of a project that bring the same one within a week, one is let in.

A claim's `pk` is a digest of project, insert id and device (of the user, where there is no device); it says which
record of which chunk holds it, until `expires_at`. What it costs is in docs/scale.md.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from functions.adapters.ledger import MAX_ACTIONS, Ledger
from functions.core.chunks import Claim
from functions.core.digests import digest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAYS = 7
"""For how long a claim holds."""

_NAMES = {"#chunk": "chunk", "#record": "record"}
_OURS = "#chunk = :chunk AND #record = :record"


class Claims:
    """The claims of all projects; `at_once` transactions are under way together.

    `clock` gives seconds since the epoch, `sleep` waits for some.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        *,
        table: str,
        at_once: int = 8,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._ledger = Ledger(dynamodb, table=table, clock=clock, sleep=sleep)
        self._at_once = at_once
        self._clock = clock

    def claim(self, chunk: str, wanted: Sequence[Claim], *, project: int) -> frozenset[int]:
        """Claim these insert ids, no two of which are the same; gives the records that were refused theirs.

        A record that has claimed its id before has it still; DynamoDB deletes what has expired days later, so what
        has expired counts as gone.

        Raises:
            Transient: DynamoDB cannot do it now; to ask again gives what was claimed.
        """
        return self._each("claiming insert ids", wanted, lambda each: self._put(chunk, each, project))

    def release(self, chunk: str, held: Sequence[Claim], *, project: int) -> None:
        """Give up the claims of a chunk that will not be output; those of others stay.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        self._each("releasing insert ids", held, lambda each: self._delete(chunk, each, project))

    def _each(self, what: str, claims: Sequence[Claim], action: Callable[[Claim], Any]) -> frozenset[int]:
        """The records whose action was refused."""

        def some(at: int) -> list[int]:
            pack = claims[at : at + MAX_ACTIONS]
            return [
                pack[place].record
                for place in self._ledger.transact_each(what, [[action(each)] for each in pack])
            ]

        with ThreadPoolExecutor(self._at_once) as threads:
            return frozenset(
                record
                for refused in threads.map(some, range(0, len(claims), MAX_ACTIONS))
                for record in refused
            )

    def _put(self, chunk: str, claim: Claim, project: int) -> Any:
        holder = _holder(chunk, claim)
        return self._ledger.put(
            {
                **_key(claim, project),
                "chunk": holder[":chunk"],
                "record": holder[":record"],
                "expires_at": self._ledger.expiry(DAYS * 86_400),
            },
            ConditionExpression=f"attribute_not_exists(pk) OR ({_OURS}) OR expires_at < :now",
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues={**holder, ":now": self._ledger.expiry(0)},
        )

    def _delete(self, chunk: str, claim: Claim, project: int) -> Any:
        return {
            "Delete": {
                "TableName": self._table,
                "Key": _key(claim, project),
                "ConditionExpression": _OURS,
                "ExpressionAttributeNames": _NAMES,
                "ExpressionAttributeValues": _holder(chunk, claim),
            }
        }


def _key(claim: Claim, project: int) -> dict[str, Any]:
    return {"pk": {"S": digest(str(project), claim.insert_id, claim.device)}}


def _holder(chunk: str, claim: Claim) -> dict[str, Any]:
    return {":chunk": {"S": chunk}, ":record": {"N": str(claim.record)}}
