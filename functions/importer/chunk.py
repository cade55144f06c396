"""A chunk: converted, kept while its insert ids are claimed, applied to properties, written, and committed."""

import time
from collections.abc import Callable, Sequence

import msgspec

from functions.adapters.claims import Claims
from functions.adapters.event_store import EventStore
from functions.adapters.files import FileLedger, GroupPart
from functions.adapters.outputs import QueueOutputs
from functions.adapters.profiles import ProfileBook
from functions.core.chunks import Chunk, Chunker, packed
from functions.core.definitions.sources import Source
from functions.core.errors import Code, Transient
from functions.core.event_groups import EventPart, Hour, hour_of
from functions.core.events.stamps import Stamps
from functions.core.formats.tolerant import RecordBatch
from functions.core.imports import ImportFile, after_chunk
from functions.core.profiles import Origin

_TRIES = 3
_STALE = "a later row had said otherwise"
_ABSENT = "deletes what is not there"
_TOO_LARGE = "the properties would become too large to be kept"


class ChunkWriter:
    """Writes chunks through its ports; `clock` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        files: FileLedger,
        store: EventStore,
        claims: Claims,
        profiles: ProfileBook,
        outputs: QueueOutputs,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._files = files
        self._store = store
        self._claims = claims
        self._profiles = profiles
        self._outputs = outputs
        self._clock = clock

    def write(
        self, file: ImportFile, source: Source, chunker: Chunker, batches: Sequence[RecordBatch]
    ) -> ImportFile:
        """Do all that a chunk is for, and commit it; the file as it is after that.

        Everything that can fail for good is done before insert ids are claimed or properties changed, and what that
        is done for is kept before.

        Raises:
            Transient: Something cannot be done now; `resume` goes on where this ended.
        """
        first = file.counters.records
        chunk = chunker.convert(batches, id=file.chunk_id, first=first, stamps=self._stamps(file))
        if chunk.claims or chunk.changes:
            self._store.keep(file, chunk)
        return self._finish(file, source, chunk)

    def resume(self, file: ImportFile, source: Source) -> ImportFile:
        """Commit the chunk that an earlier reading kept and did not commit, if there is one.

        Raises:
            As `write`.
        """
        chunk = self._store.kept(file)
        return file if chunk is None else self._finish(file, source, chunk)

    def blank(self, key: str) -> None:
        """Take the events out of a part that is no longer one: whoever reads the store by its objects sees none.

        Raises:
            Transient: It cannot be done now.
        """
        self._store.put(key, packed([])[0])

    def release(self, file: ImportFile, source: Source) -> None:
        """Give back the insert ids of all chunks of a file that was taken out of the event store.

        Raises:
            Transient: They cannot be given back now; to do it again goes on.
        """
        for number in range(file.chunks + 1):
            chunk = self._store.kept(msgspec.structs.replace(file, chunks=number))
            if chunk is not None and chunk.claims:
                self._claims.release(chunk.id, chunk.claims, project=source.project_id)

    def _finish(self, file: ImportFile, source: Source, chunk: Chunk) -> ImportFile:
        if chunk.claims:
            chunk = chunk.without(self._claims.claim(chunk.id, chunk.claims, project=source.project_id))
        if chunk.changes:
            origin = Origin(project=source.project_id, key=file.key, modified=file.modified)
            outcome = self._profiles.apply(chunk.id, chunk.changes, origin=origin).outcome
            chunk = chunk.noting(
                {_STALE: outcome.stale, _ABSENT: outcome.absent, _TOO_LARGE: outcome.too_large}
            )
        if chunk.rejects:
            self._store.reject(file, chunk.rejects)
        self._outputs.send(source, chunk)
        return self._committed(file, source, chunk)

    def _committed(self, file: ImportFile, source: Source, chunk: Chunk) -> ImportFile:
        for _ in range(_TRIES):
            hour = hour_of(source.project_id, seconds=chunk.staged // 1_000_000)
            parts = [self._part(file, hour, chunk)] if chunk.counters.events else []
            after = after_chunk(file, chunk.counters, hour if parts else None)
            committed = self._files.commit(after, parts)
            if isinstance(committed, ImportFile):
                return committed
            if committed is None:
                raise Transient(Code.UNAVAILABLE, "somebody else reads the file")
            # The hour was sealed meanwhile: what comes now belongs to the next.
            chunk = chunk.stamped(self._stamps(file))
        raise Transient(Code.UNAVAILABLE, "the hour is sealed, and the next has not begun")

    def _part(self, file: ImportFile, hour: Hour, chunk: Chunk) -> GroupPart:
        """The part that the events of a chunk are, written."""
        part = EventPart(
            key=hour.key(chunk.id),
            events=chunk.counters.events,
            bytes=chunk.size,
            compressed=len(chunk.lines),
            origin=file.digest,
        )
        self._store.put(part.key, chunk.lines)
        return GroupPart(group=hour.group, part=part)

    def _stamps(self, file: ImportFile) -> Stamps:
        now = int(self._clock() * 1_000_000)
        return Stamps(server_received=file.now * 1000, server_upload=now, processed=now)
