"""`sluice template`: a key template is tried on a message, and checked without one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.system.stage import Stage

MESSAGE = {
    "destination_id": "acme",
    "id": "0199e7a2",
    "topic": "read.contact",
    "time": "2025-10-14T02:58:59.323405308Z",
    "metadata": {"objectName": "contact", "operationId": "op-7f3a"},
    "data": {"installationId": "inst-42", "n": 12345678.5, "list": [1], "none": None},
}
DEFAULT = "join('', [time.rfc3339_nano, '_', metadata.\"event-id\", '.json'])"

RENDERED = [
    (DEFAULT, "2025-10-14T02:58:59.323405308Z_0199e7a2.json"),
    ("join('/', [metadata.objectName, metadata.operationId])", "contact/op-7f3a"),
    ("join('/', [metadata.objectName, time.date, metadata.\"event-id\"])", "contact/2025-10-14/0199e7a2"),
    ("join('/', [data.installationId, metadata.operationId])", "inst-42/op-7f3a"),
    ("data.n", "1.23456785e+07"),
    ("time.unix", "1760410739"),
    ("metadata.destinationId", "acme"),
    ("metadata.timestamp", "2025-10-14T02:58:59Z"),
]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "message.json"
    path.write_text(json.dumps(MESSAGE))
    return str(path)


@pytest.mark.parametrize(("template", "key"), RENDERED)
def test_a_template_is_rendered(offline: Terminal, file: str, template: str, key: str) -> None:
    done = offline("template", "render", template, "--message", file)
    assert (done.status, done.out, done.err) == (0, f"{key}\n", "")
    assert offline.json("template", "render", template, "--message", file)["result"] == key


def test_the_key_is_the_one_that_the_function_writes(stage: Stage, offline: Terminal) -> None:
    name = stage.destination(key_template=DEFAULT)
    body = json.dumps(MESSAGE | {"destination_id": name})
    stage.deliver(body)
    rendered = offline("template", "render", DEFAULT, "--message", "-", given=body).out
    assert list(stage.objects(name)) == [rendered.strip()]


def test_what_a_message_lacks_has_a_default(offline: Terminal) -> None:
    done = offline("template", "render", DEFAULT, "--message", "-", given="{}")
    assert done.status == 0
    assert done.out.startswith(f"{datetime.now(UTC):%Y-%m-}")
    assert offline("template", "render", "data || 'x'", "--message", "-", given="{}").status in {0, 1}


def test_a_template_need_not_be_unique_to_be_rendered(offline: Terminal, file: str) -> None:
    assert offline("template", "render", "time.date", "--message", file).out == "2025-10-14\n"


NO_KEY = [
    ("metadata.absent", "gives null"),
    ("data.list", "gives a list"),
    ("data", "object"),
    ("join('/', [metadata.absent, time.date])", "metadata.absent"),
    ("'../x'", "a segment `..`"),
    ("'/x'", "begins with `/`"),
    ("data.none", "gives null"),
]


@pytest.mark.parametrize(("template", "why"), NO_KEY)
def test_a_message_that_gives_no_key(offline: Terminal, file: str, template: str, why: str) -> None:
    done = offline("template", "render", template, "--message", file, "--json")
    assert done.status == 1
    assert why in done.json["faults"][0]["message"]


BAD_MESSAGES: list[tuple[Any, str]] = [
    ("", "JSON object"),
    ("no JSON", "JSON object"),
    ("[]", "JSON object"),
    ('{"data": []}', "`data`"),
    ('{"time": "now"}', "`time`"),
    ('{"id": 5}', "`id`"),
    ('{"metadata": {"n": 1}}', "`n`"),
    ('{"data": ' + "[" * 100_000, ""),
]


@pytest.mark.parametrize(("given", "why"), BAD_MESSAGES)
def test_a_message_that_is_none(offline: Terminal, given: str, why: str) -> None:
    done = offline("template", "render", "time.date", "--message", "-", "--json", given=given)
    assert done.status == 1
    [fault] = done.json["faults"]
    assert fault["code"] == "BAD_MESSAGE"
    assert why in fault["message"]


def test_a_message_that_is_not_utf_8(offline: Terminal) -> None:
    done = offline("template", "render", "time.date", "--message", "-", given=b'{"data": {"a": "\xff"}}')
    assert done.status == 1
    assert "not UTF-8 at byte 16" in done.err


@pytest.mark.parametrize("name", ["no-such.json", "."])
def test_a_message_that_cannot_be_read(offline: Terminal, name: str) -> None:
    done = offline("template", "render", "time.date", "--message", name, "--json")
    assert done.status == 1
    assert [(fault["code"], fault["path"]) for fault in done.json["faults"]] == [("MISSING_FILE", name)]


FAULTY = [
    pytest.param("metadata.event-id", 15, 'metadata."event-id"', id="a stray hyphen"),
    pytest.param("time.yaer", 6, "time.year", id="no such field of time"),
    pytest.param("operationId", 1, "metadata.operationId", id="no namespace"),
    pytest.param("jion('/', [time.date])", 1, "join", id="no such function"),
    pytest.param("join('/')", 1, "2 argument", id="too few arguments"),
    pytest.param("join('/', [time.date]", 22, "too early", id="too short"),
    pytest.param("metadata", 1, "object", id="never a key"),
    pytest.param("", None, "empty", id="nothing"),
]


@pytest.mark.parametrize(("template", "column", "words"), FAULTY)
@pytest.mark.parametrize("command", ["check", "render"])
def test_a_faulty_template_has_its_place_and_its_cure(
    offline: Terminal, command: str, template: str, column: int | None, words: str
) -> None:
    arguments = ("template", command, template) + (("--message", "-") if command == "render" else ())
    done = offline(*arguments, "--json")
    assert done.status == 1
    [fault] = done.json["faults"]
    assert fault["code"] == "BAD_DEFINITION"
    assert words in fault["message"] + fault["cure"]
    if column is not None:
        assert fault["column"] == column
        text = offline(*arguments).err.splitlines()
        assert text[-2:] == [f"    {template}", f"    {' ' * (column - 1)}^"]


def test_every_fault_of_a_template_is_told(offline: Terminal) -> None:
    done = offline("template", "check", "join('/', [time.yaer, metdata.x, jion()])", "--json")
    assert [fault["column"] for fault in done.json["faults"]] == [17, 23, 34]


def test_a_template_that_is_in_order(offline: Terminal) -> None:
    done = offline("template", "check", "metadata.operationId")
    assert (done.status, done.out, done.err) == (0, "in order\n", "")


def test_a_template_that_is_not_unique_is_a_warning(offline: Terminal) -> None:
    done = offline("template", "check", "time.date")
    assert (done.status, done.out) == (0, "in order\n")
    assert done.err.startswith("warning: ")
    answer = offline("template", "check", "time.date", "--json")
    assert answer.err == ""
    assert len(answer.json["faults"]) == 1
