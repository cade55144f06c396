"""The kill points of imports: where a function is killed, what that means, and what is there by then.

As in `kill_points`, a point is a call and a side of it. Nothing changes between two calls that change something, so
that *after* the one is also *before* the next.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from functions.core.imports import FileState
from tests.system import import_scenarios as scenarios
from tests.system.import_scenarios import Scenario


class Place(StrEnum):
    """What a call is made on."""

    LEDGER = "the ledger"
    CLAIMS = "the claims"
    PROFILES = "the properties"
    FILE = "the file"
    CANDIDATE = "a candidate"
    REJECTS = "the rejects"
    EVENTS = "a part of the event store"
    OUTPUT = "the queue besides"
    TASKS = "the queue of arrivals"
    BODY = "a body that is kept"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is there when the function is dead.

    `state` is that of the first file, None where nobody knows it; `added` is what the user's property has come to;
    `claimed` says whether any insert id is; the others are counted.
    """

    state: FileState | None = FileState.READING
    chunks: int = 0
    candidates: int = 0
    claimed: bool = False
    added: int | None = None
    rejects: int = 0
    parts: int = 0
    tasks: int = 1
    bodies: int = 0
    failures: int = 0


class KillPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One row: in this scenario, on this side of the nth such call; `meaning` is what it is about.

    It is the importer that is killed, or the planner; `seconds` are those of its invocation, the usual ones if 0.
    """

    meaning: str
    scenario: Scenario
    action: str
    place: Place
    left: Left
    nth: int = 1
    when: Literal["before", "after"] = "after"
    worker: Literal["Importer", "Planner"] = "Importer"
    seconds: int = 0

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.scenario.__name__}: {self.meaning}"


def _chunked(meaning: str, action: str, place: Place, left: Left, nth: int = 1) -> KillPoint:
    return KillPoint(
        meaning=meaning, scenario=scenarios.chunked, action=action, place=place, left=left, nth=nth
    )


_CLAIMED = Left(candidates=1, claimed=True)
_APPLIED = msgspec.structs.replace(_CLAIMED, added=1)
_REJECTED = msgspec.structs.replace(_APPLIED, rejects=1)
_WRITTEN = msgspec.structs.replace(_REJECTED, parts=1)
_COMMITTED = msgspec.structs.replace(_WRITTEN, chunks=1)
_WRITTEN_TWICE = Left(chunks=1, candidates=2, claimed=True, added=2, rejects=2, parts=2)
_COMMITTED_TWICE = msgspec.structs.replace(_WRITTEN_TWICE, chunks=2)
_REFUSED = Left(candidates=1, claimed=True, rejects=1, parts=1, chunks=1)

KILL_POINTS = [
    KillPoint(
        meaning="before anybody knows the file",
        scenario=scenarios.chunked,
        when="before",
        action="TransactWriteItems",
        place=Place.LEDGER,
        left=Left(state=None),
    ),
    _chunked(
        "after it is known, before the lease",
        "TransactWriteItems",
        Place.LEDGER,
        Left(state=FileState.WAITING),
    ),
    _chunked("after the lease, while it is read", "GetObject", Place.FILE, Left()),
    _chunked("after the candidate, before any claim", "PutObject", Place.CANDIDATE, Left(candidates=1)),
    _chunked("between two transactions of claims", "TransactWriteItems", Place.CLAIMS, _CLAIMED),
    _chunked("after the claims, before the properties", "TransactWriteItems", Place.CLAIMS, _CLAIMED, 2),
    _chunked("after the properties, before the rejects", "TransactWriteItems", Place.PROFILES, _APPLIED),
    _chunked("after the rejects, before the queue besides", "PutObject", Place.REJECTS, _REJECTED),
    _chunked("after the queue besides, before the part", "SendMessageBatch", Place.OUTPUT, _REJECTED),
    _chunked("after the part, before the commit", "PutObject", Place.EVENTS, _WRITTEN),
    _chunked("after the commit, before the next chunk", "TransactWriteItems", Place.LEDGER, _COMMITTED, 3),
    _chunked("after the second part, before its commit", "PutObject", Place.EVENTS, _WRITTEN_TWICE, 2),
    _chunked(
        "after the last commit, before the file is done",
        "TransactWriteItems",
        Place.LEDGER,
        _COMMITTED_TWICE,
        4,
    ),
    _chunked(
        "after the file is done, before the answer",
        "TransactWriteItems",
        Place.LEDGER,
        msgspec.structs.replace(_COMMITTED_TWICE, state=FileState.DONE),
        5,
    ),
    KillPoint(
        meaning="after the properties, before the commit",
        scenario=scenarios.properties,
        action="TransactWriteItems",
        place=Place.PROFILES,
        left=Left(added=3, candidates=1),
    ),
    KillPoint(
        meaning="after the commit, before its task is kept",
        scenario=scenarios.refused,
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=3,
        left=_REFUSED,
    ),
    KillPoint(
        meaning="after its task is kept, before the failure",
        scenario=scenarios.refused,
        action="PutObject",
        place=Place.BODY,
        left=msgspec.structs.replace(_REFUSED, bodies=1),
    ),
    KillPoint(
        meaning="after the failure, before the file is failed",
        scenario=scenarios.refused,
        action="UpdateItem",
        place=Place.LEDGER,
        left=msgspec.structs.replace(_REFUSED, bodies=1, failures=1),
    ),
    KillPoint(
        meaning="after the file is failed, before the answer",
        scenario=scenarios.refused,
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=4,
        left=msgspec.structs.replace(_REFUSED, state=FileState.FAILED, bodies=1, failures=1),
    ),
    KillPoint(
        meaning="after the lease is given up, before the rest is asked for",
        scenario=scenarios.continued,
        seconds=scenarios.OUT_OF_TIME,
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=3,
        left=Left(),
    ),
    KillPoint(
        meaning="after the rest is asked for, before the answer",
        scenario=scenarios.continued,
        seconds=scenarios.OUT_OF_TIME,
        action="SendMessageBatch",
        place=Place.TASKS,
        left=Left(tasks=2),
    ),
    KillPoint(
        meaning="after the files are known, before their tasks are sent",
        scenario=scenarios.listed,
        action="TransactWriteItems",
        place=Place.LEDGER,
        nth=2,
        left=Left(state=FileState.WAITING),
    ),
    KillPoint(
        meaning="after the tasks, before the pass is noted",
        scenario=scenarios.listed,
        action="SendMessageBatch",
        place=Place.TASKS,
        left=Left(state=FileState.WAITING, tasks=4),
    ),
    KillPoint(
        meaning="after the pass is begun, before its task is sent",
        scenario=scenarios.planned,
        worker="Planner",
        action="TransactWriteItems",
        place=Place.LEDGER,
        left=Left(state=None, tasks=0),
    ),
]
