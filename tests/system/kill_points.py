"""The kill points: where the function is killed, what that means, and what is done by then.

A point is a call and a side of it. *Before*: AWS never sees the call. *After*: AWS has done it, and the function
never learns. The messages of a batch are written one after the other here, so that a point is one point.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from tests.system import scenarios
from tests.system.scenarios import Scenario


class Place(Enum):
    """What a call is made on."""

    DEFINITION = auto()
    ROLE = auto()
    SECRET = auto()
    PAYLOAD = auto()
    OBJECT = auto()
    BODY = auto()
    LEDGER = auto()
    QUEUE = auto()


@dataclass(frozen=True, kw_only=True)
class Done:
    """What is there when the function is dead: objects, bodies kept, records of failures and of held messages."""

    objects: int = 0
    bodies: int = 0
    records: int = 0


@dataclass(frozen=True, kw_only=True)
class KillPoint:
    """One row: in this scenario, on this side of the nth such call; `meaning` is what the point is about."""

    meaning: str
    scenario: Scenario
    when: Literal["before", "after"]
    action: str
    place: Place
    nth: int = 1
    done: Done = Done()

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.scenario.__name__}: {self.meaning}"


KILL_POINTS = [
    KillPoint(
        meaning="while the definition is read",
        scenario=scenarios.delivered,
        when="after",
        action="GetItem",
        place=Place.DEFINITION,
    ),
    KillPoint(
        meaning="while the role is assumed",
        scenario=scenarios.delivered,
        when="after",
        action="AssumeRole",
        place=Place.ROLE,
    ),
    KillPoint(
        meaning="before a write",
        scenario=scenarios.delivered,
        when="before",
        action="PutObject",
        place=Place.OBJECT,
    ),
    KillPoint(
        meaning="after the first write",
        scenario=scenarios.delivered,
        when="after",
        action="PutObject",
        place=Place.OBJECT,
        done=Done(objects=1),
    ),
    KillPoint(
        meaning="between two writes",
        scenario=scenarios.delivered,
        when="before",
        action="PutObject",
        place=Place.OBJECT,
        nth=2,
        done=Done(objects=1),
    ),
    KillPoint(
        meaning="after the writes and before the answer",
        scenario=scenarios.delivered,
        when="after",
        action="PutObject",
        place=Place.OBJECT,
        nth=3,
        done=Done(objects=3),
    ),
    KillPoint(
        meaning="while the keys are read",
        scenario=scenarios.with_keys,
        when="after",
        action="GetSecretValue",
        place=Place.SECRET,
    ),
    KillPoint(
        meaning="after the write with keys",
        scenario=scenarios.with_keys,
        when="after",
        action="PutObject",
        place=Place.OBJECT,
        done=Done(objects=1),
    ),
    KillPoint(
        meaning="while the size of the payload is asked for",
        scenario=scenarios.offloaded,
        when="after",
        action="HeadObject",
        place=Place.PAYLOAD,
    ),
    KillPoint(
        meaning="while the payload is fetched",
        scenario=scenarios.offloaded,
        when="after",
        action="GetObject",
        place=Place.PAYLOAD,
    ),
    KillPoint(
        meaning="after the write of the payload",
        scenario=scenarios.offloaded,
        when="after",
        action="PutObject",
        place=Place.OBJECT,
        done=Done(objects=1),
    ),
    KillPoint(
        meaning="before the body is kept",
        scenario=scenarios.failing,
        when="before",
        action="PutObject",
        place=Place.BODY,
        done=Done(objects=1),
    ),
    KillPoint(
        meaning="after the body is kept",
        scenario=scenarios.failing,
        when="after",
        action="PutObject",
        place=Place.BODY,
        done=Done(objects=1, bodies=1),
    ),
    KillPoint(
        meaning="between the body and the record",
        scenario=scenarios.failing,
        when="before",
        action="UpdateItem",
        place=Place.LEDGER,
        done=Done(objects=1, bodies=1),
    ),
    KillPoint(
        meaning="after the record and before the answer",
        scenario=scenarios.failing,
        when="after",
        action="UpdateItem",
        place=Place.LEDGER,
        done=Done(objects=1, bodies=1, records=1),
    ),
    KillPoint(
        meaning="after the write and before it is resolved",
        scenario=scenarios.retried,
        when="after",
        action="PutObject",
        place=Place.OBJECT,
        done=Done(objects=1, bodies=1, records=1),
    ),
    KillPoint(
        meaning="before it is resolved",
        scenario=scenarios.retried,
        when="before",
        action="UpdateItem",
        place=Place.LEDGER,
        done=Done(objects=1, bodies=1, records=1),
    ),
    KillPoint(
        meaning="after it is resolved",
        scenario=scenarios.retried,
        when="after",
        action="UpdateItem",
        place=Place.LEDGER,
        done=Done(objects=1, bodies=1, records=1),
    ),
    KillPoint(
        meaning="between the body and the record",
        scenario=scenarios.failing_again,
        when="after",
        action="PutObject",
        place=Place.BODY,
        done=Done(bodies=1, records=1),
    ),
    KillPoint(
        meaning="after the record",
        scenario=scenarios.failing_again,
        when="after",
        action="UpdateItem",
        place=Place.LEDGER,
        done=Done(bodies=1, records=1),
    ),
    KillPoint(
        meaning="before the body is kept",
        scenario=scenarios.held,
        when="before",
        action="PutObject",
        place=Place.BODY,
    ),
    KillPoint(
        meaning="between the body and its item",
        scenario=scenarios.held,
        when="before",
        action="PutItem",
        place=Place.LEDGER,
        done=Done(bodies=1),
    ),
    KillPoint(
        meaning="after the item",
        scenario=scenarios.held,
        when="after",
        action="PutItem",
        place=Place.LEDGER,
        done=Done(bodies=1, records=1),
    ),
    KillPoint(
        meaning="between two messages",
        scenario=scenarios.held,
        when="after",
        action="PutObject",
        place=Place.BODY,
        nth=2,
        done=Done(bodies=2, records=1),
    ),
    KillPoint(
        meaning="after a conditional write",
        scenario=scenarios.created,
        when="after",
        action="PutObject",
        place=Place.OBJECT,
        done=Done(objects=1),
    ),
    KillPoint(
        meaning="after all conditional writes",
        scenario=scenarios.created,
        when="after",
        action="PutObject",
        place=Place.OBJECT,
        nth=2,
        done=Done(objects=2),
    ),
    KillPoint(
        meaning="after the write is refused",
        scenario=scenarios.occupied,
        when="after",
        action="PutObject",
        place=Place.OBJECT,
        done=Done(objects=1),
    ),
    KillPoint(
        meaning="while the other object is looked at",
        scenario=scenarios.occupied,
        when="after",
        action="HeadObject",
        place=Place.OBJECT,
        done=Done(objects=1),
    ),
    KillPoint(
        meaning="after the record",
        scenario=scenarios.occupied,
        when="after",
        action="UpdateItem",
        place=Place.LEDGER,
        done=Done(objects=1, bodies=1, records=1),
    ),
    KillPoint(
        meaning="before the message is put off",
        scenario=scenarios.delayed,
        when="before",
        action="ChangeMessageVisibility",
        place=Place.QUEUE,
    ),
    KillPoint(
        meaning="after the message is put off",
        scenario=scenarios.delayed,
        when="after",
        action="ChangeMessageVisibility",
        place=Place.QUEUE,
    ),
]
