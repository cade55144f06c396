"""Runs in DynamoDB: what was staged, what is sealed, what is delivered.

| pk | sk | item |
|---|---|---|
| `runs#<destination>` | digest | the run, as `functions.core.runs.Run` |
| `parts#<run>#<shard>` | `state` | the shard's counts; sealed or not |
| `parts#<run>#<shard>` | `part#<object>#<number>` | a part |
| `seen#<run or stream>#<digit>` | identity | the marker of a message |
| `flush#<stream>` | `current` | the number of the flush that takes rows |
| `unfinished#<digit>` | run | a run that the planner looks after |
"""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.ledger import MAX_ACTIONS, Ledger, key_of
from functions.core.errors import Code, Transient
from functions.core.runs import SHARDS, Part, Run, RunState, Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_MESSAGES = MAX_ACTIONS - 2
"""Of one part: beside their markers a transaction has the part and its shard's counts."""

_DAY = 86_400


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a part was not taken: messages of it are there already, or its run is sealed, or both."""

    repeated: frozenset[str] = frozenset()
    sealed: bool = False


class RunLedger:
    """The runs of all destinations.

    `part_days` is how long parts are kept, `marker_days` how long a repeated message is known; `clock` gives
    seconds since the epoch, `sleep` waits for some.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        *,
        table: str,
        part_days: int,
        marker_days: int,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = Ledger(dynamodb, table=table, clock=clock, sleep=sleep)
        self._part_seconds = part_days * _DAY
        self._marker_seconds = marker_days * _DAY

    def get(self, run: str) -> Run | None:
        """The run as it now stands."""
        item = self._ledger.item(_run_key(run))
        return msgspec.json.decode(item["body"]["B"], type=Run) if item else None

    def of(self, destination: str) -> Iterator[Run]:
        """The runs of a destination, in the order of their ids."""
        for item in self._ledger.query(f"runs#{destination}"):
            yield msgspec.json.decode(item["body"]["B"], type=Run)

    def unfinished(self, *, first: int = 0) -> Iterator[str]:
        """The runs that are open, or sealed and not delivered, beginning with another shard for each `first`."""
        start = first % len(SHARDS)
        for shard in SHARDS[start:] + SHARDS[:start]:
            for item in self._ledger.query(f"unfinished#{shard}"):
                yield item["sk"]["S"]

    def flush_number(self, stream: str) -> int:
        """The number of the flush that takes a continuous stream's rows."""
        item = self._ledger.item(key_of(f"flush#{stream}", "current"))
        return int(item["number"]["N"]) if item else 0

    def begin(self, run: Run) -> Run:
        """The run that is there, or this one, which then is.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        actions = [self._ledger.put_new(self._item(run)), self._ledger.put(self._entry(run))]
        if self._ledger.transact("beginning a run", actions) is None:
            return run
        there = self.get(run.id)
        if there is None:
            raise Transient(Code.UNAVAILABLE, "beginning a run: it has just been removed")
        return there

    def commit(self, run: str, part: Part, *, scope: str) -> Refusal | None:
        """Add a part to a run, whole or not at all; None says that it was taken.

        `scope` is within what a message is repeated: its run, or its continuous stream.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        shard = shard_of(part)
        name = f"{part.key}#{part.number:05d}"
        body = msgspec.json.encode(part)
        reasons = self._ledger.transact(
            "committing rows",
            [
                *(self._marker(scope, piece.identity) for piece in part.pieces),
                self._ledger.put_part(run, shard=shard, name=name, body=body, seconds=self._part_seconds),
                self._ledger.count(run, shard=shard, tally=part.tally, seconds=self._marker_seconds),
            ],
        )
        if reasons is None:
            return None
        places = zip(part.pieces, reasons, strict=False)
        repeated = frozenset(piece.identity for piece, failed in places if failed)
        return Refusal(repeated=repeated, sealed=reasons[-1])

    def tally(self, run: str) -> Tally:
        """What was committed to a run so far."""
        return self._ledger.tally(run)

    def parts(self, run: str) -> list[Part]:
        """The parts of a run; once it is sealed these are always the same."""
        return [msgspec.json.decode(item["body"]["B"], type=Part) for item in self._ledger.parts(run)]

    def seal(self, run: Run) -> bool:
        """Let nothing more into a run, which is given as it is when sealed; False where somebody was before us.

        Of a continuous stream the next flush takes the rows from now on.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        actions = [*self._ledger.seal(run.id, seconds=self._marker_seconds), self._replaced(run)]
        if run.flush is not None:
            number = {"number": {"N": str(run.flush + 1)}}
            actions.append(self._ledger.put(key_of(f"flush#{run.stream}", "current") | number))
        return self._ledger.transact("sealing a run", actions) is None

    def replace(self, run: Run) -> Run | None:
        """Store a run that was changed; None where it has been changed by somebody else since it was read.

        A run that is delivered, failed or skipped is no longer among the unfinished.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        actions = [self._replaced(run)]
        if run.state not in {RunState.OPEN, RunState.SEALED}:
            actions.append(self._ledger.delete(_unfinished(run.id)))
        return _newer(run) if self._ledger.transact("recording a run", actions) is None else None

    def _replaced(self, run: Run) -> Any:
        return self._ledger.put_over(self._item(_newer(run)), revision=run.revision)

    def _item(self, run: Run) -> dict[str, Any]:
        return {
            **_run_key(run.id),
            "body": {"B": msgspec.json.encode(run)},
            "revision": {"N": str(run.revision)},
            "expires_at": self._ledger.expiry(self._marker_seconds),
        }

    def _entry(self, run: Run) -> dict[str, Any]:
        return {**_unfinished(run.id), "expires_at": self._ledger.expiry(self._marker_seconds)}

    def _marker(self, scope: str, identity: str) -> Any:
        key = key_of(f"seen#{scope}#{identity[0]}", identity)
        return self._ledger.put_new(key | {"expires_at": self._ledger.expiry(self._marker_seconds)})


def _newer(run: Run) -> Run:
    return msgspec.structs.replace(run, revision=run.revision + 1)


def shard_of(part: Part) -> str:
    """The shard of a part: its object's name ends in digits of chance, and neighbours are in different ones."""
    return SHARDS[(int(part.key.rpartition(".")[0][-1], len(SHARDS)) + part.number) % len(SHARDS)]


def _run_key(run: str) -> dict[str, Any]:
    destination, _, digest = run.partition(":")
    return key_of(f"runs#{destination}", digest)


def _unfinished(run: str) -> dict[str, Any]:
    return key_of(f"unfinished#{run.partition(':')[2][0]}", run)
