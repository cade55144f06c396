"""A message as a queue delivers it."""

from enum import StrEnum

import msgspec

from functions.core.instants import Instant

FIRST_DELAY_SECONDS = 30
LONGEST_DELAY_SECONDS = 3_600
MAX_RECEIVES = 20
"""Receives before a message is a dead letter: with the delays below more than 12 hours."""


class Queue(StrEnum):
    """The queues that a deployment is fed by."""

    MESSAGES = "messages"
    RECORDS = "records"
    DELIVERIES = "deliveries"
    ARRIVALS = "arrivals"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery of one SQS message.

    `delivery_id` is what SQS calls it now; `message_id` and `sent` are what it was when it first came, which
    differs once a failure is retried; `failure` names that failure, and `restart` says that what was pinned for its
    work is pinned anew.
    """

    delivery_id: str
    message_id: str
    receipt_handle: str
    body: str
    sent: Instant
    receives: int
    failure: str | None = None
    restart: bool = False


def delay_seconds(receives: int) -> int:
    """How long a message that was received this often waits for the next attempt: doubling, up to an hour."""
    return int(min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(receives - 1, 10)))
