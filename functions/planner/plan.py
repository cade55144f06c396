"""The job: every minute each unfinished run is looked at; two planners at once do no harm."""

import time
from collections.abc import Callable

import msgspec

from functions.adapters import telemetry
from functions.adapters.intakes import Intakes, StoredIntake
from functions.adapters.runs import RunLedger
from functions.adapters.seals import Seals
from functions.core.errors import SluiceError
from functions.core.outcomes import unforeseen
from functions.core.runs import Run, RunState
from functions.core.sealing import AGAIN_SECONDS


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a planner saw: unfinished runs, and the age of the oldest that waits for its end or its delivery."""

    unfinished: int = 0
    oldest_seconds: int = 0


class Planner:
    """Looks after runs through its ports; `clock` gives seconds since the epoch."""

    def __init__(
        self, *, runs: RunLedger, intakes: Intakes, seals: Seals, clock: Callable[[], float] = time.time
    ) -> None:
        self._runs = runs
        self._intakes = intakes
        self._seals = seals
        self._clock = clock

    def plan(self, *, seconds: float) -> Seen:
        """Look at the unfinished runs, at another first each minute, for no longer than so many seconds."""
        end = time.monotonic() + seconds
        unfinished = oldest = 0
        for name in self._runs.unfinished(first=int(self._clock()) // 60):
            if time.monotonic() >= end:
                telemetry.logger.warning("out of time", looked_at=unfinished)
                break
            unfinished += 1
            try:
                oldest = max(oldest, self._look_at(name))
            except Exception as error:  # noqa: BLE001 - one run must never keep the others from being looked at
                reason = error.text if isinstance(error, SluiceError) else unforeseen(error)
                telemetry.logger.warning("run not looked at", run=name, reason=reason)
        return Seen(unfinished=unfinished, oldest_seconds=oldest)

    def _look_at(self, name: str) -> int:
        """Do what it is time for; the seconds that the run has waited for something that should have come."""
        run = self._runs.get(name)
        if run is None:
            return 0
        found = self._intakes.get(run.destination)
        if run.state is RunState.OPEN:
            sealed = self._seals.seal_if_due(run, found)
            waits = run.flush is None and not sealed
        else:
            waits = found is None or found.intake.enabled
            self._ask_again(run, found)
        return int(self._clock()) - run.created_at if waits else 0

    def _ask_again(self, run: Run, found: StoredIntake | None) -> None:
        """Send the task of a sealed run again, if nobody is at work on it; of a disabled destination none."""
        now = int(self._clock())
        if now < run.look_at or (found is not None and not found.intake.enabled):
            return
        self._seals.enqueue(run)
        self._runs.replace(msgspec.structs.replace(run, look_at=now + AGAIN_SECONDS))
