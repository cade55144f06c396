"""Record messages as senders write them, and as the core reads them."""

import json
from typing import Any

from functions.core.instants import Instant
from functions.core.streams import End, Rows, parse_record_message

SENT = Instant.from_milliseconds(1_760_410_739_323)

RUN: dict[str, Any] = {
    "destination_id": "acme",
    "connection_id": "shop",
    "connection_run_id": "all-1",
    "stream": {"id": "orders", "name": "Orders"},
    "stream_run_id": "run-1",
}


def rows_body(sequence: int | None = 0, records: Any = None, **fields: Any) -> str:
    """A message of rows; a field that is None is left out."""
    given = [{"n": sequence}] if records is None else records
    return _text(RUN | {"sequence": sequence, "records": given} | fields)


def end_body(batches: int = 1, records_total: int | None = None, **fields: Any) -> str:
    """The end of a run; a field that is None is left out."""
    return _text(RUN | {"end": True, "batches": batches, "records_total": records_total} | fields)


def rows(sequence: int | None = 0, records: Any = None, *, sent: Instant = SENT, **fields: Any) -> Rows:
    """As above, read."""
    found = parsed(rows_body(sequence, records, **fields), sent=sent)
    assert isinstance(found, Rows)
    return found


def end(batches: int = 1, records_total: int | None = None, *, sent: Instant = SENT, **fields: Any) -> End:
    """As above, read."""
    found = parsed(end_body(batches, records_total, **fields), sent=sent)
    assert isinstance(found, End)
    return found


def parsed(body: str | bytes, *, message_id: str = "sqs-1", sent: Instant = SENT) -> Rows | End:
    """A body, read."""
    raw = body if isinstance(body, bytes) else body.encode()
    return parse_record_message(raw, message_id=message_id, sent=sent)


def _text(fields: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in fields.items() if value is not None})
