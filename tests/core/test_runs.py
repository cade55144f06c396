"""Runs: which messages belong together, when all are there, and in which order their rows are."""

import itertools
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.digests import digest
from functions.core.failures import is_failure_id
from functions.core.instants import Instant
from functions.core.runs import (
    END,
    Ending,
    Part,
    Piece,
    Run,
    Schema,
    Tally,
    complete,
    ending_of,
    fault_of,
    flush_of,
    in_order,
    new_run,
    piece_of,
    run_of,
    stream_of,
)
from functions.core.streams import StreamContext
from tests.core.record_messages import end, rows
from tests.core.strategies import INSTANTS, TEXT

CONTEXT = StreamContext(stream_name="Orders", stream_run_id="run-1")


def piece(sequence: int, *, sent_ms: int = 0, rows: int = 1, length: int = 8, identity: str = "") -> Piece:
    return Piece(0, length, rows, sequence, sent_ms, identity or digest(str(sequence)))


def part(*pieces: Piece, context: StreamContext = CONTEXT, **changes: Any) -> Part:
    return Part(key="parts/0.jsonl", number=0, context=context, pieces=pieces, **changes)


# Names


def test_a_run_has_a_name_that_failures_and_tasks_can_have() -> None:
    for name in (run_of(rows()), stream_of(rows()), flush_of(stream_of(rows()), 0)):
        assert is_failure_id(name)
        assert name.startswith("acme:")


def test_all_messages_of_a_run_are_of_the_same_run_and_stream() -> None:
    others = [rows(7, cursor="2025-04-14T11:23:45Z"), rows(8, stream={"id": "orders", "name": "X"}), end()]
    assert {run_of(rows())} == {run_of(each) for each in others}
    assert {stream_of(rows())} == {stream_of(each) for each in others}


@pytest.mark.parametrize(
    "other",
    [
        {"destination_id": "acme-2"},
        {"connection_id": "shop-2"},
        {"stream": {"id": "orders-2", "name": "Orders"}},
        {"stream_run_id": "run-2"},
        {"connection_run_id": "all-2"},
        {"connection_run_id": None},
    ],
)
def test_what_differs_by_any_of_its_names_is_another_run(other: dict[str, Any]) -> None:
    assert run_of(rows(**other)) != run_of(rows())


_CLOSE = st.text(st.sampled_from('ab:#/"0\x00'), min_size=1, max_size=3)
_NAMES = st.tuples(_CLOSE, _CLOSE, _CLOSE, _CLOSE)


@given(_NAMES, _NAMES)
def test_names_that_are_the_same_when_they_are_joined_are_different_runs(
    left: tuple[str, str, str, str], right: tuple[str, str, str, str]
) -> None:
    first, second = (
        rows(connection_id=a, connection_run_id=b, stream={"id": c, "name": "n"}, stream_run_id=d)
        for a, b, c, d in (left, right)
    )
    assert (run_of(first) == run_of(second)) == (left == right)
    same = (left[0], left[2]) == (right[0], right[2])
    assert (stream_of(first) == stream_of(second)) == same


@given(st.lists(TEXT, max_size=3), st.lists(TEXT, max_size=3))
def test_a_digest_is_of_the_names_and_of_where_each_ends(left: list[str], right: list[str]) -> None:
    assert (digest(*left) == digest(*right)) == (left == right)


def test_the_flushes_of_a_stream_are_runs_of_their_own() -> None:
    streams = [stream_of(rows()), stream_of(rows(connection_id="shop-2"))]
    flushes = [flush_of(stream, number) for stream in streams for number in (0, 1, 2, 10, 11)]
    runs = [new_run(rows(), id=name, now=0, flush=1) for name in flushes]
    assert len(set(flushes)) == len({run.stream_run_id for run in runs}) == 10


# A run as it begins


def test_a_run_begins_with_what_its_first_message_says() -> None:
    run = new_run(rows(), id=run_of(rows()), now=17, flush=None)
    assert msgspec.structs.asdict(run) | {"id": ""} == msgspec.structs.asdict(
        Run(
            id="",
            connection_id="shop",
            stream_id="orders",
            stream_name="Orders",
            stream_run_id="run-1",
            connection_run_id="all-1",
            created_at=17,
        )
    )
    assert run.destination == "acme"
    assert run.stream == stream_of(rows())


def test_a_flush_has_a_uuid_of_its_own_that_is_always_the_same() -> None:
    name = flush_of(stream_of(rows()), 4)
    run, again = (new_run(message, id=name, now=17, flush=4) for message in (rows(), rows(5)))
    assert run.stream_run_id == again.stream_run_id
    assert run.stream == stream_of(rows())
    found = uuid.UUID(run.stream_run_id)
    assert (found.version, found.variant, str(found)) == (5, uuid.RFC_4122, run.stream_run_id)
    assert found == uuid.uuid5(uuid.NAMESPACE_OID, name)


def test_a_run_is_stored_and_read_back_whatever_its_times() -> None:
    for cursor in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"):
        given_part = part(piece_of(rows(), offset=0), context=rows(cursor=cursor).context)
        assert msgspec.json.decode(msgspec.json.encode(given_part), type=Part) == given_part


@given(INSTANTS, TEXT, st.integers(0, 2**53))
def test_a_part_is_stored_and_read_back(cursor: int, name: str, number: int) -> None:
    context = StreamContext(stream_name=name, cursor=Instant(cursor))
    whole = part(
        piece(number, sent_ms=number, rows=number, length=number),
        context=context,
        schema=Schema(number, number, "d"),
        started_at=Instant(cursor),
    )
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Part) == whole


def test_a_run_is_stored_and_read_back_however_many_its_sequences_are() -> None:
    run = new_run(rows(), id=run_of(rows()), now=0, flush=None)
    run = msgspec.structs.replace(run, tally=Tally(messages=2**53, sequences=2**106, rows=2**53, bytes=2**70))
    assert msgspec.json.decode(msgspec.json.encode(run), type=Run) == run


# Pieces


def test_a_piece_says_where_its_rows_are() -> None:
    message = rows(3, [{"n": 1}, {"n": 2}])
    found = piece_of(message, offset=11)
    assert found == Piece(11, 16, 2, 3, 1_760_410_739_323, digest('["all-1","run-1",3]'))
    assert found.name == "sequence 3"


def test_a_piece_without_sequence_is_called_by_its_message() -> None:
    found = piece_of(rows(None, id="mine"), offset=0)
    assert found.sequence == -1
    assert found.name == f"message {digest('mine')[:8]}"


def test_an_end_is_a_piece_without_rows_that_counts_for_nothing() -> None:
    found = piece_of(end(3), offset=11)
    assert (found.length, found.rows, found.sequence) == (0, 0, END)
    assert part(found).tally == Tally()
    assert part(found, piece(4, rows=2, length=9)).tally == Tally(messages=1, sequences=4, rows=2, bytes=9)


def test_a_part_without_some_messages_holds_the_others() -> None:
    whole = part(piece(0), piece(1), piece(2))
    assert whole.without([digest("1"), "unknown"]).pieces == (piece(0), piece(2))
    assert whole.without([]).pieces == whole.pieces


def test_an_end_is_stored_with_its_numbers() -> None:
    assert ending_of(end(3, 7)) == Ending(batches=3, records_total=7)


# Completeness


def counted(*sequences: int, rows: int = 1) -> Tally:
    return part(*(piece(each, rows=rows) for each in sequences)).tally


def test_a_run_is_complete_when_just_the_messages_are_there_that_its_end_counts() -> None:
    for count, staged in itertools.product(range(5), range(6)):
        for sequences in itertools.combinations(range(7), staged):
            whole = set(sequences) == set(range(count))
            assert complete(Ending(batches=count), counted(*sequences)) == (whole or staged > count)
            assert (fault_of(Ending(batches=count), counted(*sequences)) == "") == whole


def test_what_is_wrong_with_a_run_is_told_by_its_numbers() -> None:
    assert fault_of(Ending(batches=2, records_total=6), counted(0, 1, rows=3)) == ""
    text = fault_of(Ending(batches=2, records_total=7), counted(0, 1, rows=3))
    assert text == "the end says that the run has 7 rows; its messages hold 6"
    text = fault_of(Ending(batches=2, records_total=7), counted(0, 1, 2))
    assert text == "the end says that the run has 2 messages; there are 3"


# Order


@given(st.permutations(range(8)), st.randoms())
def test_the_rows_of_a_run_are_in_the_order_of_their_sequences(order: list[int], chance: Any) -> None:
    pieces = [piece(each, sent_ms=chance.randrange(5)) for each in order]
    parts = [part(*pieces[:3]), part(*pieces[3:4]), part(*pieces[4:])]
    chance.shuffle(parts)
    assert [each.sequence for _, each in in_order(parts)] == list(range(8))


def test_in_a_flush_runs_are_in_the_order_in_which_they_began() -> None:
    def of(run: str | None, *pieces: Piece) -> Part:
        return part(*pieces, context=StreamContext(stream_name="n", stream_run_id=run))

    parts = [
        of("a", piece(0, sent_ms=5), piece(2, sent_ms=6)),
        of("b", piece(1, sent_ms=2), piece(0, sent_ms=9)),
        of("a", piece(1, sent_ms=7)),
        of(None, piece(-1, sent_ms=4, identity="y"), piece(-1, sent_ms=4, identity="x")),
        of(None, piece(-1, sent_ms=3, identity="z")),
    ]
    found = [(p.context.stream_run_id, each.sequence, each.sent_ms) for p, each in in_order(parts)]
    assert found == [
        ("b", 0, 9),
        ("b", 1, 2),
        (None, -1, 3),
        (None, -1, 4),
        (None, -1, 4),
        ("a", 0, 5),
        ("a", 1, 7),
        ("a", 2, 6),
    ]
    assert [each.identity for _, each in in_order(parts)][2:5] == ["z", "x", "y"]
    assert [each for _, each in in_order(reversed(parts))] == [each for _, each in in_order(parts)]
