"""`sluice records`: the rows of a file are in the queue as one run, and the same file again is the same."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.core.formats.declared import json_schema
from functions.core.formats.rows import MAX_RECORD_BYTES
from tests.cli.records_queue import RecordsQueue

RUN = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
STARTED = "2025-10-14T02:58:59Z"
TEXT = {"type": ["null", "string"]}

Send = Callable[..., Any]


@pytest.fixture(scope="module")
def acme(shared_queue: RecordsQueue) -> str:
    return shared_queue.destination()


@pytest.fixture
def send(queue: RecordsQueue, acme: str, tmp_path: Path) -> Send:
    """Sends a file of this name and content under ids that are always the same."""

    def run(name: str, content: bytes | str, *options: str) -> Any:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        where = ("--destination", acme, "--stream", "orders")
        return queue("records", str(file), *where, "--run", RUN, "--started-at", STARTED, *options)

    return run


def sent(queue: RecordsQueue) -> tuple[list[Any], Any, dict[str, Any]]:
    """The rows of all messages, the schema that each has, and the end."""
    *rows, end = queue.messages()
    assert [message["sequence"] for message in rows] == list(range(len(rows)))
    records = [record for message in rows for record in message["records"]]
    assert (end["end"], end["batches"], end["records_total"]) == (True, len(rows), len(records))
    [schema] = {json.dumps(message["stream"].get("schema")) for message in (*rows, end)}
    return records, json.loads(schema), end


def test_csv_is_sent_with_its_columns_as_text(queue: RecordsQueue, acme: str, send: Send) -> None:
    done = send(
        "orders.csv", 'id,name,note\n007,"a, ""b""\nc",\n8,é,""\n', "--cursor", "2025-04-14T11:23:45Z"
    )
    assert (done.status, done.out) == (0, f"2 row(s) in 2 message(s) sent to {acme}\n")
    run = str(uuid5(UUID(RUN), "orders"))
    assert done.err == f"run {run}; the same again: --run {RUN} --started-at {STARTED}\n"
    records, schema, end = sent(queue)
    assert records == [
        {"id": "007", "name": 'a, "b"\nc', "note": None},
        {"id": "8", "name": "é", "note": ""},
    ]
    assert list(schema["properties"].items()) == [("id", TEXT), ("name", TEXT), ("note", TEXT)]
    assert end == {
        "destination_id": acme,
        "connection_id": "records",
        "connection_run_id": RUN,
        "stream": {"id": "orders", "name": "orders", "schema": schema},
        "stream_run_id": run,
        "cursor": "2025-04-14T11:23:45Z",
        "started_at": STARTED,
        "end": True,
        "batches": 1,
        "records_total": 2,
    }


def test_rows_of_ndjson_stay_as_they_are_written(queue: RecordsQueue, send: Send) -> None:
    line = r'{"n":1.10,"big":123456789012345678901234567890,"far":1e400,"text":"\u00e9 é \/"}'
    assert send("orders.jsonl", f"{line.replace(',', ' , ')}\n\n{line}\n").status == 0
    rows, end = queue.bodies()
    assert f'"records":[{line},{line}]' in rows
    assert "schema" not in json.loads(end)["stream"]


def test_parquet_is_sent_with_its_declared_types(queue: RecordsQueue, send: Send) -> None:
    moment = datetime(2025, 10, 14, 2, 58, 59, 323405, tzinfo=UTC)
    table = pa.table(
        {
            "id": pa.array([1, None], pa.int64()),
            "at": pa.array([moment, None], pa.timestamp("us", tz="UTC")),
            "price": pa.array(["1.10", None]).cast(pa.decimal128(10, 2)),
            "tags": pa.array([["a"], []], pa.list_(pa.string())),
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file)
    assert send("orders.parquet", file.getvalue()).status == 0
    rows, end = queue.bodies()
    first = '{"id":1,"at":"2025-10-14T02:58:59.323405Z","price":1.10,"tags":["a"]}'
    assert f'"records":[{first},{{"id":null,"at":null,"price":null,"tags":[]}}]' in rows
    assert json.loads(end)["stream"]["schema"] == json_schema(table.schema)


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("none.csv", "", None),
        ("none.csv", "a,b\n", ["a", "b"]),
        ("none.jsonl", "", None),
        ("none.json", "[]", None),
    ],
)
def test_a_file_without_rows_is_an_empty_run(
    queue: RecordsQueue, send: Send, name: str, content: str, columns: list[str] | None
) -> None:
    assert send(name, content).status == 0
    records, schema, _ = sent(queue)
    assert records == []
    assert (schema and list(schema["properties"])) == columns


def test_a_large_file_is_packed_and_the_same_again(queue: RecordsQueue, send: Send) -> None:
    content = "".join(f'{{"id":{number},"text":"{"x" * 9_000}"}}\n' for number in range(300))
    answer = send("orders.jsonl", content, "--json").json["result"]
    first = queue.bodies()
    assert answer == {
        "stream_run_id": str(uuid5(UUID(RUN), "orders")),
        "connection_run_id": RUN,
        "started_at": STARTED,
        "rows": 300,
        "messages": 4,
    }
    assert send("orders.jsonl", content).status == 0
    again = queue.bodies()
    assert again == first
    records = [record for body in first[:-1] for record in json.loads(body)["records"]]
    assert [record["id"] for record in records] == list(range(300))


def test_what_the_name_does_not_tell_is_told_by_options(queue: RecordsQueue, send: Send) -> None:
    content = gzip.compress(b"a\tb\n1\t2\n")
    assert send("orders", content, "--format", "tsv", "--compression", "gzip").status == 0
    assert sent(queue)[0] == [{"a": "1", "b": "2"}]
    assert send("orders.tsv.gz", content).status == 0
    assert sent(queue)[0] == [{"a": "1", "b": "2"}]
    assert send("orders.txt", '{"a":1}', "--format", "jsonl").status == 0
    assert sent(queue)[0] == [{"a": 1}]


def test_members_of_an_archive_are_one_run(queue: RecordsQueue, send: Send) -> None:
    """Columns that come later are declared from there on, behind those that were there."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("1.csv", "a,b\n1,2\n")
        archive.writestr("2.csv", "c,a\n3,4\n")
    assert send("orders.zip", file.getvalue()).status == 0
    first, second, end = queue.messages()
    assert [first["records"], second["records"]] == [[{"a": "1", "b": "2"}], [{"c": "3", "a": "4"}]]
    columns = [list(message["stream"]["schema"]["properties"]) for message in (first, second, end)]
    assert columns == [["a", "b"], ["a", "b", "c"], ["a", "b", "c"]]


BAD: list[tuple[str, str, tuple[str, int | None, str]]] = [
    ("bad.csv", "a,b\n1,2\n3\n", ("BAD_FILE", 3, "1 cell")),
    ("bad.jsonl", '{"a":1}\n{"a":01}\n', ("BAD_FILE", 2, "invalid number")),
    ("bad.parquet", "no", ("BAD_FILE", 1, "Parquet")),
    ("bad.jsonl", '{"a":"' + "x" * MAX_RECORD_BYTES + '"}', ("TOO_LARGE", 1, "smaller records")),
    ("bad", "a,b\n", ("BAD_FILE", None, "--format")),
    ("bad.txt", "a,b\n", ("BAD_FILE", None, "--format")),
    ("bad.csv.pgp", "a,b\n", ("BAD_FILE", None, "decrypt")),
]


@pytest.mark.parametrize(
    ("name", "content", "expected"), BAD, ids=[f"{name}: {expected[2]}" for name, _, expected in BAD]
)
def test_a_file_at_fault_is_told_with_its_place(
    queue: RecordsQueue, send: Send, name: str, content: str, expected: tuple[str, int | None, str]
) -> None:
    code, line, why = expected
    done = send(name, content)
    assert (done.status, done.out) == (1, "")
    _, kept, told = done.err.splitlines()
    assert kept == "the queue has 0 row(s), and no end of their run"
    assert told.startswith(f"{code}: ")
    assert (f"{name}:{line}: " if line else f"{name}: ") in told
    assert why in told
    assert queue.messages() == []


def test_a_fault_as_json_has_its_place_and_what_was_sent(queue: RecordsQueue, send: Send) -> None:
    row = f"{'x' * 990_000},2\n"
    done = send("bad.csv", f"a,b\n{row * 4}3\n", "--json")
    [fault] = done.json["faults"]
    assert (fault["code"], fault["line"], Path(fault["path"]).name) == ("BAD_FILE", 6, "bad.csv")
    result, messages = done.json["result"], queue.messages()
    assert result["rows"] == result["messages"] == len(messages) > 0
    assert [message["sequence"] for message in messages] == list(range(len(messages)))


def test_a_file_that_is_not_there(queue: RecordsQueue, acme: str) -> None:
    done = queue("records", "no-such.csv", "--destination", acme, "--stream", "s", "--json")
    assert [(each["code"], each["path"]) for each in done.json["faults"]] == [("MISSING_FILE", "no-such.csv")]


@pytest.mark.parametrize(
    "option", [("--format", "xml"), ("--compression", "bz2"), ("--stream", ""), ("--started-at", "now")]
)
def test_what_cannot_be_is_wrong_use(send: Send, option: tuple[str, str]) -> None:
    assert send("orders.csv", "a\n", *option).status == 2


def test_rows_go_to_destinations_of_streams_alone(queue: RecordsQueue, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    where = ("--destination", queue.destination(kind="messages"), "--stream", "s")
    done = queue("records", str(tmp_path / "a.csv"), *where)
    assert (done.status, "kind: streams" in done.err) == (1, True)
    assert queue.messages() == []
