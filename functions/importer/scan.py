"""A pass over a source's bucket: the whole truth, whatever notifications told. It goes on by tasks, key by key.

A page of keys is done with once all its new files are in the ledger, then their tasks in the queue, then the pass
at its last key: whatever dies between two of these, the planner, or the next pass, finds what is left.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from functions.adapters.files import FileLedger
from functions.adapters.inbox import Inbox
from functions.adapters.scans import Scans
from functions.adapters.sending import Sender
from functions.adapters.sources import OpenSource, Sources, StoredSource
from functions.core import scanning
from functions.core.arrivals import FileTask, ScanTask
from functions.core.digests import digest
from functions.core.errors import Permanent
from functions.core.failures import failure_id
from functions.core.import_tasks import import_task
from functions.core.imports import Found, ImportFile, waiting
from functions.core.outcomes import Outcome, State
from functions.core.records import Record
from functions.core.scanning import Pair, Pass, Seen
from functions.importer.look import look


class Scanner:
    """Scans through its ports, so many keys at a time, which it holds in memory: as many as S3 lists at once.

    `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        *,
        sources: Sources,
        files: FileLedger,
        scans: Scans,
        tasks: Sender,
        inbox: Inbox,
        page_keys: int = 1_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = sources
        self._files = files
        self._scans = scans
        self._tasks = tasks
        self._inbox = inbox
        self._page_keys = page_keys
        self._clock = clock

    def scan(self, record: Record, source: StoredSource, task: ScanTask, *, end: float) -> Outcome:
        """Go on with a pass until `end` by the monotonic clock; what is left is a task of its own.

        A bucket that cannot be listed is a failure of the source, which a later pass that can resolves.

        Raises:
            Transient: It cannot be listed now; the pass goes on from the last page.
        """
        mine = self._taken(record, task, end)
        if mine is None:
            return Outcome(state=State.REPEATED, connection=source.name)
        scan = _Scan(mine)
        try:
            return self._scan(record, source, scan, end)
        except Permanent as error:
            self._scans.put(scanning.over(scan.current, now=self._now(), text=error.text))
            name = digest("scan", source.name)
            again = import_task(ScanTask(source_id=source.name)).body
            kept = msgspec.structs.replace(record, body=again, message_id=name)
            return self._inbox.failed(kept, error, connection=source.name, digest=name)
        except Exception:
            self._scans.put(scanning.left(scan.current, now=self._now()))
            raise

    def _taken(self, record: Record, task: ScanTask, end: float) -> Pass | None:
        """The pass that a task is about, under our lease; None where there is nothing for us to do."""
        now = self._now()
        last = self._scans.get(task.source_id)
        if not task.began and (record.receives == 1 or last is None or last.done_at is not None):
            wanted = scanning.next_pass(task.source_id, last, now=now)
        elif last is None or task.began not in {0, last.began}:
            return None
        else:
            wanted = last
        until = now + int(end - time.monotonic())
        mine = scanning.taken(wanted, now=now, until=until)
        return self._scans.put(mine) if mine else None

    def _scan(self, record: Record, source: StoredSource, scan: "_Scan", end: float) -> Outcome:
        done = Outcome(state=State.DELIVERED, connection=source.name)
        opened = self._sources.version(source.name, source.version)
        for page in self._pages(opened, scan.current.after):
            seen = self._look_at(opened, page, began=scan.current.began)
            stored = self._scans.put(scanning.progressed(scan.current, seen, after=page[-1].key))
            if stored is None:
                return Outcome(state=State.REPEATED, connection=source.name)
            scan.current = stored
            if time.monotonic() >= end:
                self._scans.put(scanning.left(stored, now=self._now()))
                self._tasks.send([import_task(ScanTask(source_id=source.name, began=stored.began))])
                return done
        self._scans.put(scanning.over(scan.current, now=self._now()))
        resolved = failure_id(source.name, digest("scan", source.name))
        return self._inbox.done(msgspec.structs.replace(record, failure=resolved), done)

    def _pages(self, opened: OpenSource, after: str) -> Iterator[list[Pair]]:
        prefix = opened.source.prefix
        listing = opened.bucket.listing(prefix, after=after)
        # Every key below a prefix comes after the prefix without its end. What is a second old is good enough:
        # nothing is begun, changed or forgotten that has become another meanwhile.
        known = self._files.of(opened.name, after=after or prefix[:-1], consistent=False)
        pairs = scanning.merged(listing, scanning.below(known, prefix))
        while page := list(islice(pairs, self._page_keys)):
            yield page

    def _look_at(self, opened: OpenSource, pairs: Sequence[Pair], *, began: int) -> Seen:
        changed = forgotten = 0
        new: list[Found] = []
        for pair in pairs:
            found, known = pair.found, pair.known
            if found is None:
                forgotten += known is not None and self._forgotten(opened, known, began=began)
            elif known is not None:
                changed += self._noted(found, known)
            elif opened.source.takes(found.key, found.modified):
                new.append(found)
        begun = self._files.begin_each(self._waiting(opened, found) for found in new)
        sent = self._tasks.send(import_task(FileTask(source_id=opened.name, key=file.key)) for file in begun)
        keys = sum(pair.found is not None for pair in pairs)
        return Seen(keys=keys, found=sent, changed=changed, forgotten=forgotten)

    def _waiting(self, opened: OpenSource, found: Found) -> ImportFile:
        return waiting(found, source=opened.name, bucket=opened.source.bucket, now=self._now())

    def _noted(self, found: Found, known: ImportFile) -> bool:
        noted = scanning.noted(found, known)
        return noted is not None and self._files.replace(noted) is not None

    def _forgotten(self, opened: OpenSource, known: ImportFile, *, began: int) -> bool:
        """Forget a file that is gone; whoever forgets one that is there imports it twice, so it is looked for."""
        if not scanning.gone(known, began=began):
            return False
        try:
            if look(opened.bucket, known.key) is not None:
                return False
        except Permanent:
            return False
        self._files.forget(known)
        return True

    def _now(self) -> int:
        return int(self._clock())


class _Scan:
    """A pass under our lease, as it was last stored."""

    def __init__(self, current: Pass) -> None:
        self.current = current
