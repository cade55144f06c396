"""`sluice converter`: checked and run without AWS."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.converter import app

FUNCTIONS = {"user_id": "user", "event_type": "type", "time": ["iso_time_to_ms", "at"], "session_id": "s"}
CONVERTER = {
    "converterConfig": {"fileType": "json", "compressionType": "gzip", "convertToAmplitudeFunc": FUNCTIONS}
}
LINES = [
    {"user": "john.doe", "type": "a", "at": "2022-02-17 02:53:54.189", "s": "5", "extra": 1},
    {"user": "john.doe", "type": "a", "at": "yesterday"},
    {"user": "john.doe", "type": "é😀", "at": "2022-02-17 02:53:54.190"},
]


class Desk:
    """A folder with a converter and a file of records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file("converter.json", json.dumps(CONVERTER).encode())
        self.file("in.jsonl", "".join(f"{json.dumps(line)}\n" for line in LINES).encode() + b"{\n")

    def file(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        given = [str(self.folder / each) if "." in each else each for each in arguments]
        done = CliRunner().invoke(app, given)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_outputs_and_rejects(desk: Desk) -> None:
    status, out, err = desk("run", "converter.json", "--input", "in.jsonl")
    assert status == 1
    assert rows(out) == [
        {"user_id": "john.doe", "event_type": "a", "time": 1645066434189, "session_id": 5},
        {"user_id": "john.doe", "event_type": "é😀", "time": 1645066434190},
    ]
    assert rows(err) == [
        {
            "line": 2,
            "field": "time",
            "operator": "iso_time_to_ms",
            "reason": "required, and the record has no value for it",
            "record": LINES[1],
        },
        {
            "line": 4,
            "field": None,
            "operator": None,
            "reason": "is no JSON: Input data was truncated",
            "record": "{",
        },
    ]


def test_no_digit_of_a_reject_is_lost(desk: Desk) -> None:
    desk.file("in.jsonl", b'{"s":1e400,"n":1.2345678901234567890}\n{"s":"\xff"}\n')
    _, _, err = desk("run", "converter.json", "--input", "in.jsonl")
    first, second = err.splitlines()
    assert '"record":{"s":1E+400,"n":1.2345678901234567890}' in first
    assert json.loads(second)["record"] == '{"s":"\\xff"}'


def test_columns_that_stand_in_no_header(desk: Desk) -> None:
    delimited = {"columns": ["user", "type", "at"]}
    config = {"fileType": "csv", "csvConfig": delimited, "convertToAmplitudeFunc": FUNCTIONS}
    desk.file("csv.json", json.dumps({"converterConfig": config}).encode())
    desk.file("in.csv", b"john.doe,a,2022-02-17\n")
    status, out, _ = desk("run", "csv.json", "--input", "in.csv")
    assert (status, rows(out)[0]["user_id"]) == (0, "john.doe")


def test_every_record_converted(desk: Desk) -> None:
    desk.file("in.jsonl", f"{json.dumps(LINES[0])}\n".encode())
    status, out, err = desk("run", "converter.json", "--input", "in.jsonl")
    assert (status, len(rows(out)), err) == (0, 1, "")


WAYS = [
    ("in.json.gz", True, ()),
    ("in.gz", True, ()),
    ("in.dat", True, ()),
    ("in.dat", False, ("--compression", "none")),
    ("in.jsonl", True, ("--compression", "gzip")),
    ("in.csv.gz", True, ("--format", "json")),
]


@pytest.mark.parametrize(("name", "packed", "options"), WAYS)
def test_how_a_file_is_read(desk: Desk, name: str, packed: bool, options: tuple[str, ...]) -> None:  # noqa: FBT001 - a case
    content = f"{json.dumps(LINES[0])}\n".encode()
    desk.file(name, gzip.compress(content) if packed else content)
    status, out, _ = desk("run", "converter.json", "--input", name, *options)
    assert (status, len(rows(out))) == (0, 1)


def test_a_csv_file_by_an_option(desk: Desk) -> None:
    desk.file("in.csv", b"user,type,at\njohn.doe,a,2022-02-17\n")
    status, out, _ = desk("run", "converter.json", "--input", "in.csv", "--format", "csv")
    assert (status, rows(out)[0]["time"]) == (0, 1645056000000)


def test_another_data_type(desk: Desk) -> None:
    functions = {"user_id": "user", "mutation_type": "type"}
    document = {"converterConfig": {"fileType": "json", "convertToAmplitudeFunc": functions}}
    desk.file("profiles.json", json.dumps(document).encode())
    desk.file("in.jsonl", b'{"user":"john.doe","type":"DELETE"}\n{"type":"DELETE"}\n')
    assert desk("run", "profiles.json", "--input", "in.jsonl")[0] == 1
    status, out, err = desk("run", "profiles.json", "--input", "in.jsonl", "--data-type", "profile")
    assert (status, rows(out)) == (1, [{"user_id": "john.doe", "mutation_type": "DELETE"}])
    assert [each["field"] for each in rows(err)] == ["user_id"]


def test_a_damaged_file_is_told_after_what_was_read(desk: Desk) -> None:
    desk.file("in.jsonl.gz", gzip.compress(f"{json.dumps(LINES[0])}\n".encode())[:-4])
    status, _, err = desk("run", "converter.json", "--input", "in.jsonl.gz")
    assert status == 1
    assert "BAD_FILE" in err
    assert "ends early" in err


def test_a_converter_that_is_in_order(desk: Desk) -> None:
    assert desk("check", "converter.json") == (0, "in order\n", "")
    desk.file(
        "c.yaml",
        b"converterConfig: {fileType: csv, convertToAmplitudeFunc: {user_id: a, event_type: b, time: c}}",
    )
    assert desk("check", "c.yaml")[0] == 0


def test_a_converter_with_faults(desk: Desk) -> None:
    text = json.dumps(
        {
            "converterConfig": {
                "fileType": "json",
                "convertToAmplitudeFunc": {"user_id": ["lowr", "a"], "tme": "b"},
            }
        },
        indent=1,
    )
    desk.file("bad.json", text.encode())
    status, out, err = desk("check", "bad.json", "--json")
    assert (status, err) == (1, "")
    found = [
        (fault["path"].removeprefix("converterConfig.convertToAmplitudeFunc."), fault["line"])
        for fault in json.loads(out)["faults"]
    ]
    assert found == [("user_id.0", 6), ("tme", 9), ("event_type", 4), ("time", 4)]
    status, out, err = desk("check", "bad.json")
    assert (status, out) == (1, "")
    assert (
        "bad.json:6: converterConfig.convertToAmplitudeFunc.user_id.0: `lowr` is no operator; did you mean `lower`?"
        in err
    )
    assert desk("run", "bad.json", "--input", "in.jsonl")[0] == 1


def test_json_is_read_as_json(desk: Desk) -> None:
    functions = (
        '{"user_id":["value","\\ud83d\\ude00 smiles"],"event_type":["value","a"],"time":["value",1e3]}'
    )
    desk.file(
        "c.json", f'{{"converterConfig":{{"fileType":"json","convertToAmplitudeFunc":{functions}}}}}'.encode()
    )
    desk.file("in.jsonl", b"{}")
    status, out, _ = desk("run", "c.json", "--input", "in.jsonl")
    assert (status, rows(out)) == (0, [{"user_id": "😀 smiles", "event_type": "a", "time": 1000}])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("check", "absent.json"), 1, "MISSING_FILE"),
        (("run", "converter.json", "--input", "absent.jsonl"), 1, "MISSING_FILE"),
        (("run", "converter.json", "--input", "."), 1, "Is a directory"),
        (("run", "converter.json"), 2, "--input"),
        (("run", "converter.json", "--input", "in.jsonl", "--format", "xml"), 2, "--format is one of"),
        (
            ("run", "converter.json", "--input", "in.jsonl", "--compression", "7z"),
            2,
            "--compression is one of",
        ),
        (("run", "converter.json", "--input", "in.jsonl", "--data-type", "x"), 2, "--data-type"),
        (("check",), 2, "FILE"),
    ],
)
def test_what_cannot_be_done(desk: Desk, arguments: tuple[str, ...], status: int, words: str) -> None:
    code, _, err = desk(*arguments)
    assert code == status
    assert words in err
