"""What files a run becomes: folders, their order, the load time, and what is missing in a name."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.core.assembly import Folder, folders, tally_of
from functions.core.definitions.intake import Flush, Intake
from functions.core.errors import Code, Permanent
from functions.core.instants import Instant
from functions.core.runs import Part, Run, Tally, new_run
from functions.core.staging import arrival, laid_out
from functions.core.streams import End, Rows
from functions.core.templates.macros import DEFAULT, MacroTemplate
from tests.core.record_messages import SENT, end, rows

CURSORS = "{cursor_year}/{cursor_month}/{part}.{extension}"


def staged(*messages: Rows | End, flush: bool = False) -> tuple[Run, list[Part]]:
    """The run of these messages, and its parts, as they were staged one by one, the last first."""
    intake = Intake(kind="streams", flush=Flush() if flush else None)
    parts = []
    for number, message in enumerate(reversed(messages)):
        _, [load] = laid_out([arrival(message, intake)], key=f"parts/{number}.jsonl", most=98)
        parts.append(load.part)
    return new_run(messages[0], id=f"acme:{'0' * 32}", now=0, flush=0 if flush else None), parts


def found(*messages: Rows | End, template: str = DEFAULT, flush: bool = False) -> list[Folder]:
    run, parts = staged(*messages, flush=flush)
    return folders(run, parts, MacroTemplate.parse(template), extension="jsonl")


def sequences(folder: Folder) -> list[int]:
    return [piece.sequence for _, piece in folder.pieces]


def test_a_run_is_one_folder_with_all_that_names_are_made_of() -> None:
    message = rows(1, cursor="2025-04-14T11:23:45.9+02:00", started_at="2025-04-14T00:00:00Z")
    [folder] = found(message, end(1, cursor="2025-04-14T11:23:45.9+02:00"))
    context = folder.context
    assert (context.stream_id, context.stream_name, context.stream_run_id) == ("orders", "Orders", "run-1")
    assert (context.connection_id, context.connection_run_id) == ("shop", "all-1")
    assert context.cursor == Instant.parse("2025-04-14T09:23:45.9Z")
    assert context.load_time == Instant.parse("2025-04-14T00:00:00Z")
    assert (context.extension, context.part) == ("jsonl", 1)
    assert sequences(folder) == [1]


def test_rows_are_in_the_order_of_their_sequences() -> None:
    [folder] = found(rows(3), rows(1), end(4), rows(0), rows(2))
    assert sequences(folder) == [0, 1, 2, 3]


def test_rows_whose_names_differ_are_in_folders_of_their_own_in_the_order_of_their_first_rows() -> None:
    years = ["2026", "2025", "2026", "2024", "2025"]
    messages = [rows(number, cursor=f"{year}-04-14T11:00:00Z") for number, year in enumerate(years)]
    folded = found(*messages, template=CURSORS)
    assert [sequences(each) for each in folded] == [[0, 2], [1, 4], [3]]
    assert [each.context.cursor for each in folded] == [
        Instant.parse(f"{year}-04-14T11:00:00Z") for year in ("2026", "2025", "2024")
    ]


def test_contexts_that_give_the_same_name_are_one_folder() -> None:
    messages = [rows(number, cursor=f"2025-04-{10 + number}T11:00:00Z") for number in range(5)]
    [folder] = found(*messages, template=CURSORS)
    assert sequences(folder) == [0, 1, 2, 3, 4]
    assert folder.context.cursor == Instant.parse("2025-04-10T11:00:00Z")


@pytest.mark.parametrize("template", [CURSORS, "{cursor_date_time}/{part}", "{part}{cursor_day}"])
def test_a_stream_without_cursor_has_no_name_made_of_it(template: str) -> None:
    for messages in ([rows(0)], [rows(0, cursor="2025-04-14T11:00:00Z"), rows(1)], [end(0)]):
        with pytest.raises(Permanent) as raised:
            found(*messages, template=template)
        assert raised.value.code is Code.BAD_KEY
        assert "cursor" in raised.value.text


def test_an_end_names_the_file_of_a_run_without_rows_and_of_no_other() -> None:
    [folder] = found(end(0, cursor="2025-04-14T11:00:00Z"), template=CURSORS)
    assert sum(piece.rows for _, piece in folder.pieces) == 0
    assert folder.context.cursor == Instant.parse("2025-04-14T11:00:00Z")
    [folder] = found(rows(0, [], cursor="2024-04-14T11:00:00Z"), end(1), template=CURSORS)
    assert sequences(folder) == [0]
    assert folder.context.cursor == Instant.parse("2024-04-14T11:00:00Z")


def test_a_run_is_named_by_its_own_id_and_a_flush_by_its_own() -> None:
    messages = [rows(0), rows(0, stream_run_id="run-2"), rows(None, stream_run_id=None)]
    [folder] = found(*messages, flush=True, template="{stream_run_id}/{part}")
    assert len(folder.pieces) == 3
    assert folder.context.stream_run_id == staged(*messages, flush=True)[0].stream_run_id
    split = found(
        *messages, rows(9, connection_run_id="x"), flush=True, template="{connection_run_id}/{part}"
    )
    assert [each.context.connection_run_id for each in split] == ["all-1", "x"]


def at(milliseconds: int) -> Instant:
    return Instant.from_milliseconds(milliseconds)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([rows(0, sent=at(30)), rows(1, sent=at(10)), end(2, sent=at(40))], at(10)),
        ([rows(0, started_at="2025-04-14T11:00:00Z", sent=at(30))], Instant.parse("2025-04-14T11:00:00Z")),
        (
            [rows(0, sent=at(30)), rows(1, started_at="2025-04-14T11:00:00Z", sent=at(10))],
            Instant.parse("2025-04-14T11:00:00Z"),
        ),
        (
            [
                rows(0, started_at="2025-04-14T11:00:00Z"),
                rows(1, started_at="2025-04-14T10:00:00Z"),
                end(2, started_at="2025-04-14T12:00:00Z"),
            ],
            Instant.parse("2025-04-14T10:00:00Z"),
        ),
        ([end(0)], SENT),
    ],
)
def test_a_run_began_to_load_at_the_least_time_that_is_said_else_when_its_first_message_was_sent(
    messages: list[Rows | End], expected: Instant
) -> None:
    [folder] = found(*messages)
    assert folder.context.load_time == expected


def test_the_load_time_is_the_runs_and_not_the_folders() -> None:
    folded = found(
        rows(0, cursor="2025-04-14T11:00:00Z", sent=at(30)),
        rows(1, cursor="2026-04-14T11:00:00Z", sent=at(20)),
        template=CURSORS,
    )
    assert {each.context.load_time for each in folded} == {at(20)}


def test_each_schema_of_a_folder_is_found_once_in_the_order_of_the_rows() -> None:
    def of(number: int, **properties: Any) -> Rows:
        stream = {"id": "orders", "name": "Orders", "schema": {"properties": properties}}
        return rows(number, stream=stream)

    [folder] = found(of(2, a={}), rows(0), of(3), of(1, a={}), of(4, b={}))
    assert [part.pieces[0].sequence for part in folder.schemas] == [1, 3, 4]
    [folder] = found(rows(0))
    assert folder.schemas == ()


def test_what_parts_hold_together_is_counted() -> None:
    assert tally_of(staged(rows(0), rows(1, []), end(2))[1]) == Tally(
        messages=2, sequences=1, rows=1, bytes=8
    )
    assert tally_of([]) == Tally()


@pytest.mark.parametrize("shuffle", [list, lambda parts: list(reversed(parts))])
def test_folders_do_not_follow_from_the_order_in_which_parts_are_read(shuffle: Callable[[Any], Any]) -> None:
    run, parts = staged(*(rows(number, cursor=f"20{20 + number % 3}-01-01T00:00:00Z") for number in range(9)))
    template = MacroTemplate.parse(CURSORS)
    folded = folders(run, shuffle(parts), template, extension="jsonl")
    assert [sequences(each) for each in folded] == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
