"""When a run takes no more rows, and who may deliver it: decisions; the ledger makes them hold."""

from typing import TypeVar

import msgspec

from functions.core.definitions.intake import Intake
from functions.core.imports import ImportFile
from functions.core.runs import Run, RunState, Tally, complete

Leased = TypeVar("Leased", Run, ImportFile)
"""What one invocation at a time works on."""

_MEGABYTE = 1_000_000
AGAIN_SECONDS = 900
"""After how long a task that nobody took is sent again."""

GRACE_SECONDS = 60
"""How long a lease outlives the invocation that holds it, and how long a task may be under way to its queue."""

MAX_LOST = 3
"""Deliveries of a run that may end without a word before it is given up."""


def due(run: Run, tally: Tally, intake: Intake | None, *, now: int) -> bool:
    """Whether an open run is to be sealed now; `intake` is the destination's, None where there is none any more."""
    if run.flush is not None:
        return tally.messages > 0 and _flush_due(run, tally, intake, now=now)
    if run.ending is not None:
        return complete(run.ending, tally)
    wait = intake.seal_after_seconds if intake else None
    if intake is not None and intake.flush is not None:
        # The destination has become continuous since: no end will be waited for.
        wait = intake.flush.max_age_seconds
    return wait is not None and tally.messages > 0 and now >= run.created_at + wait


def _flush_due(run: Run, tally: Tally, intake: Intake | None, *, now: int) -> bool:
    flush = intake.flush if intake else None
    if flush is None:
        return True
    return (
        tally.bytes >= flush.max_megabytes * _MEGABYTE
        or (flush.max_records is not None and tally.rows >= flush.max_records)
        or now >= run.created_at + flush.max_age_seconds
    )


def sealed(run: Run, tally: Tally, *, version: int, now: int) -> Run:
    """The run as it is once nothing more is let in; `version` is the definition's by which it is delivered."""
    return msgspec.structs.replace(
        run, state=RunState.SEALED, tally=tally, version=version, sealed_at=now, look_at=now + GRACE_SECONDS
    )


def leased(run: Leased, *, now: int, until: int, lease: str) -> Leased | None:
    """The run, or the file, with a lease until then; None where somebody else has one."""
    if run.leased_until > now:
        return None
    return msgspec.structs.replace(
        run,
        leased_until=until + GRACE_SECONDS,
        lease=lease,
        look_at=until + GRACE_SECONDS,
        attempts=run.attempts + 1,
    )


def released(run: Leased, *, now: int, wait: int) -> Leased:
    """The same after work that ended in order, to be gone on with after so many seconds."""
    return msgspec.structs.replace(run, leased_until=0, lease="", look_at=now + wait, attempts=0)
