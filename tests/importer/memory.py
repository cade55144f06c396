"""What an import works with, in memory: it holds the conditions that S3 and DynamoDB hold, and can end anywhere."""

import gzip
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from functions.adapters.claims import Claims
from functions.adapters.event_store import EventStore
from functions.adapters.files import FileLedger, GroupPart
from functions.adapters.outputs import QueueOutputs
from functions.adapters.profiles import Applied, ProfileBook
from functions.adapters.sources import OpenSource, Sources
from functions.core.chunks import Change, Claim
from functions.core.definitions.sources import parse_source
from functions.core.errors import Code, Permanent
from functions.core.event_groups import hour_of_key
from functions.core.imports import Found, ImportFile, waiting
from functions.core.profiles import Kept, Origin, Outcome, Subject, decode, effects, fold
from functions.importer.chunk import ChunkWriter
from functions.importer.read import FileReader, Limits
from tests.core.source_documents import SMALLEST
from tests.fakes import Clock, Journal
from tests.memory import MemoryBucket

SECONDS = 900
"""That a process has."""

STAMPS = ("client_upload_time", "processed_time", "server_received_time", "server_upload_time")


class Killed(BaseException):
    """A process ended, and nobody could do anything about it."""


class Steps(Journal):
    """A journal that a process ends in: before a deed of these numbers, counted from when the last one ended."""

    def __init__(self, *kills: int) -> None:
        super().__init__()
        self._kills = list(kills)
        self._left = self._kills.pop(0) if kills else None

    def note(self, deed: str, *about: str) -> None:
        """It is about to be done, or the process ends."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self._left = self._kills.pop(0) if self._kills else None
                raise Killed
        super().note(deed, *about)


class DropBucket(MemoryBucket):
    """A bucket that files are read from."""

    def fetch(self, key: str, path: Path, *, etag: str) -> None:
        """As the adapter says."""
        self.journal.note("fetch", key)
        if key not in self.objects:
            raise Permanent(Code.MISSING_FILE, "S3 answered NoSuchKey")
        assert etag == "e1"
        path.write_bytes(self.objects[key].body)


class MemoryFiles(FileLedger):
    """The ledger of files: revisions are compared, a chunk is committed whole, a sealed group takes no part."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.files: dict[str, ImportFile] = {}
        self.parts: dict[str, GroupPart] = {}
        self.sealed: set[str] = set()

    def replace(self, file: ImportFile) -> ImportFile | None:
        """As the adapter says."""
        self.journal.note("replace", file.key)
        return self._replaced_in_memory(file)

    def commit(self, file: ImportFile, parts: Sequence[GroupPart]) -> ImportFile | frozenset[str] | None:
        """As the adapter says."""
        self.journal.note("commit", file.key)
        if self.files[file.key].revision != file.revision:
            return None
        if late := frozenset(each.group for each in parts if each.group in self.sealed):
            return late
        for each in parts:
            assert each.part.key not in self.parts, "a part is committed once"
            self.parts[each.part.key] = each
        return self._replaced_in_memory(file)

    def _replaced_in_memory(self, file: ImportFile) -> ImportFile | None:
        there = self.files.get(file.key)
        if there is not None and there.revision != file.revision:
            return None
        self.files[file.key] = msgspec.structs.replace(file, revision=file.revision + 1)
        return self.files[file.key]


class MemoryClaims(Claims):
    """Claims, each of which is a step."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.held: dict[tuple[int, str, str], tuple[str, int]] = {}

    def claim(self, chunk: str, wanted: Sequence[Claim], *, project: int) -> frozenset[int]:
        """As the adapter says."""
        refused = set()
        for each in wanted:
            self.journal.note("claim", each.insert_id)
            mine = (chunk, each.record)
            if self.held.setdefault((project, each.insert_id, each.device), mine) != mine:
                refused.add(each.record)
        return frozenset(refused)


class MemoryProfiles(ProfileBook):
    """Properties; each subject of a chunk is a step, with its marker."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.kept: dict[Subject, Kept] = {}
        self.applied: dict[tuple[str, Subject], Outcome] = {}

    def apply(self, chunk: str, changes: Iterable[Change], *, origin: Origin) -> Applied:
        """As the adapter says."""
        outcomes = []
        for subject, deeds in effects(changes, origin).items():
            self.journal.note("apply", subject.id)
            if (chunk, subject) not in self.applied:
                folded = fold(self.kept.get(subject, Kept(subject)), deeds)
                if folded.body is not None:
                    self.kept[subject] = decode(folded.body)
                self.applied[chunk, subject] = folded.outcome
            outcomes.append(self.applied[chunk, subject])
        return Applied(subjects=len(outcomes), outcome=sum(outcomes, Outcome()))


class OneSource(Sources):
    """One source, of its only version."""

    def __init__(self, bucket: DropBucket, document: dict[str, Any]) -> None:
        self._opened = OpenSource(source=parse_source(document), version=1, bucket=bucket)

    def version(self, name: str, number: int) -> OpenSource:
        """As the adapter says."""
        assert (name, number) == (self._opened.name, 1)
        return self._opened


class ImportWorld:
    """A file that has arrived, and everything that it is imported with."""

    def __init__(
        self,
        data: bytes,
        *,
        key: str = "rows.json",
        chunk_records: int = 50_000,
        kills: Sequence[int] = (),
        **fields: Any,
    ) -> None:
        self.journal = Steps(*kills)
        self.clock = Clock()
        self.store = MemoryBucket(self.journal)
        self.files = MemoryFiles(self.journal)
        self.claims = MemoryClaims(self.journal)
        self.profiles = MemoryProfiles(self.journal)
        self.key = key
        self._chunk_records = chunk_records
        self._bucket = DropBucket(self.journal)
        quiet, self._bucket.journal = self._bucket.journal, Journal()
        self._bucket.put(key, data)
        self._bucket.journal = quiet
        self._sources = OneSource(self._bucket, SMALLEST | fields)
        found = Found(key=key, etag="e1", size=len(data), modified=1_000)
        self.files.files[key] = waiting(found, source="acme-in", bucket="acme-data", now=int(self.clock.now))

    @property
    def file(self) -> ImportFile:
        """The file as the ledger has it."""
        return self.files.files[self.key]

    def read(self) -> ImportFile:
        """Have a process that remembers nothing read the file, as far as it gets."""
        chunks = ChunkWriter(
            files=self.files,
            store=EventStore(self.store),
            claims=self.claims,
            profiles=self.profiles,
            outputs=QueueOutputs(_no_queue, bucket=self.store, bucket_name="data"),
            clock=self.clock,
        )
        reader = FileReader(
            sources=self._sources,
            files=self.files,
            chunks=chunks,
            limits=Limits(chunk_records=self._chunk_records),
            clock=self.clock,
        )
        return reader.read(self.file, version=1, end=time.monotonic() + SECONDS).file

    def records(self) -> list[dict[str, Any]]:
        """The committed events, but for their stamps, in an order of their own."""
        found = [
            {name: value for name, value in record.items() if name not in STAMPS}
            for key in self.files.parts
            for record in self.lines(key)
        ]
        return sorted(found, key=lambda record: str(sorted(record.items())))

    def lines(self, key: str) -> list[dict[str, Any]]:
        """The lines of an object in our own bucket."""
        data = gzip.decompress(self.store.objects[key].body)
        return [msgspec.json.decode(line) for line in data.splitlines()]

    def rejects(self) -> list[dict[str, Any]]:
        """The records that were refused, in order."""
        keys = sorted(key for key in self.store.objects if key.startswith("rejects/"))
        return [line for key in keys for line in self.lines(key)]

    def properties(self) -> dict[Subject, dict[str, Any]]:
        """What is kept of everybody."""
        return {subject: kept.values() for subject, kept in self.profiles.kept.items()}

    def seal(self, *, seconds: int) -> None:
        """Seal the hours that parts were written for; so much later."""
        keys = [key for key in self.store.objects if key.startswith("events/")]
        self.files.sealed |= {hour_of_key(key).group for key in keys}
        self.clock.now += seconds


def _no_queue() -> Any:
    raise AssertionError("no source here has queues")
