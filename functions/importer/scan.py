"""A pass over a source's bucket: the whole truth, whatever notifications told. It goes on by tasks, key by key."""

import time
from collections.abc import Callable

import msgspec

from functions.adapters.files import FileLedger
from functions.adapters.sending import Sender
from functions.adapters.sources import OpenSource, Sources, StoredSource
from functions.core.arrivals import FileTask, ScanTask
from functions.core.import_tasks import import_task
from functions.core.imports import waiting
from functions.core.outcomes import Outcome, State
from functions.core.scanning import Pair, changed, gone, merged


class Scanner:
    """Scans through its ports; `clock` gives seconds since the epoch."""

    def __init__(
        self, *, sources: Sources, files: FileLedger, tasks: Sender, clock: Callable[[], float] = time.time
    ) -> None:
        self._sources = sources
        self._files = files
        self._tasks = tasks
        self._clock = clock

    def scan(self, source: StoredSource, task: ScanTask, *, end: float) -> Outcome:
        """Go on with a pass until `end` by the monotonic clock; what is left is a task of its own.

        Raises:
            Permanent: The bucket cannot be listed.
            Transient: It cannot be listed now; the pass goes on from where this task began.
        """
        opened = self._sources.version(source.name, source.version)
        listing = opened.bucket.listing(source.source.prefix, after=task.after)
        known = self._files.of(source.name, after=task.after)
        for pair in merged(listing, known):
            self._look_at(opened, pair, began=task.began)
            if time.monotonic() >= end:
                rest = msgspec.structs.replace(task, after=pair.key)
                self._tasks.send([import_task(rest)])
                break
        return Outcome(state=State.DELIVERED, connection=source.name)

    def _look_at(self, opened: OpenSource, pair: Pair, *, began: int) -> None:
        found, known = pair.found, pair.known
        if found is None:
            if known is not None and gone(known, began=began):
                self._files.forget(known)
        elif known is not None:
            if (noted := changed(found, known)) is not None:
                self._files.replace(noted)
        elif opened.source.takes(found.key, found.modified):
            now = int(self._clock())
            file = waiting(found, source=opened.name, bucket=opened.source.bucket, now=now)
            if self._files.begin(file) is not None:
                self._tasks.send([import_task(FileTask(source_id=opened.name, key=found.key))])
