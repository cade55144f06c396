"""What arrives: objects that may be files of sources, files that are gone on with, and passes over a bucket."""

import time
from collections.abc import Callable

import msgspec

from functions.adapters.files import FileLedger
from functions.adapters.inbox import Inbox
from functions.adapters.sending import Sender
from functions.adapters.sources import Sources, StoredSource
from functions.core.arrivals import Arrival, FileTask, ObjectArrived, parse_arrivals
from functions.core.errors import Code, Permanent, Transient
from functions.core.failures import failure_id, retried
from functions.core.import_tasks import import_task
from functions.core.imports import FileState, Found, ImportFile, anew, finished, waiting
from functions.core.outcomes import Outcome, State
from functions.core.records import Record
from functions.core.scanning import noted
from functions.importer.look import look
from functions.importer.read import FileReader
from functions.importer.scan import Scanner

_VISIBLE_BY = 3
"""Receives of a notification whose object is not there, until it is taken to have been removed again."""

_OPEN = frozenset({FileState.WAITING, FileState.READING})


class Importer:
    """Handles arrivals through its ports; one is used by many threads."""

    def __init__(
        self,
        *,
        sources: Sources,
        files: FileLedger,
        reader: FileReader,
        scanner: Scanner,
        tasks: Sender,
        inbox: Inbox,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = sources
        self._files = files
        self._reader = reader
        self._scanner = scanner
        self._tasks = tasks
        self._inbox = inbox
        self._clock = clock

    def handle(self, record: Record, *, end: float) -> Outcome:
        """Do what one message tells, until `end` by the monotonic clock. Raises nothing that is foreseen."""
        try:
            return self._handle(record, end)
        except Exception as error:  # noqa: BLE001 - one message must never take the others of its batch with it
            return self._inbox.delayed(record, error)

    def _handle(self, record: Record, end: float) -> Outcome:
        try:
            with self._inbox.body(record) as body:
                arrivals = parse_arrivals(body)
        except Permanent as error:
            return self._inbox.failed(record, error, connection=None)
        outcome = Outcome(state=State.REPEATED)
        for arrival in arrivals:
            outcome = self._arrived(record, arrival, end) or outcome
        return outcome

    def _arrived(self, record: Record, arrival: Arrival, end: float) -> Outcome | None:
        if isinstance(arrival, ObjectArrived):
            outcomes = [
                self._found(record, each, arrival.key, end)
                for each in self._sources.of_bucket(arrival.bucket)
                if each.source.enabled and arrival.key.startswith(each.source.prefix)
            ]
            return next(filter(None, outcomes), None)
        source = self._sources.get(arrival.source_id)
        if source is None or not source.source.enabled:
            return None
        if isinstance(arrival, FileTask):
            return self._task(record, source, arrival.key, end)
        return self._scanner.scan(record, source, arrival, end=end)

    def _found(self, record: Record, source: StoredSource, key: str, end: float) -> Outcome | None:
        """An object of a source's bucket: begun if it is a file that nobody knows."""
        try:
            found = self._look(record, source, key)
        except Permanent as error:
            return self._inbox.failed(record, error, connection=source.name)
        if found is None or not source.source.takes(key, found.modified):
            return None
        fresh = waiting(found, source=source.name, bucket=source.source.bucket, now=int(self._clock()))
        file = self._files.begin(fresh) or self._files.get(source.name, key)
        if file is None:
            raise Transient(Code.UNAVAILABLE, "the file has just been forgotten")
        file = self._noted(file, found)
        if file.state in _OPEN:
            return self._import(record, source, file, end)
        return self._inbox.done(record, Outcome(state=State.REPEATED, connection=source.name))

    def _noted(self, file: ImportFile, found: Found) -> ImportFile:
        """The file with what was found under its key: as long as nobody has opened it, that is what it is."""
        changed = noted(found, file)
        if changed is None:
            return file
        stored = self._files.replace(changed)
        if stored is None:
            raise Transient(Code.UNAVAILABLE, "the file was changed by somebody else")
        return stored

    def _task(self, record: Record, source: StoredSource, key: str, end: float) -> Outcome | None:
        """A file that is known: gone on with, tried again, or begun anew."""
        file = self._files.get(source.name, key)
        if file is None:
            return None
        try:
            file = self._ready(record, source, file)
        except Permanent as error:
            return self._failed(record, file, error)
        return self._import(record, source, file, end) if file.state in _OPEN else None

    def _ready(self, record: Record, source: StoredSource, file: ImportFile) -> ImportFile:
        """The file as it is to be read, if it is: one that failed is reopened by the retry of its failure alone."""
        again = retried(record.failure, source.name) == failure_id(source.name, file.digest)
        if file.state is FileState.FAILED and again:
            file = self._reopened(source, file, restart=record.restart)
        if file.state is FileState.WAITING and (found := self._look(record, source, file.key)):
            file = self._noted(file, found)
        return file

    def _reopened(self, source: StoredSource, file: ImportFile, *, restart: bool) -> ImportFile:
        """A failed file as it is tried again: from where it stopped; or anew, without what was committed of it."""
        if restart:
            found = look(self._sources.version(source.name, source.version).bucket, file.key)
            if found is None:
                raise Permanent(Code.MISSING_FILE, "there is no such object any more")
            self._reader.void(file)
            wanted = anew(file, found, now=int(self._clock()))
        else:
            state = FileState.WAITING if file.version is None else FileState.READING
            wanted = msgspec.structs.replace(file, state=state, code=None, text="")
        reopened = self._files.reopen(wanted)
        if reopened is None:
            raise Transient(Code.UNAVAILABLE, "the file was changed by somebody else")
        return reopened

    def _import(self, record: Record, source: StoredSource, file: ImportFile, end: float) -> Outcome:
        read = self._reader.read(file, version=source.version, end=end)
        if read.error is not None:
            return self._failed(record, read.file, read.error)
        if read.file.state is FileState.READING:
            self._tasks.send([import_task(FileTask(source_id=source.name, key=file.key))])
        elif file.attempts or record.receives > 1:
            # An earlier attempt may have failed and died before it could say so to the ledger.
            self._inbox.overcome(failure_id(source.name, file.digest))
        return self._inbox.done(
            record, Outcome(state=State.DELIVERED, connection=source.name, size=file.size)
        )

    def _failed(self, record: Record, file: ImportFile, error: Permanent) -> Outcome:
        """Keep the failure of a file, then mark the file: a failed file always has its failure.

        It is kept as the task that it is: what is tried again is the file, whatever told of it.
        """
        body = import_task(FileTask(source_id=file.source, key=file.key)).body
        kept = msgspec.structs.replace(record, body=body, message_id=file.digest)
        outcome = self._inbox.failed(kept, error, connection=file.source, digest=file.digest)
        wanted = finished(file, FileState.FAILED, now=int(self._clock()), code=error.code, text=error.text)
        if self._files.replace(wanted) is None:
            raise Transient(Code.UNAVAILABLE, "the file was changed by somebody else")
        return outcome

    def _look(self, record: Record, source: StoredSource, key: str) -> Found | None:
        found = look(self._sources.version(source.name, source.version).bucket, key)
        if found is None and record.receives < _VISIBLE_BY:
            raise Transient(Code.UNAVAILABLE, "the object is not there yet")
        return found
