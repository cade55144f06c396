"""Rows in messages: all of them, in order, each message as SQS takes it, and nothing decided but by the rows."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.outgoing import MAX_BYTES, Outgoing
from functions.core.record_batches import BODY_BYTES, RecordBatches, StreamRun

RUN = StreamRun(
    destination_id="acme",
    connection_id="c",
    connection_run_id="cr",
    stream="orders",
    stream_run_id="sr",
    started_at="2025-10-14T02:58:59Z",
)


def packed(batches: RecordBatches, records: list[bytes]) -> list[Outgoing]:
    messages = []
    for record in records:
        if not batches.takes(record):
            messages += batches.flush()
        batches.add(record)
    return [*messages, *batches.flush(), batches.end()]


def bodies(messages: list[Outgoing]) -> list[dict[str, Any]]:
    return [json.loads(message.body) for message in messages]


def record(size: int, fill: str = "x") -> bytes:
    return json.dumps({"a": fill * max(0, size - 8)}, separators=(",", ":"), ensure_ascii=False).encode()


@settings(max_examples=40)
@given(
    sizes=st.lists(st.sampled_from([0, 10, 1_000, 333_000, 499_990, 999_000, 1_100_000]), max_size=12),
    fill=st.sampled_from(["x", "é", '"']),
    schema=st.sampled_from([None, b"{}", record(600_000), record(2_000_000)]),
)
def test_what_is_packed_comes_out_again(sizes: list[int], fill: str, schema: bytes | None) -> None:
    records = [record(size, fill) for size in sizes]
    messages = packed(RecordBatches(RUN, schema), records)
    *rows, end = bodies(messages)
    assert [row for body in rows for row in body["records"]] == [json.loads(each) for each in records]
    assert [body["sequence"] for body in rows] == list(range(len(rows)))
    assert (end["end"], end["batches"], end["records_total"]) == (True, len(rows), len(records))
    small = schema is None or len(schema) < 100
    for message, body in zip(messages, rows, strict=False):
        assert message.size <= BODY_BYTES < MAX_BYTES or len(body["records"]) == 1 or not small


def test_every_message_says_whose_it_is() -> None:
    *_, rows, end = bodies(packed(RecordBatches(RUN, b'{"type":"object"}'), [b'{"a":1}']))
    shared = {
        "destination_id": "acme",
        "connection_id": "c",
        "connection_run_id": "cr",
        "stream": {"id": "orders", "name": "orders", "schema": {"type": "object"}},
        "stream_run_id": "sr",
        "started_at": "2025-10-14T02:58:59Z",
    }
    assert rows == shared | {"sequence": 0, "records": [{"a": 1}]}
    assert end == shared | {"end": True, "batches": 1, "records_total": 1}


def test_a_full_message_wastes_no_room() -> None:
    """Only the row that no longer fits begins another."""
    messages = packed(RecordBatches(RUN), [record(1_000)] * 3_000)
    full = [message.size for message in messages[:-2]]
    assert len(full) == 3
    assert all(BODY_BYTES - 1_100 < size <= BODY_BYTES for size in full)


def test_rows_stay_the_text_that_they_are() -> None:
    text = b'{"n":1.10,"big":123456789012345678901234567890,"far":1e400,"zero":-0.0,"cut":"\\u00e9"}'
    [message, _] = packed(RecordBatches(RUN), [text])
    assert f'"records":[{text.decode()}]' in message.body


def test_an_empty_run_has_an_end_with_its_schema() -> None:
    [end] = bodies(packed(RecordBatches(RUN, b'{"type":"object"}'), []))
    assert (end["batches"], end["records_total"]) == (0, 0)
    assert end["stream"]["schema"] == {"type": "object"}


@pytest.mark.parametrize(("changed", "messages"), [(b'{"a":1}', 1), (b'{"a":2}', 2), (None, 2)])
def test_rows_travel_with_the_schema_that_they_had(changed: bytes | None, messages: int) -> None:
    batches = RecordBatches(RUN, b'{"a":1}')
    batches.add(b"{}")
    left = batches.describe(changed)
    batches.add(b"{}")
    sent = bodies([*left, *batches.flush()])
    schemas = [body["stream"].get("schema") for body in sent]
    assert schemas == [{"a": 1}, json.loads(changed or b"null")][:messages]
    assert [body["sequence"] for body in sent] == list(range(messages))
