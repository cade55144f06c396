"""The job: a file, read once and chunk by chunk; what a chunk becomes is committed with where reading goes on."""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from functions.adapters.files import FileLedger
from functions.adapters.sources import OpenSource, Sources
from functions.core import cutting
from functions.core.errors import Code, Permanent, Transient
from functions.core.files.inputs import DataFile
from functions.core.formats.rows import MAX_RECORD_BYTES
from functions.core.formats.tolerant import RecordBatch
from functions.core.imports import FileState, ImportFile, finished, pinned
from functions.core.sealing import AGAIN_SECONDS, MAX_LOST, leased, released
from functions.importer.chunk import ChunkWriter
from functions.importer.convert import chunker_of, refuse_too_many, survey

COMMIT_SECONDS = 60
"""What reading has beyond its end: the chunk that is under way is committed."""

_GIGABYTE = 1_000_000_000
_MEGABYTE = 1_000_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a file may have, and what of it is held at a time."""

    file_gigabytes: int = 5
    chunk_records: int = 50_000
    chunk_megabytes: int = 64


class FileReader:
    """Reads files through its ports; `clock` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        sources: Sources,
        files: FileLedger,
        chunks: ChunkWriter,
        limits: Limits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = sources
        self._files = files
        self._chunks = chunks
        self._limits = limits
        self._clock = clock

    def read(self, file: ImportFile, *, version: int, end: float) -> "Read":
        """Read a file, from where it was left, until `end` by the monotonic clock; as it then stands.

        `version` is the source's, for a file that nobody has opened yet. A file that cannot be imported keeps its
        lease, until it is marked as failed.

        Raises:
            Transient: Somebody else reads it, or something cannot be reached now.
        """
        reading = _Reading(self._leased(file, version, end), resumed=file.version is not None)
        try:
            whole = self._read(reading, end)
        except Permanent as error:
            return Read(reading.file, error)
        except Exception:
            self._files.replace(released(reading.file, now=self._now(), wait=AGAIN_SECONDS))
            raise
        now = self._now()
        if whole:
            return Read(self._store(finished(reading.file, FileState.DONE, now=now)))
        return Read(self._store(released(reading.file, now=now, wait=0)))

    def void(self, file: ImportFile) -> None:
        """Take out of the event store what was committed of a file, and give its insert ids back.

        Raises:
            Permanent: What was committed may have been exported.
            Transient: It cannot be done now; to do it again goes on.
        """
        self._files.void(file)
        for key in file.parts:
            self._chunks.blank(key)
        if file.version is not None:
            self._chunks.release(file, self._sources.version(file.source, file.version).source)

    def _leased(self, file: ImportFile, version: int, end: float) -> ImportFile:
        until = self._now() + int(end - time.monotonic()) + COMMIT_SECONDS
        wanted = leased(file, now=self._now(), until=until, lease=secrets.token_hex(8))
        if wanted is not None and wanted.version is None:
            wanted = pinned(
                wanted,
                version=version,
                now=self._now() * 1000,
                records=self._limits.chunk_records,
                size=self._limits.chunk_megabytes * _MEGABYTE,
            )
        mine = self._files.replace(wanted) if wanted is not None else None
        if mine is None:
            raise Transient(Code.UNAVAILABLE, "somebody else reads the file")
        return mine

    def _read(self, reading: "_Reading", end: float) -> bool:
        """Read on; whether the whole file has been read."""
        file = reading.file
        if file.attempts > MAX_LOST:
            raise Permanent(Code.TOO_LARGE, f"{MAX_LOST} readings of the file ended without a word")
        if file.size > self._limits.file_gigabytes * _GIGABYTE:
            text = f"the file has {file.size} bytes; the limit is {self._limits.file_gigabytes} GB"
            raise Permanent(Code.TOO_LARGE, text)
        opened = self._sources.version(file.source, file.version or 0)
        if reading.resumed:
            # Before the file is looked at: it may have changed, and what is claimed must be output all the same.
            file = reading.file = self._chunks.resume(file, opened.source)
            refuse_too_many(opened.source, file.counters)
        with _fetched(opened, file) as data:
            chunker = chunker_of(opened.source, file)
            if opened.source.rejects.all_or_nothing and file.chunks == 0:
                survey(chunker, opened.source, _chunks(data, file))
            for batches in _chunks(data, file):
                if time.monotonic() >= end:
                    return False
                reading.file = self._chunks.write(reading.file, opened.source, chunker, batches)
                refuse_too_many(opened.source, reading.file.counters)
        return True

    def _store(self, file: ImportFile) -> ImportFile:
        stored = self._files.replace(file)
        if stored is None:
            raise Transient(Code.UNAVAILABLE, "the file was changed by somebody else")
        return stored

    def _now(self) -> int:
        return int(self._clock())


class Read(msgspec.Struct, frozen=True):
    """A file as a reading left it, and why it cannot be imported, if it cannot."""

    file: ImportFile
    error: Permanent | None = None


class _Reading:
    """A file under our lease, as its last commit left it."""

    def __init__(self, file: ImportFile, *, resumed: bool) -> None:
        self.file = file
        self.resumed = resumed


def _chunks(data: DataFile, file: ImportFile) -> Iterator[list[RecordBatch]]:
    """What of the file has not been committed yet, chunk by chunk."""
    unread = cutting.after(data.records(), file.counters.records)
    return cutting.chunks(unread, records=file.chunk_records, size=file.chunk_bytes)


@contextmanager
def _fetched(opened: OpenSource, file: ImportFile) -> Iterator[DataFile]:
    """The version of the file that was pinned, on this machine's disk: what is read twice is read the same."""
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        path = Path(folder, "file")
        opened.bucket.fetch(file.key, path, etag=file.etag)

        @contextmanager
        def stream() -> Iterator[BinaryIO]:
            with path.open("rb") as data:
                yield data

        converter = opened.source.converter
        yield DataFile(
            name=file.key,
            open=stream,
            told=converter.input,
            columns=converter.columns,
            max_record_bytes=MAX_RECORD_BYTES,
        )
