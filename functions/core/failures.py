"""A failure: what is known of a message that could not be delivered, or is held back."""

import re
from enum import StrEnum

import msgspec

from functions.core.errors import Code, resolution
from functions.core.records import Queue

UNKNOWN_CONNECTION = "_"
"""Stands for the connection of a message whose destination cannot be told; no destination is called so."""


_FAILURE_ID = re.compile(r"(?:_|[A-Za-z0-9-]{1,64}):[0-9a-f]{32}")


class State(StrEnum):
    """`held` waits for its destination to be enabled; the others are what an operator made of a failure."""

    OPEN = "open"
    RESOLVED = "resolved"
    SKIPPED = "skipped"
    HELD = "held"


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One failure as it is stored and shown; times are RFC 3339 in UTC.

    `id` is `<connection>:<digest of the message's identity and body>`, so that a message that fails again is
    the same failure with one more attempt. `message_id` and `sent_ms` are SQS's when it first came; `queue` is
    where it came from, and is sent to again.
    """

    id: str
    connection: str
    state: State
    first_at: str
    last_at: str
    attempts: int
    message_id: str
    sent_ms: int
    body_key: str
    queue: Queue = Queue.MESSAGES
    code: Code | None = None
    text: str = ""

    @property
    def resolution(self) -> tuple[str, ...]:
        """The steps that cure it, in order, as commands."""
        if self.code is None:
            return (f"sluice destination enable {self.connection}",)
        what = "source" if self.queue is Queue.ARRIVALS else "destination"
        return resolution(self.code, connection=self.connection, failure=self.id, what=what)


def failure_id(connection: str | None, digest: str) -> str:
    """The id of the failure of a message with this digest."""
    return f"{connection or UNKNOWN_CONNECTION}:{digest}"


def is_failure_id(text: str) -> bool:
    """Whether this can be the id of a failure; a sender may put anything where one is expected."""
    return _FAILURE_ID.fullmatch(text) is not None


def connection_of(failure: str) -> str:
    """The connection that a failure's id names."""
    return failure.partition(":")[0]


def body_key(failure: str) -> str:
    """Where the data bucket keeps the body of a failed message."""
    connection, _, digest = failure.partition(":")
    return f"failures/{connection}/{digest}.json"


def retried(failure: str | None, connection: str | None) -> str | None:
    """The failure that a message is a retry of; a sender cannot name one of another connection."""
    if failure is None or connection_of(failure) not in {connection, UNKNOWN_CONNECTION}:
        return None
    return failure
