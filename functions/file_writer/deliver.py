"""The job: a run that is sealed becomes files, once; or a failure that is kept, or comes back later."""

import secrets
import time
from collections.abc import Callable

import msgspec

from functions.adapters.destinations import Destinations
from functions.adapters.inbox import Inbox
from functions.adapters.runs import RunLedger
from functions.core.assembly import tally_of
from functions.core.definitions.streams import StreamDestination
from functions.core.errors import Code, Permanent, Transient
from functions.core.failures import retried
from functions.core.files.store import Written
from functions.core.outcomes import Outcome, State
from functions.core.records import Record, delay_seconds
from functions.core.runs import Run, RunState, fault_of
from functions.core.sealing import AGAIN_SECONDS, MAX_LOST, leased, released
from functions.core.tasks import parse_task
from functions.file_writer.write import RunWriter

_GIGABYTE = 1_000_000_000
_SHOWN_KEYS = 20


class FileWriter:
    """Delivers runs through its ports; `clock` gives seconds since the epoch."""

    def __init__(
        self,
        *,
        destinations: Destinations[StreamDestination],
        runs: RunLedger,
        writer: RunWriter,
        inbox: Inbox,
        largest_run_gigabytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._destinations = destinations
        self._runs = runs
        self._writer = writer
        self._inbox = inbox
        self._largest = largest_run_gigabytes * _GIGABYTE
        self._clock = clock

    def deliver(self, record: Record, *, seconds: float) -> Outcome:
        """Do one task within so many seconds. Raises nothing that is foreseen."""
        try:
            return self._deliver(record, seconds)
        except Exception as error:  # noqa: BLE001 - what is not foreseen is put off, and told
            return self._inbox.delayed(record, error)

    def _deliver(self, record: Record, seconds: float) -> Outcome:
        try:
            run = self._run(record)
        except Permanent as error:
            return self._inbox.failed(record, error, connection=None)
        again = retried(record.failure, run.destination) == run.id
        if not (run.state is RunState.SEALED or (again and run.state is RunState.FAILED)):
            return self._inbox.done(record, Outcome(state=State.REPEATED, connection=run.destination))
        return self._attempt(record, run, again=again, seconds=seconds)

    def _run(self, record: Record) -> Run:
        with self._inbox.body(record) as body:
            task = parse_task(body)
        run = self._runs.get(task.run_id)
        if run is None:
            raise Permanent(Code.BAD_MESSAGE, "there is no such run; it may have expired")
        return run

    def _attempt(self, record: Record, run: Run, *, again: bool, seconds: float) -> Outcome:
        """Deliver a run under a lease."""
        if self._waits(run.destination):
            if again:
                text = "the destination is disabled: enable it, then try the run again"
                return self._inbox.failed(
                    record,
                    Permanent(Code.BAD_DEFINITION, text),
                    connection=run.destination,
                    digest=run.digest,
                )
            # Once it is enabled, the planner asks again.
            return Outcome(state=State.HELD, connection=run.destination)
        mine = self._leased(self._pinned_anew(run) if again and record.restart else run, seconds)
        try:
            return self._ended(record, mine, again=again, seconds=seconds)
        except Exception:
            wait = delay_seconds(record.receives) + AGAIN_SECONDS
            self._runs.replace(released(mine, now=int(self._clock()), wait=wait))
            raise

    def _waits(self, name: str) -> bool:
        """Whether a destination is disabled; of one that is not to be had any more, what was pinned counts."""
        try:
            found = self._destinations.definition(name)
        except Permanent:
            return False
        return found is not None and not found.enabled

    def _ended(self, record: Record, run: Run, *, again: bool, seconds: float) -> Outcome:
        try:
            written = self._write(run, again=again, seconds=seconds)
        except Permanent as error:
            outcome = self._inbox.failed(record, error, connection=run.destination, digest=run.digest)
            self._finish(run, RunState.FAILED, [])
            return outcome
        if run.attempts > 1 or record.receives > 1:
            # Who tried before may have stopped between the record of its failure and that of the run.
            self._inbox.overcome(run.id)
        self._finish(run, RunState.DELIVERED, written)
        size = sum(each.bytes for each in written)
        return self._inbox.done(record, Outcome(state=State.DELIVERED, connection=run.destination, size=size))

    def _leased(self, run: Run, seconds: float) -> Run:
        now = int(self._clock())
        wanted = leased(run, now=now, until=now + int(seconds), lease=secrets.token_hex(8))
        mine = self._runs.replace(wanted) if wanted else None
        if mine is None:
            raise Transient(Code.UNAVAILABLE, "somebody else delivers the run")
        return mine

    def _write(self, run: Run, *, again: bool, seconds: float) -> list[Written]:
        if run.attempts > MAX_LOST:
            text = f"{MAX_LOST} deliveries of the run ended without a word: out of time, memory or disk"
            raise Permanent(Code.TOO_LARGE, text)
        parts = self._runs.parts(run.id)
        tally = tally_of(parts)
        if not parts or tally.messages < run.tally.messages:
            raise Permanent(
                Code.MISSING_FILE, "some of the run's rows have been kept for as long as they are"
            )
        fault = fault_of(run.ending, tally) if run.ending else ""
        if fault and not again:
            raise Permanent(Code.BAD_MESSAGE, fault)
        if tally.bytes > self._largest:
            text = f"the run has {tally.bytes} bytes of rows; one delivery takes {self._largest}"
            raise Permanent(Code.TOO_LARGE, text)
        pinned = self._destinations.version(run.destination, run.version or 0)
        return self._writer.write(run, parts, pinned, seconds=seconds)

    def _pinned_anew(self, run: Run) -> Run:
        """The run by the definition as it is now; stored with the lease, it holds for every later attempt too."""
        try:
            current = self._destinations.current(run.destination)
        except Permanent:
            return run
        return run if current is None else msgspec.structs.replace(run, version=current.version)

    def _finish(self, run: Run, state: RunState, written: list[Written]) -> None:
        rows = sum(each.rows for each in written)
        ended = msgspec.structs.replace(
            released(run, now=0, wait=0),
            state=state,
            # Rows that were committed between the count and the seal are in the files, and not in the count.
            tally=msgspec.structs.replace(run.tally, rows=max(rows, run.tally.rows)),
            done_at=int(self._clock()),
            files=len(written),
            file_bytes=sum(each.bytes for each in written),
            keys=tuple(each.key for each in written[:_SHOWN_KEYS]),
        )
        if self._runs.replace(ended) is None:
            raise Transient(Code.UNAVAILABLE, "the run was changed by somebody else")
