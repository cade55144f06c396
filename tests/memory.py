"""The adapters of streams in memory: buckets, the ledger of runs, definitions, a queue that is sent to.

They stand where their adapters do, share a journal (`tests/fakes.py`), and hold the same conditions.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from functions.adapters.definitions import Definitions, Stored
from functions.adapters.destinations import Current, Destinations, Pinned
from functions.adapters.objects import JSON, Bucket, Content
from functions.adapters.runs import Refusal, RunLedger
from functions.adapters.sending import Sender
from functions.core.definitions.destination import of_another_kind
from functions.core.definitions.streams import StreamDestination
from functions.core.definitions.streams import parse as parse_streams
from functions.core.errors import Code, Permanent
from functions.core.outgoing import Outgoing
from functions.core.runs import SHARDS, Part, Run, RunState, Tally
from tests.fakes import Journal


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An object of a bucket."""

    body: bytes
    metadata: dict[str, str]
    storage_class: str
    content: Content


class MemoryBucket(Bucket):
    """A bucket in memory, of ours or of a customer's, as the adapter of S3 is used."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal if journal is not None else Journal()
        self.objects: dict[str, Kept] = {}

    def put(
        self,
        key: str,
        body: bytes | Path,
        *,
        metadata: Mapping[str, str] | None = None,
        content: Content = JSON,
        storage_class: str = "STANDARD",
        create: bool = False,
    ) -> bool:
        """As the adapter says."""
        self.journal.note("put", key)
        if create and key in self.objects:
            return False
        self.objects[key] = Kept(
            body=body.read_bytes() if isinstance(body, Path) else body,
            metadata=dict(metadata or {}),
            storage_class=storage_class,
            content=content,
        )
        return True

    def get(self, key: str) -> bytes:
        """As the adapter says."""
        self.journal.note("get", key)
        if key not in self.objects:
            raise Permanent(Code.MISSING_FILE, "S3 answered NoSuchKey")
        return self.objects[key].body

    def get_range(self, key: str, *, start: int, length: int) -> bytes:
        """As the adapter says."""
        return self.get(key)[start : start + length]

    def delete(self, key: str) -> None:
        """As the adapter says."""
        self.journal.note("delete", key)
        self.objects.pop(key, None)


class MemoryRuns(RunLedger):
    """The ledger of runs in memory, with the conditions of the one in DynamoDB, which it is tested beside."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal if journal is not None else Journal()
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._parts: defaultdict[str, dict[tuple[str, int], Part]] = defaultdict(dict)
        self._seen: set[tuple[str, str]] = set()
        self._sealed: set[str] = set()
        self._flushes: dict[str, int] = {}
        self._unfinished: set[str] = set()

    def get(self, run: str) -> Run | None:
        """As the adapter says."""
        self.journal.note("get run", run)
        return self._runs.get(run)

    def of(self, destination: str) -> Iterator[Run]:
        """As the adapter says."""
        return iter([run for _, run in sorted(self._runs.items()) if run.destination == destination])

    def unfinished(self, *, first: int = 0) -> Iterator[str]:
        """As the adapter says."""
        start = first % len(SHARDS)
        for shard in SHARDS[start:] + SHARDS[:start]:
            yield from sorted(run for run in self._unfinished if run.partition(":")[2][0] == shard)

    def flush_number(self, stream: str) -> int:
        """As the adapter says."""
        self.journal.note("flush number", stream)
        return self._flushes.get(stream, 0)

    def begin(self, run: Run) -> Run:
        """As the adapter says."""
        self.journal.note("begin", run.id)
        with self._lock:
            if run.id not in self._runs:
                self._runs[run.id] = run
                self._unfinished.add(run.id)
            return self._runs[run.id]

    def commit(self, run: str, part: Part, *, scope: str) -> Refusal | None:
        """As the adapter says."""
        self.journal.note("commit", run, part.key)
        with self._lock:
            markers = {(scope, piece.identity) for piece in part.pieces}
            assert len(markers) == len(part.pieces), "DynamoDB takes an item once in a transaction"
            repeated = frozenset(identity for _, identity in markers & self._seen)
            if repeated or run in self._sealed:
                return Refusal(repeated=repeated, sealed=run in self._sealed)
            self._seen |= markers
            self._parts[run][part.key, part.number] = part
            return None

    def tally(self, run: str) -> Tally:
        """As the adapter says."""
        self.journal.note("tally", run)
        return sum((part.tally for part in self.parts(run)), Tally())

    def parts(self, run: str) -> list[Part]:
        """As the adapter says."""
        with self._lock:
            return [part for _, part in sorted(self._parts[run].items())]

    def seal(self, run: Run) -> bool:
        """As the adapter says."""
        self.journal.note("seal", run.id)
        with self._lock:
            if run.id in self._sealed or not self._replaced(run):
                return False
            self._sealed.add(run.id)
            if run.flush is not None:
                self._flushes[run.stream] = run.flush + 1
            return True

    def replace(self, run: Run) -> Run | None:
        """As the adapter says."""
        self.journal.note("replace", run.id, run.state)
        with self._lock:
            if not self._replaced(run):
                return None
            if run.state not in {RunState.OPEN, RunState.SEALED}:
                self._unfinished.discard(run.id)
            return self._runs[run.id]

    def expire(self, run: str, *, parts: int) -> None:
        """Forget some of a run's parts, as their time is over."""
        for name in list(self._parts[run])[:parts]:
            self._parts[run].pop(name)

    def forget(self, run: str) -> None:
        """Forget a run whose time is over, as DynamoDB does: not at once all of it."""
        self._runs.pop(run)

    def _replaced(self, run: Run) -> bool:
        there = self._runs.get(run.id)
        if there is None or there.revision != run.revision:
            return False
        self._runs[run.id] = msgspec.structs.replace(run, revision=run.revision + 1)
        return True


class FakeSender(Sender):
    """A queue that is sent to."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal if journal is not None else Journal()
        self.sent: list[Outgoing] = []

    def send(self, messages: Iterable[Outgoing]) -> int:
        """As the adapter says."""
        given = list(messages)
        self.journal.note("send", *(message.body for message in given))
        self.sent += given
        return len(given)


class FakeDefinitions(Definitions):
    """The table of definitions, of destinations of streams."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal if journal is not None else Journal()
        self.versions: defaultdict[str, list[Stored]] = defaultdict(list)
        self.deleted: set[str] = set()

    def add(self, name: str = "acme", **changes: Any) -> Stored:
        """Store the next version of a destination: NDJSON, unless something else is said."""
        document = {
            "name": name,
            "kind": "streams",
            "bucket": f"{name}-data",
            "format": "ndjson",
            "credentials": {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"},
        }
        stored = Stored(
            name=name,
            version=len(self.versions[name]) + 1,
            document=document | changes,
            created_at="2025-10-14T02:58:59Z",
            external_id="sluice-1",
        )
        self.versions[name].append(stored)
        return stored

    def current(self, name: str) -> Stored | None:
        """As the adapter says."""
        self.journal.note("define", name)
        return None if name in self.deleted or name not in self.versions else self.versions[name][-1]

    def version(self, name: str, number: int) -> Stored | None:
        """As the adapter says."""
        found = self.versions.get(name, [])
        return found[number - 1] if 0 < number <= len(found) else None


class FakeStreamDestinations(Destinations[StreamDestination]):
    """The destinations of streams that there are definitions of, each with a bucket of its own."""

    def __init__(self, definitions: FakeDefinitions) -> None:
        self.definitions = definitions
        self.buckets: defaultdict[str, MemoryBucket] = defaultdict(
            lambda: MemoryBucket(self.definitions.journal)
        )

    def definition(self, name: str) -> StreamDestination | None:
        """As the adapter says."""
        stored = self.definitions.current(name)
        if stored is not None and stored.kind != "streams":
            raise of_another_kind(name, stored.kind)
        return None if stored is None else parse_streams(stored.document)

    def current(self, name: str) -> Current[StreamDestination] | None:
        """As the adapter says."""
        destination = self.definition(name)
        if destination is None:
            return None
        return Current(destination=destination, version=self.definitions.versions[name][-1].version)

    def bucket(self, name: str) -> MemoryBucket:
        """As the adapter says."""
        return self.buckets[name]

    def version(self, name: str, number: int) -> Pinned[StreamDestination]:
        """As the adapter says."""
        stored = self.definitions.version(name, number)
        if stored is None:
            raise Permanent(Code.BAD_MESSAGE, f"there is no version {number} of the destination")
        return Pinned(destination=parse_streams(stored.document), bucket=self.buckets[name])
