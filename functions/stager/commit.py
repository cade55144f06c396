"""One part into its run: begun if need be, ended where an end is among its messages, and sealed when it is due."""

import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from functions.adapters.intakes import Intakes
from functions.adapters.runs import RunLedger
from functions.adapters.seals import Seals
from functions.core.errors import Code, Permanent, Transient
from functions.core.runs import Run, RunState, ending_of, flush_of, new_run
from functions.core.staging import Load
from functions.core.streams import End

_TRIES = 5
_REMEMBERED = 10_000
_LATE = "its run has been sealed: what comes now is in none of its files"
OTHER_END = "the run has ended before, with other `batches` or `records_total`"


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages of a part: by identity those that were there before, and those that failed.

    `error` is of the whole, which then is to come again.
    """

    run: str | None = None
    repeated: frozenset[str] = frozenset()
    failed: dict[str, Permanent] = {}
    error: Exception | None = None


class Committer:
    """Commits parts; one is used by many threads."""

    def __init__(
        self, *, runs: RunLedger, intakes: Intakes, seals: Seals, clock: Callable[[], float] = time.time
    ) -> None:
        self._runs = runs
        self._intakes = intakes
        self._seals = seals
        self._clock = clock
        self._begun: OrderedDict[str, None] = OrderedDict()

    def commit(self, load: Load) -> Committed:
        """Add a part to its run, without the messages that are there; raises nothing."""
        try:
            return self._commit(load)
        except Exception as error:  # noqa: BLE001 - one part must never take the others of its batch with it
            return Committed(error=error)

    def seal(self, run: str) -> None:
        """Seal a run if it is due.

        Raises:
            Transient: It cannot be done now; the planner does it.
        """
        found = self._runs.get(run)
        if found is not None and (found.flush is not None or found.ending is not None):
            self._seals.seal_if_due(found, self._intakes.get(found.destination))

    def _commit(self, load: Load) -> Committed:
        part, repeated = load.part, frozenset[str]()
        failed: dict[str, Permanent] = {}
        run = self._run(load)
        while part.pieces:
            refusal = self._runs.commit(run, part, scope=load.scope)
            if refusal is None:
                break
            repeated |= refusal.repeated
            part = part.without(refusal.repeated)
            if refusal.sealed and not load.continuous:
                failed = {piece.identity: Permanent(Code.LATE, _LATE) for piece in part.pieces}
                break
            run = self._run(load)
        for message, piece in zip(load.messages, load.part.pieces, strict=True):
            if isinstance(message, End) and piece.identity not in failed:
                try:
                    self._end(run, message)
                except Permanent as error:
                    failed[piece.identity] = error
        return Committed(run=run, repeated=repeated, failed=failed)

    def _run(self, load: Load) -> str:
        """The run that takes the rows now; it is begun unless we know that it is."""
        flush = self._runs.flush_number(load.scope) if load.continuous else None
        run = load.scope if flush is None else flush_of(load.scope, flush)
        if run not in self._begun:
            self._runs.begin(new_run(load.messages[0], id=run, now=int(self._clock()), flush=flush))
            self._begun[run] = None
            while len(self._begun) > _REMEMBERED:
                self._begun.popitem(last=False)
        return run

    def _end(self, run: str, end: End) -> None:
        ending = ending_of(end)
        for _ in range(_TRIES):
            found = self._runs.get(run)
            if found is None:
                break
            if found.ending == ending:
                return
            _refuse(found)
            if self._runs.replace(msgspec.structs.replace(found, ending=ending)):
                return
        raise Transient(Code.UNAVAILABLE, "recording an end: others change the same run")


def _refuse(run: Run) -> None:
    """An end that comes too late, or says another thing than the one before it."""
    if run.ending is not None:
        raise Permanent(Code.BAD_MESSAGE, OTHER_END)
    if run.state is not RunState.OPEN:
        raise Permanent(Code.LATE, _LATE)
