"""A Singer target: what it sends, when it answers for a state, and what it refuses."""

import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.errors import Code, Refused
from functions.core.formats.rows import MAX_RECORD_BYTES
from functions.core.record_batches import Flush, RecordBatches, StreamRun
from functions.core.singer import Target, numbered

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def schema(stream: str = "s", of: Any = SCHEMA) -> dict[str, Any]:
    return {"type": "SCHEMA", "stream": stream, "schema": of, "key_properties": []}


def row(value: Any, stream: str = "s") -> dict[str, Any]:
    return {
        "type": "RECORD",
        "stream": stream,
        "record": {"a": value},
        "time_extracted": "2025-01-01T00:00:00Z",
    }


def state(value: Any) -> dict[str, Any]:
    return {"type": "STATE", "value": value}


def lines(*messages: Any) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def begun(stream: str, described: bytes) -> RecordBatches:
    run = StreamRun(
        destination_id="acme",
        connection_id="singer",
        connection_run_id="r",
        stream=stream,
        stream_run_id=f"r-{stream}",
        started_at="2025-01-01T00:00:00Z",
    )
    return RecordBatches(run, described)


def flushed(source: bytes | BinaryIO, notes: list[str] | None = None) -> Iterator[Flush]:
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    return Target(begun, ([] if notes is None else notes).append).flushes(numbered(stream))


def bodies(flushes: list[Flush]) -> list[dict[str, Any]]:
    return [json.loads(message.body) for flush in flushes for message in flush.messages]


def test_rows_of_each_stream_are_a_run_of_their_own() -> None:
    given = lines(schema("s"), schema("t"), row(1, "s"), row(2, "t"), row(3, "s"), state({"at": 3}))
    [flush] = flushed(given)
    assert (flush.rows, flush.state) == (3, b'{"at":3}')
    found = [(body["stream"]["name"], body.get("records"), body.get("end")) for body in bodies([flush])]
    assert found == [
        ("s", [{"a": 1}, {"a": 3}], None),
        ("t", [{"a": 2}], None),
        ("s", None, True),
        ("t", None, True),
    ]


def test_a_stream_without_rows_is_an_empty_run() -> None:
    [end] = bodies(list(flushed(lines(schema()))))
    assert (end["end"], end["batches"], end["records_total"]) == (True, 0, 0)
    assert end["stream"]["schema"] == SCHEMA


@pytest.mark.parametrize("source", [b"", b"\n  \r\n\n"])
def test_nothing_is_sent_of_nothing(source: bytes) -> None:
    assert bodies(list(flushed(source))) == []


def test_numbers_and_text_stay_as_they_were_written() -> None:
    record = r'{"n":1.10,"big":123456789012345678901234567890,"far":1e400,"text":"\u00e9 é \/"}'
    spaced = record.replace(",", " , ")
    line = f'{{"record": {spaced}, "type": "RECORD", "stream": "s"}}'.encode()
    [flush] = flushed(lines(schema()) + line + b"\n" + lines(state(1)))
    assert f'"records":[{record}]' in flush.messages[0].body


def test_blank_lines_a_mark_and_a_missing_last_line_feed_are_no_faults() -> None:
    given = b"\xef\xbb\xbf" + lines(schema()) + b"\r\n \n" + lines(row(1)).rstrip()
    assert [body.get("records") for body in bodies(list(flushed(given)))] == [[{"a": 1}], None]


def test_a_state_is_told_with_the_last_row_before_it() -> None:
    """Not before: whoever starts again from it would never ask for that row."""
    text = "x" * 400_000
    given = lines(
        schema("s"),
        schema("t"),
        state(0),
        row(text),
        row(1, "t"),
        state(1),
        row(text),
        state(2),
        row(text),
        state(3),
    )
    first, last = flushed(given)
    assert (first.state, first.rows, len(first.messages)) == (b"2", 3, 2)
    assert (last.state, last.rows) == (b"3", 4)


def test_a_schema_that_changes_counts_from_there_on() -> None:
    other = {"type": "object", "properties": {}}
    given = lines(schema(), row(1), schema(), row(2), schema(of=other), row(3))
    *rows, end = bodies(list(flushed(given)))
    assert [(len(body["records"]), body["stream"]["schema"]) for body in rows] == [(2, SCHEMA), (1, other)]
    assert end["stream"]["schema"] == other


def test_versions_are_passed_over_and_noted_once_a_stream() -> None:
    notes: list[str] = []
    version = {"type": "ACTIVATE_VERSION", "stream": "s", "version": 1}
    list(flushed(lines(version, schema(), row(1), version), notes))
    assert len(notes) == 1
    assert "ACTIVATE_VERSION of `s`" in notes[0]


class Trickle(io.RawIOBase):
    """Bytes that come in pieces of any size."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes = io.BytesIO(data), iter(sizes)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._data.read(min(len(buffer), next(self._sizes, 10_000)))
        buffer[: len(piece)] = piece
        return len(piece)


@settings(max_examples=40)
@given(
    values=st.lists(st.tuples(st.sampled_from("st"), st.sampled_from([1, 300_000, 990_000])), max_size=10),
    sizes=st.lists(st.integers(1, 50_000)),
)
def test_nothing_depends_on_how_the_input_comes(values: list[tuple[str, int]], sizes: list[int]) -> None:
    rows = [row("x" * size, stream) for stream, size in values]
    data = lines(
        schema("s"), schema("t"), *(each for pair in enumerate(rows) for each in (pair[1], state(pair[0])))
    )
    trickling = cast("BinaryIO", io.BufferedReader(Trickle(data, sizes), buffer_size=4_096))
    flushes = list(flushed(trickling))
    assert flushes == list(flushed(data))
    found = bodies(flushes)
    for stream in "st":
        own = [body for body in found if body["stream"]["name"] == stream]
        records = [record for body in own for record in body.get("records", [])]
        assert records == [each["record"] for each in rows if each["stream"] == stream]
        assert [body.get("sequence") for body in own] == [*range(len(own) - 1), None]


BAD_LINES = [
    (b"no JSON", "invalid"),
    (b"[]", "not an object"),
    (b"{}", "`type`"),
    (b'{"type": 5}', "type`"),
    (b'{"type": "record"}', "'record'"),
    (b'{"type": "BATCH", "stream": "s"}', "batch_config"),
    (b'{"type": "RECORD", "record": {}}', "`stream`"),
    (b'{"type": "RECORD", "stream": "t", "record": {}}', "before its SCHEMA"),
    (b'{"type": "RECORD", "stream": "s"}', "no `record`"),
    (b'{"type": "RECORD", "stream": "s", "record": []}', "not an object"),
    (b'{"type": "RECORD", "stream": "s", "record": {"a": NaN}}', "NaN"),
    (b'{"type": "RECORD", "stream": "s", "record": {"a": "\xff"}}', "UTF-8"),
    (b'{"type": "RECORD", "stream": "s", "record": {"a": "\\ud83d"}}', "surrogate"),
    (b'{"type": "RECORD", "stream": "s", "record": ' + b"[" * 100_000 + b"}", "nested too deeply"),
    (b'{"type": "SCHEMA", "stream": "s"}', "no `schema`"),
    (b'{"type": "SCHEMA", "stream": "s", "schema": 1}', "not an object"),
    (b'{"type": "SCHEMA", "stream": "", "schema": {}}', "`stream`"),
    (b'{"type": "STATE"}', "no `value`"),
    (b'{"type": "STATE", "value": "\xff"}', "UTF-8"),
]


@pytest.mark.parametrize(("line", "why"), BAD_LINES, ids=[f"{line[:60]!r}" for line, _ in BAD_LINES])
def test_a_line_that_is_refused_is_told_and_ends_no_run(line: bytes, why: str) -> None:
    sent: list[Flush] = []
    with pytest.raises(Refused) as refused:
        sent.extend(flushed(lines(schema(), row(1)) + line + b"\n" + lines(row(2))))
    assert sent == []
    [fault] = refused.value.faults
    assert (fault.code, fault.path, fault.line) == (Code.BAD_FILE, "standard input", 3)
    assert why in str(fault)


def test_a_tap_that_stops_within_a_line_is_refused() -> None:
    with pytest.raises(Refused, match="the tap has stopped") as refused:
        list(flushed(lines(schema(), row(1)) + lines(row(2))[:-3]))
    assert refused.value.faults[0].line == 3


@pytest.mark.parametrize("beyond", [1, 3 * 1024 * 1024])
def test_a_record_beyond_the_limit_is_told_with_its_line_and_size(beyond: int) -> None:
    record = b'{"a":"%b"}' % (b"x" * (MAX_RECORD_BYTES - 8 + beyond))
    line = b'{"type":"RECORD","stream":"s","record":%b}' % record
    with pytest.raises(Refused) as refused:
        list(flushed(lines(schema()) + line + b"\n" + lines(row(1))))
    [fault] = refused.value.faults
    assert (fault.code, fault.line) == (Code.TOO_LARGE, 2)
    assert str(len(record) if beyond == 1 else len(line)) in fault.message
