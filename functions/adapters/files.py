"""Files of sources in DynamoDB: each begun once, its chunks committed with the parts that hold them.

| pk | sk | item |
|---|---|---|
| `files#<source>` | the key | the file, as `functions.core.imports.ImportFile` |
| `unfinished-files#<digit>` | digest | source and key of a file that the planner looks after |
| `parts#<project>-<hour>#<shard>` | `part#<key>` | a part of the event store |

Strings are ordered by their bytes of UTF-8, as S3 lists keys. A file's item does not expire: it goes when a pass
over the whole bucket no longer finds the key.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.ledger import MAX_ACTIONS, Ledger, key_of
from functions.core.errors import Code, Permanent
from functions.core.event_groups import EventPart, hour_of_key
from functions.core.imports import FileState, ImportFile
from functions.core.runs import SHARDS, Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DAY = 86_400
_UNFINISHED = frozenset({FileState.WAITING, FileState.READING})


class GroupPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the event store, and the group that it is to be committed to."""

    group: str
    part: EventPart


class FileLedger:
    """The files of all sources; `event_days` is how long events are kept, `clock` gives seconds since the epoch."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        *,
        table: str,
        event_days: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = Ledger(dynamodb, table=table, clock=clock)
        self._event_seconds = event_days * _DAY

    def get(self, source: str, key: str) -> ImportFile | None:
        """The file as it now stands."""
        item = self._ledger.item(_file_key(source, key))
        return _file(item) if item else None

    def each(self, names: Sequence[tuple[str, str]]) -> Iterator[ImportFile]:
        """The files of these sources and keys, at most 100, in no order, without those that are not there.

        Raises:
            Transient: DynamoDB cannot read them all now.
        """
        keys = [_file_key(source, key) for source, key in names]
        for item in self._ledger.items("reading files", keys):
            yield _file(item)

    def of(self, source: str, *, after: str = "", consistent: bool = True) -> Iterator[ImportFile]:
        """The files of a source in the order of their keys, from the one that comes after `after`.

        Not `consistent`, it costs half, and may not know what was written within the last second.
        """
        for item in self._ledger.query(f"files#{source}", after=after, consistent=consistent):
            yield _file(item)

    def unfinished(self, *, first: int = 0) -> Iterator[tuple[str, str]]:
        """Sources and keys of files that wait or are being read, beginning with another shard for each `first`."""
        start = first % len(SHARDS)
        for shard in SHARDS[start:] + SHARDS[:start]:
            for item in self._ledger.query(f"unfinished-files#{shard}"):
                yield item["source"]["S"], item["key"]["S"]

    def begin(self, file: ImportFile) -> ImportFile | None:
        """Put a file that nobody knew; None says that it is known already.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        return file if self._ledger.transact("recording a file", self._begun(file)) is None else None

    def begin_each(self, files: Iterable[ImportFile]) -> Iterator[ImportFile]:
        """Put many files; those are given, once they are there, that nobody knew.

        Raises:
            Transient: DynamoDB cannot do it now; those that were given are there.
        """
        rest = iter(files)
        while some := list(islice(rest, MAX_ACTIONS // 2)):
            known = self._ledger.transact_each("recording files", [self._begun(file) for file in some])
            yield from (file for place, file in enumerate(some) if place not in known)

    def replace(self, file: ImportFile) -> ImportFile | None:
        """Store a file that was changed; None where it has been changed by somebody else since it was read.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        actions = self._replaced(file)
        return _newer(file) if self._ledger.transact("recording a file", actions) is None else None

    def reopen(self, file: ImportFile) -> ImportFile | None:
        """Store a file that was done with, and now waits again; None as for `replace`.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        actions = [*self._replaced(file), self._ledger.put(_entry(file))]
        return _newer(file) if self._ledger.transact("reopening a file", actions) is None else None

    def commit(self, file: ImportFile, parts: Sequence[GroupPart]) -> ImportFile | frozenset[str] | None:
        """Commit a chunk: its parts, and the file as it is after it, all or nothing.

        The groups that are sealed meanwhile are given where there are such; None where the file has been changed
        by somebody else.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        actions = self._replaced(file)
        first = len(actions)
        for each in parts:
            actions += self._counted(each)
        reasons = self._ledger.transact("committing a chunk", actions)
        if reasons is None:
            return _newer(file)
        if reasons[0]:
            return None
        counts = reasons[first + 1 :: 2]
        return frozenset(each.group for each, sealed in zip(parts, counts, strict=True) if sealed)

    def void(self, file: ImportFile) -> None:
        """Take what was committed of a file out of the event store's groups; the objects go with their files.

        Raises:
            Permanent: `LATE`; an hour of them is sealed, and may have been exported.
            Transient: DynamoDB cannot do it now.
        """
        for key in file.parts:
            hour = hour_of_key(key)
            item = self._ledger.item(_part_key(hour.group, key))
            if not item:
                continue  # an earlier attempt has taken it out
            part = msgspec.json.decode(item["body"]["B"], type=EventPart)
            tally = Tally(messages=-1, rows=-part.events, bytes=-part.bytes)
            actions = [
                self._ledger.delete(_part_key(hour.group, key)),
                self._ledger.count(hour.group, shard=_shard(key), tally=tally, seconds=self._event_seconds),
            ]
            if self._ledger.transact("voiding a chunk", actions) is not None:
                text = (
                    "a part of what was imported of the file may have been exported: it cannot be begun anew"
                )
                raise Permanent(Code.LATE, text)

    def forget(self, file: ImportFile) -> None:
        """Remove a file that is no longer in its bucket; what was imported of it stays.

        One that has been changed by somebody else since it was read is left as it is.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        there = self._ledger.delete_at(_file_key(file.source, file.key), revision=file.revision)
        self._ledger.transact("forgetting a file", [there, self._ledger.delete(_unfinished(file))])

    def _begun(self, file: ImportFile) -> list[Any]:
        return [self._ledger.put_new(_item(file)), self._ledger.put(_entry(file))]

    def _replaced(self, file: ImportFile) -> list[Any]:
        actions = [self._ledger.put_over(_item(_newer(file)), revision=file.revision)]
        if file.state in _UNFINISHED:
            return actions
        return [*actions, self._ledger.delete(_unfinished(file))]

    def _counted(self, each: GroupPart) -> list[Any]:
        part = each.part
        shard = _shard(part.key)
        tally = Tally(messages=1, rows=part.events, bytes=part.bytes)
        body = msgspec.json.encode(part)
        seconds = self._event_seconds
        return [
            self._ledger.put_part(each.group, shard=shard, name=part.key, body=body, seconds=seconds),
            self._ledger.count(each.group, shard=shard, tally=tally, seconds=seconds),
        ]


def _shard(key: str) -> str:
    """The shard of a part, whose name ends in digits of a digest."""
    return key.rpartition(".jsonl")[0][-1]


def _part_key(group: str, key: str) -> dict[str, Any]:
    return key_of(f"parts#{group}#{_shard(key)}", f"part#{key}")


def _newer(file: ImportFile) -> ImportFile:
    return msgspec.structs.replace(file, revision=file.revision + 1)


def _file(item: Any) -> ImportFile:
    return msgspec.json.decode(item["body"]["B"], type=ImportFile)


def _item(file: ImportFile) -> dict[str, Any]:
    return {
        **_file_key(file.source, file.key),
        "body": {"B": msgspec.json.encode(file)},
        "revision": {"N": str(file.revision)},
    }


def _file_key(source: str, key: str) -> dict[str, Any]:
    return key_of(f"files#{source}", key)


def _unfinished(file: ImportFile) -> dict[str, Any]:
    return key_of(f"unfinished-files#{file.digest[0]}", file.digest)


def _entry(file: ImportFile) -> dict[str, Any]:
    return {**_unfinished(file), "source": {"S": file.source}, "key": {"S": file.key}}
