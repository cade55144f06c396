"""How rows lie in a staging object: where each belongs, and that every piece is just its message's rows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.definitions.intake import Flush, Intake
from functions.core.digests import digest
from functions.core.errors import Code, Permanent
from functions.core.instants import Instant
from functions.core.runs import END, run_of, stream_of
from functions.core.staging import arrival, laid_out
from functions.core.streams import End, Rows
from tests.core.record_messages import end, rows

RUNS = Intake(kind="streams")
CONTINUOUS = Intake(kind="streams", flush=Flush())
KEY = "parts/0.jsonl"


def test_a_message_belongs_to_its_run() -> None:
    for message in (rows(), end()):
        found = arrival(message, RUNS)
        assert (found.message, found.scope, found.continuous) == (message, run_of(message), False)


def test_a_message_of_a_continuous_stream_belongs_to_the_stream() -> None:
    for message in (rows(), rows(None), rows(stream_run_id=None), end()):
        found = arrival(message, CONTINUOUS)
        assert (found.scope, found.continuous) == (stream_of(message), True)


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        (rows(stream_run_id=None), "`stream_run_id`"),
        (end(stream_run_id=None), "`stream_run_id`"),
        (rows(None), "`sequence`"),
        (rows(None, stream_run_id=None), "`stream_run_id`"),
    ],
)
def test_what_cannot_be_counted_needs_a_flush(message: Rows | End, missing: str) -> None:
    with pytest.raises(Permanent) as raised:
        arrival(message, RUNS)
    assert raised.value.code is Code.BAD_MESSAGE
    assert missing in raised.value.text
    assert "`flush`" in raised.value.text


def laid(*messages: Rows | End, intake: Intake = RUNS, most: int = 98) -> tuple[bytes, list[Any]]:
    return laid_out((arrival(each, intake) for each in messages), key=KEY, most=most)


def test_nothing_is_an_empty_object() -> None:
    assert laid() == (b"", [])


def test_an_end_alone_has_no_bytes_and_a_part() -> None:
    body, [load] = laid(end(0))
    assert body == b""
    assert [piece.sequence for piece in load.part.pieces] == [END]


def test_rows_of_a_run_lie_in_order_behind_their_schema() -> None:
    schema: dict[str, Any] = {"properties": {}}
    stream = {"id": "orders", "name": "Orders", "schema": schema}
    body, [load] = laid(*(rows(each, stream=stream) for each in (2, 0, 1)))
    assert body == b'{"properties":{}}\n{"n":0}\n{"n":1}\n{"n":2}\n'
    assert [piece.sequence for piece in load.part.pieces] == [0, 1, 2]
    place = load.part.schema
    assert body[place.offset : place.offset + place.length] == b'{"properties":{}}'
    assert place.digest == digest('{"properties":{}}')


def test_rows_without_sequence_lie_as_they_were_sent() -> None:
    messages = [
        rows(None, [{"n": number}], id=f"m{number}", sent=Instant.from_milliseconds(sent))
        for number, sent in enumerate([30, 10, 20])
    ]
    body, _ = laid(*messages, intake=CONTINUOUS)
    assert body == b'{"n":1}\n{"n":2}\n{"n":0}\n'


def test_a_part_has_so_many_messages_at_most() -> None:
    _, loads = laid(*map(rows, range(7)), most=3)
    assert [[piece.sequence for piece in load.part.pieces] for load in loads] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [load.part.number for load in loads] == [0, 1, 2]
    assert {load.part.key for load in loads} == {KEY}


def test_a_part_began_when_the_first_of_its_messages_says() -> None:
    times = [None, "2025-04-14T11:00:00Z", "2025-04-14T10:00:00Z", None]
    messages = [rows(number, started_at=time) for number, time in enumerate(times)]
    _, [load] = laid(*messages)
    assert load.part.started_at == Instant.parse("2025-04-14T10:00:00Z")
    assert laid(rows())[1][0].part.started_at is None


_SMALL = st.sampled_from(["a", "b", "ab", '"', "a:", "\x00"])
_MESSAGES = st.fixed_dictionaries(
    {
        "destination_id": _SMALL,
        "connection_id": _SMALL,
        "connection_run_id": _SMALL,
        "stream": st.fixed_dictionaries(
            {"id": _SMALL, "name": _SMALL}, optional={"schema": st.sampled_from([{}, {"properties": {}}])}
        ),
        "stream_run_id": _SMALL,
        "sequence": st.integers(0, 5),
        "records": st.lists(st.fixed_dictionaries({"v": st.integers(0, 9)}), max_size=3),
    },
    optional={"cursor": st.sampled_from(["2025-04-14T11:00:00Z", "2026-04-14T11:00:00Z"])},
)


@given(st.lists(_MESSAGES, max_size=12), st.integers(1, 4), st.sampled_from([RUNS, CONTINUOUS]))
def test_every_piece_is_the_rows_of_its_message_and_no_part_is_of_two_tenants(
    given_fields: list[dict[str, Any]], most: int, intake: Intake
) -> None:
    messages = [rows(**fields) for fields in given_fields]
    body, loads = laid(*messages, intake=intake, most=most)
    seen = []
    end_of_last = 0
    for load in loads:
        assert 1 <= len(load.messages) == len(load.part.pieces) <= most
        assert len({_tenant(each) for each in load.messages}) == 1
        assert {(each.context, each.schema) for each in load.messages} == {
            (load.part.context, load.messages[0].schema)
        }
        assert load.scope == (stream_of if intake.flush else run_of)(load.messages[0])
        for message, piece in zip(load.messages, load.part.pieces, strict=True):
            assert isinstance(message, Rows)
            assert body[piece.offset : piece.offset + piece.length] == message.lines
            assert (piece.rows, piece.sequence) == (message.count, message.sequence)
            assert piece.offset >= end_of_last
            end_of_last = piece.offset + piece.length
        seen += load.messages
        place = load.part.schema
        schema = None if place is None else body[place.offset : place.offset + place.length]
        assert schema == load.messages[0].schema
    assert sorted(map(repr, seen)) == sorted(map(repr, messages))
    assert [load.part.number for load in loads] == list(range(len(loads)))


def _tenant(message: Rows | End) -> tuple[str, str, str]:
    return message.destination_id, message.connection_id, message.stream_id
