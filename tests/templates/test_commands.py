import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.template import app

MACROS = {"extension": "csv", "load_time": "2025-04-14T11:23:45Z", "stream_run_id": "run-1", "part": 2}
TOKENS = {"dataset_name": "customers", "file_number": 3}


def _run(*arguments: str, given: Any = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=None if given is None else json.dumps(given))


def test_a_jmespath_expression_is_rendered_for_a_message() -> None:
    ended = _run(
        "render",
        "join('/', [time.date, metadata.topic])",
        "--message",
        "-",
        given={"time": "2025-04-14T11:23:45Z", "topic": "read"},
    )
    assert (ended.exit_code, ended.stdout) == (0, "2025-04-14/read\n")


def test_macros_are_rendered_for_a_context(tmp_path: Path) -> None:
    file = tmp_path / "context.json"
    file.write_text(json.dumps(MACROS))
    ended = _run("render", "--macros", "{date}/{stream_run_id}_{part}.{extension}", "--context", str(file))
    assert (ended.exit_code, ended.stdout) == (0, "2025_04_14/run-1_0000002.csv\n")


def test_a_file_name_is_rendered_for_a_context_and_an_instant() -> None:
    ended = _run(
        "render",
        "--file-name",
        "{{now|next_day|format:'MM-dd'}}/{{dataset_name}}_{{file_number}}.csv",
        "--context",
        "-",
        "--now",
        "2025-04-14T11:23:45Z",
        "--json",
        given=TOKENS,
    )
    answer = json.loads(ended.stdout)
    assert (ended.exit_code, answer["result"]) == (0, "04-15/customers_0000003.csv")


def test_now_is_not_needed_where_it_is_not_used() -> None:
    ended = _run("render", "--file-name", "{{dataset_name}}.csv", "--context", "-", given=TOKENS)
    assert (ended.exit_code, ended.stdout) == (0, "customers.csv\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", "metadata.topic"),
        ("render", "metadata.topic", "--context", "-"),
        ("render", "metadata.topic", "--message", "-", "--now", "2025-04-14T11:23:45Z"),
        ("render", "--macros", "{date}"),
        ("render", "--macros", "{date}", "--message", "-"),
        ("render", "--macros", "{date}", "--context", "-", "--message", "-"),
        ("render", "--macros", "{date}", "--context", "-", "--now", "2025-04-14T11:23:45Z"),
        ("render", "--macros", "--file-name", "{date}", "--context", "-"),
        ("render", "--file-name", "{{now}}"),
        ("render", "--file-name", "{{now}}", "--context", "-"),
        ("render", "--file-name", "{{now}}", "--context", "-", "--now", "yesterday"),
        ("render", "--file-name", "{{now}}", "--context", "-", "--now", ""),
        ("check", "--macros", "--file-name", "x"),
        ("check",),
    ],
)
def test_what_does_not_go_together_is_wrong_use(arguments: tuple[str, ...]) -> None:
    ended = _run(*arguments, given={})
    assert ended.exit_code == 2
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "given", "code", "path"),
    [
        (("render", "--macros", "{dat}", "--context", "-"), {}, "BAD_DEFINITION", ""),
        (("render", "--macros", "{part}", "--context", "-"), {}, "BAD_KEY", ""),
        (("render", "--macros", "{date}", "--context", "-"), {"load_time": 1}, "BAD_DEFINITION", "load_time"),
        (
            ("render", "--macros", "{stream_name}", "--context", "-"),
            {"stream": {"name": "../x"}},
            "BAD_KEY",
            "",
        ),
        (("render", "--macros", "{date}", "--context", "absent.json"), None, "MISSING_FILE", "absent.json"),
        (("render", "--file-name", "{{nw}}", "--context", "-"), {}, "BAD_DEFINITION", ""),
        (("render", "--file-name", "{{list_name}}", "--context", "-"), TOKENS, "BAD_KEY", ""),
        (("render", "--file-name", "{{list_name}}", "--context", "-"), [], "BAD_DEFINITION", ""),
        (("check", "--macros", "{part"), None, "BAD_DEFINITION", ""),
        (("check", "--file-name", "{{now|format:'T'}}"), None, "BAD_DEFINITION", ""),
    ],
)
def test_what_is_refused_is_told(arguments: tuple[str, ...], given: Any, code: str, path: str) -> None:
    ended = _run(*arguments, "--json", given=given)
    answer = json.loads(ended.stdout)
    assert (ended.exit_code, answer["ok"]) == (1, False)
    assert [(fault["code"], fault["path"]) for fault in answer["faults"]] == [(code, path)]


def test_a_message_that_is_not_json_is_refused() -> None:
    ended = CliRunner().invoke(app, ["render", "metadata.topic", "--message", "-"], input="[]")
    assert ended.exit_code == 1
    assert ended.stderr.startswith("BAD_MESSAGE: the message is not a JSON object")


def test_a_context_that_is_not_json_is_refused() -> None:
    for text in ("{", "[" * 100_000, "9" * 5_000):
        ended = CliRunner().invoke(app, ["render", "--macros", "{date}", "--context", "-"], input=text)
        assert (ended.exit_code, "not JSON" in ended.stderr) == (1, True)


def test_a_fault_of_a_template_has_its_caret() -> None:
    ended = _run("check", "--macros", "{date}/{prt}")
    assert ended.exit_code == 1
    assert ended.stderr.splitlines() == [
        "BAD_DEFINITION: there is no macro `prt`; did you mean `part`?",
        "    {date}/{prt}",
        "           ^",
    ]


@pytest.mark.parametrize(
    ("arguments", "result", "warnings"),
    [
        (("metadata.operationId",), {"unique": True}, []),
        (("metadata.topic",), {"unique": False}, ["nothing that is unique to a message"]),
        (("--macros", "{stream_run_id}_{part}"), {"unique": True}, []),
        (("--macros", "{stream_run_id}"), {"unique": False}, ["two files of one run"]),
        (("--macros", "{date}"), {"unique": False}, ["two files of one run", "two runs"]),
        (("--file-name", "{{now}}/{{list_name}}"), {"tokens": ["list_name", "now"]}, []),
        (("--file-name", "{{file_number}}"), {"tokens": ["file_number"]}, ["only where the file is split"]),
    ],
)
def test_a_check_tells_what_can_be_known_without_data(
    arguments: tuple[str, ...], result: dict[str, Any], warnings: list[str]
) -> None:
    ended = _run("check", *arguments, "--json")
    answer = json.loads(ended.stdout)
    assert (ended.exit_code, answer["ok"]) == (0, True)
    assert answer["result"] == {"template": arguments[-1]} | result
    for fault, says in zip(answer["faults"], warnings, strict=True):
        assert says in fault["message"]
