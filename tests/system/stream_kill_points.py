"""The kill points of streams: where a function is killed, what that means, and what is there by then.

As in `kill_points`, a point is a call and a side of it. Nothing changes between two calls that change something:
*after* the one is also *before* the next, and stands here once.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from functions.core.runs import RunState
from tests.system import stream_scenarios as scenarios
from tests.system.stream_scenarios import Scenario


class Worker(StrEnum):
    """Who is killed."""

    STAGER = "Stager"
    FILE_WRITER = "FileWriter"


class Place(StrEnum):
    """What a call is made on."""

    PART = "a staging object"
    LEDGER = "the ledger"
    TASKS = "the queue of deliveries"
    FILE = "an object of the customer's"
    BODY = "a body that is kept"


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is there when the function is dead.

    `state` is the run's, None where it has not begun; `rows` are those committed; `tasks` are in the queue of
    deliveries, that in hand among them; `failures` have a record.
    """

    state: RunState | None = RunState.OPEN
    rows: int = 0
    ended: bool = False
    tasks: int = 0
    objects: int = 0
    bodies: int = 0
    failures: int = 0


@dataclass(frozen=True, kw_only=True)
class KillPoint:
    """One row: in this scenario, this worker, on this side of its nth such call; `meaning` is what it is about."""

    meaning: str
    scenario: Scenario
    worker: Worker
    when: Literal["before", "after"]
    action: str
    place: Place
    left: Left
    nth: int = 1

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.scenario.__name__}: {self.meaning}"


def sealed(**more: int) -> Left:
    """A run that is sealed, with its task in hand."""
    return Left(state=RunState.SEALED, ended=True, tasks=1, **more)


KILL_POINTS = [
    KillPoint(
        meaning="after the rows are kept, before the run begins",
        scenario=scenarios.nightly,
        worker=Worker.STAGER,
        when="after",
        action="PutObject",
        place=Place.PART,
        left=Left(state=None),
    ),
    KillPoint(
        meaning="after the run has begun, before its rows are committed",
        scenario=scenarios.nightly,
        worker=Worker.STAGER,
        when="after",
        action="TransactWriteItems",
        place=Place.LEDGER,
        left=Left(),
    ),
    KillPoint(
        meaning="after the commit, before the end is recorded",
        scenario=scenarios.nightly,
        worker=Worker.STAGER,
        when="after",
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=2,
        left=Left(rows=6),
    ),
    KillPoint(
        meaning="after the end is recorded, before the run is sealed",
        scenario=scenarios.nightly,
        worker=Worker.STAGER,
        when="after",
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=3,
        left=Left(rows=6, ended=True),
    ),
    KillPoint(
        meaning="after the run is sealed, before its task is sent",
        scenario=scenarios.nightly,
        worker=Worker.STAGER,
        when="after",
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=4,
        left=Left(state=RunState.SEALED, rows=6, ended=True),
    ),
    KillPoint(
        meaning="after the task is sent, before the answer",
        scenario=scenarios.nightly,
        worker=Worker.STAGER,
        when="after",
        action="SendMessageBatch",
        place=Place.TASKS,
        left=Left(state=RunState.SEALED, rows=6, ended=True, tasks=1),
    ),
    KillPoint(
        meaning="after the commit, before the flush is sealed",
        scenario=scenarios.flushed,
        worker=Worker.STAGER,
        when="after",
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=2,
        left=Left(rows=4),
    ),
    KillPoint(
        meaning="after the flush is sealed, before its task is sent",
        scenario=scenarios.flushed,
        worker=Worker.STAGER,
        when="after",
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=3,
        left=Left(state=RunState.SEALED, rows=4),
    ),
    KillPoint(
        meaning="after the body is kept, before its record",
        scenario=scenarios.late,
        worker=Worker.STAGER,
        when="after",
        action="PutObject",
        place=Place.BODY,
        left=Left(state=RunState.DELIVERED, rows=1, ended=True, objects=1, bodies=1),
    ),
    KillPoint(
        meaning="after the record, before the answer",
        scenario=scenarios.late,
        worker=Worker.STAGER,
        when="after",
        action="UpdateItem",
        place=Place.LEDGER,
        left=Left(state=RunState.DELIVERED, rows=1, ended=True, objects=1, bodies=1, failures=1),
    ),
    KillPoint(
        meaning="after the lease, while the rows are read",
        scenario=scenarios.by_day,
        worker=Worker.FILE_WRITER,
        when="after",
        action="GetObject",
        place=Place.PART,
        left=sealed(rows=6),
    ),
    KillPoint(
        meaning="between two files",
        scenario=scenarios.by_day,
        worker=Worker.FILE_WRITER,
        when="after",
        action="PutObject",
        place=Place.FILE,
        left=sealed(rows=6, objects=1),
    ),
    KillPoint(
        meaning="after the last file, before the manifest",
        scenario=scenarios.by_day,
        worker=Worker.FILE_WRITER,
        when="after",
        action="PutObject",
        place=Place.FILE,
        nth=3,
        left=sealed(rows=6, objects=3),
    ),
    KillPoint(
        meaning="after the manifest, before the success file",
        scenario=scenarios.by_day,
        worker=Worker.FILE_WRITER,
        when="after",
        action="PutObject",
        place=Place.FILE,
        nth=4,
        left=sealed(rows=6, objects=4),
    ),
    KillPoint(
        meaning="after the success file, before the ledger knows",
        scenario=scenarios.by_day,
        worker=Worker.FILE_WRITER,
        when="after",
        action="PutObject",
        place=Place.FILE,
        nth=5,
        left=sealed(rows=6, objects=5),
    ),
    KillPoint(
        meaning="after the ledger knows, before the answer",
        scenario=scenarios.by_day,
        worker=Worker.FILE_WRITER,
        when="after",
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=2,
        left=Left(state=RunState.DELIVERED, rows=6, ended=True, tasks=1, objects=5),
    ),
    KillPoint(
        meaning="after its file, before the ledger knows",
        scenario=scenarios.flushed,
        worker=Worker.FILE_WRITER,
        when="after",
        action="PutObject",
        place=Place.FILE,
        left=Left(state=RunState.SEALED, rows=4, tasks=1, objects=1),
    ),
    KillPoint(
        meaning="between two pieces of a file",
        scenario=scenarios.large,
        worker=Worker.FILE_WRITER,
        when="after",
        action="UploadPart",
        place=Place.FILE,
        left=sealed(rows=17),
    ),
    KillPoint(
        meaning="after the record, before the ledger knows",
        scenario=scenarios.miscounted,
        worker=Worker.FILE_WRITER,
        when="after",
        action="UpdateItem",
        place=Place.LEDGER,
        left=sealed(rows=1, bodies=1, failures=1),
    ),
    KillPoint(
        meaning="after the record, before the ledger knows, and then the bucket takes it",
        scenario=scenarios.refused,
        worker=Worker.FILE_WRITER,
        when="after",
        action="UpdateItem",
        place=Place.LEDGER,
        left=sealed(rows=1, bodies=1, failures=1),
    ),
    KillPoint(
        meaning="after the lease is given up, before the task is put off",
        scenario=scenarios.put_off,
        worker=Worker.FILE_WRITER,
        when="after",
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=2,
        left=sealed(rows=1),
    ),
]
