"""Sealing a run and asking for its delivery: two steps; the planner repeats the second if it did not follow."""

import time
from collections.abc import Callable

import msgspec

from functions.adapters.intakes import StoredIntake
from functions.adapters.runs import RunLedger
from functions.adapters.sending import Sender
from functions.core.runs import Run, RunState
from functions.core.sealing import due, sealed
from functions.core.tasks import run_task


class Seals:
    """Seals runs that are due, and sends the tasks of their delivery; `clock` gives seconds since the epoch."""

    def __init__(
        self, runs: RunLedger, deliveries: Sender, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._runs = runs
        self._deliveries = deliveries
        self._clock = clock

    def seal_if_due(self, run: Run, found: StoredIntake | None) -> bool:
        """Seal an open run if it is time to, by the definition that was found; whether it was sealed by us.

        Raises:
            Transient: It cannot be done now; the planner does it.
        """
        if run.state is not RunState.OPEN or (run.flush is None and run.ending is None and found is None):
            return False
        now = int(self._clock())
        tally = self._runs.tally(run.id)
        if run.flush is not None and tally.messages == 0:
            # A repeated message began it and brought nothing: its age counts from its first rows.
            self._runs.replace(msgspec.structs.replace(run, created_at=now))
            return False
        if not due(run, tally, found.intake if found else None, now=now):
            return False
        version = found.version if found else 0
        if not self._runs.seal(sealed(run, tally, version=version, now=now)):
            return False
        self.enqueue(run)
        return True

    def enqueue(self, run: Run) -> None:
        """Ask for the delivery of a run.

        Raises:
            Transient: The queue cannot be reached; the planner asks again.
        """
        self._deliveries.send([run_task(run.id)])
