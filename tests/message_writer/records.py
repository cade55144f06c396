"""Messages as a queue delivers them."""

import itertools
import json
from typing import Any

import msgspec

from functions.core.instants import Instant
from functions.core.records import Record

SENT = Instant.from_milliseconds(1_760_410_739_323)
_NUMBERS = itertools.count(1)


def body_of(destination_id: str = "acme", **fields: Any) -> str:
    """A body for a destination."""
    return json.dumps({"destination_id": destination_id, "data": {"n": 1}} | fields)


def record(body: str | None = None, **changes: Any) -> Record:
    """A message that was never delivered before."""
    number = next(_NUMBERS)
    made = Record(
        delivery_id=f"delivery-{number}",
        message_id=f"message-{number}",
        receipt_handle=f"receipt-{number}",
        body=body_of() if body is None else body,
        sent=SENT,
        receives=1,
    )
    return msgspec.structs.replace(made, **changes)
