"""`sluice load`: what a tap writes is in the queue before its states are printed."""

import json
from typing import Any
from uuid import UUID, uuid5

import pytest

from tests.cli.records_queue import RecordsQueue
from tests.core.test_singer import lines, row, schema, state

AGAIN = (
    *("--connection-run", "6f9619ff-8b86-4011-b42d-00cf4fc964ff"),
    *("--started-at", "2025-10-14T02:58:59Z"),
)


@pytest.fixture(scope="module")
def acme(shared_queue: RecordsQueue) -> str:
    return shared_queue.destination()


def test_rows_are_sent_and_the_state_is_all_that_is_printed(queue: RecordsQueue, acme: str) -> None:
    given = lines(schema("s"), row(1, "s"), schema("t"), row(2, "s"), state({"at": [1, 1.10]}))
    options = ("--connection", "c", "--cursor", "2025-04-14T11:23:45Z")
    done = queue("load", "--destination", acme, *AGAIN, *options, given=given)
    assert (done.status, done.out) == (0, '{"at":[1,1.1]}\n')
    assert "2 row(s) of 2 stream(s) in 3 message(s)" in done.err
    run = UUID(AGAIN[1])
    shared = {
        "destination_id": acme,
        "connection_id": "c",
        "connection_run_id": str(run),
        "cursor": "2025-04-14T11:23:45Z",
        "started_at": "2025-10-14T02:58:59Z",
    }
    described = {name: {"id": name, "name": name, "schema": schema()["schema"]} for name in "st"}
    s = shared | {"stream": described["s"], "stream_run_id": str(uuid5(run, "s"))}
    t = shared | {"stream": described["t"], "stream_run_id": str(uuid5(run, "t"))}
    assert queue.messages() == [
        s | {"sequence": 0, "records": [{"a": 1}, {"a": 2}]},
        s | {"end": True, "batches": 1, "records_total": 2},
        t | {"end": True, "batches": 0, "records_total": 0},
    ]


def test_the_same_input_under_the_same_ids_is_the_same(queue: RecordsQueue, acme: str) -> None:
    given = lines(schema(), *(row("x" * 90_000) for _ in range(30)), state(1))
    sent = []
    for _ in range(2):
        assert queue("load", "--destination", acme, *AGAIN, given=given).out == "1\n"
        sent.append(queue.bodies())
    assert sent[0] == sent[1]
    assert len(sent[0]) == 4


def test_a_run_without_an_id_gets_one_and_is_told_how_to_be_repeated(queue: RecordsQueue, acme: str) -> None:
    done = queue("load", "--destination", acme, given=lines(schema()))
    [end] = queue.messages()
    assert UUID(end["connection_run_id"]).version == 4
    again = f"--connection-run {end['connection_run_id']} --started-at {end['started_at']}"
    assert again in done.err
    assert end["connection_id"] == "singer"


def test_a_run_may_have_any_name(queue: RecordsQueue, acme: str) -> None:
    """As schedulers name theirs."""
    assert (
        queue("load", "--destination", acme, "--connection-run", "nightly 7", given=lines(schema())).status
        == 0
    )
    [end] = queue.messages()
    assert end["connection_run_id"] == "nightly 7"
    assert UUID(end["stream_run_id"]).version == 5


def test_the_answer_as_json(queue: RecordsQueue, acme: str) -> None:
    given = lines(schema(), row(1), state({"n": 1}))
    done = queue("load", "--destination", acme, *AGAIN, "--json", given=given)
    assert done.json["result"] == {
        "connection_run_id": AGAIN[1],
        "started_at": AGAIN[3],
        "rows": 1,
        "messages": 2,
        "streams": [{"stream": "s", "stream_run_id": str(uuid5(UUID(AGAIN[1]), "s")), "rows": 1}],
        "state": '{"n":1}',
    }


def test_a_tap_that_breaks_off_leaves_a_run_without_an_end(queue: RecordsQueue, acme: str) -> None:
    text = "x" * 600_000
    given = lines(schema(), row(text), state(1), row(text), state(2), row(text))
    done = queue("load", "--destination", acme, given=given[:-10])
    assert (done.status, done.out) == (1, "1\n")
    assert "the queue has 1 row(s), and no end of their run" in done.err
    assert "BAD_FILE: standard input:6: the input ends within this line" in done.err
    assert [message["sequence"] for message in queue.messages()] == [0]


def test_a_fault_as_json_has_what_was_sent_and_the_line(queue: RecordsQueue, acme: str) -> None:
    given = lines(schema(), row(1), {"type": "BATCH"})
    done = queue("load", "--destination", acme, "--json", given=given)
    [fault] = done.json["faults"]
    assert (fault["code"], fault["path"], fault["line"]) == ("BAD_FILE", "standard input", 3)
    assert (done.json["result"]["rows"], done.json["result"]["messages"]) == (0, 0)
    assert queue.messages() == []


def test_a_row_larger_than_sqs_takes_goes_by_the_bucket(queue: RecordsQueue, acme: str) -> None:
    assert queue("load", "--destination", acme, given=lines(schema(), row("é" * 700_000), row(1))).status == 0
    first, second, _ = queue.messages()
    assert first["records"] == [{"a": "é" * 700_000}]
    assert second["records"] == [{"a": 1}]


def test_what_is_left_out_is_noted(queue: RecordsQueue, acme: str) -> None:
    version = {"type": "ACTIVATE_VERSION", "stream": "s", "version": 1}
    assert (
        "ACTIVATE_VERSION of `s`" in queue("load", "--destination", acme, given=lines(schema(), version)).err
    )


def test_rows_go_to_destinations_of_streams_alone(queue: RecordsQueue) -> None:
    done = queue("load", "--destination", queue.destination(kind="messages"), given=lines(schema()))
    assert done.status == 1
    assert "kind: streams" in done.err
    done = queue("load", "--destination", "nobody", given=lines(schema()))
    assert done.err.startswith("MISSING_FILE: ")
    assert queue.messages() == []


WRONG: list[Any] = [
    ("--started-at", "yesterday"),
    ("--cursor", "2025-02-30T00:00:00Z"),
    ("--connection-run", ""),
    ("--connection", "a\nb"),
]


@pytest.mark.parametrize("option", WRONG, ids=[json.dumps(each) for each in WRONG])
def test_what_cannot_be_an_id_or_an_instant_is_wrong_use(queue: RecordsQueue, acme: str, option: Any) -> None:
    done = queue("load", "--destination", acme, *option, given=lines(schema()))
    assert (done.status, done.out) == (2, "")
