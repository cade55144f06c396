"""What holds for every command: help with an example, the three exit statuses, one form of JSON, no traceback."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import app
from tests.cli.terminal import Terminal
from tests.system.stage import Stage

ROOT: Any = typer.main.get_command(app)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, (*path, name))
        else:
            yield (*path, name), each


def example(command: Any) -> list[str]:
    """The words of a command's example."""
    return shlex.split((command.epilog or "").removeprefix("Example: "))


COMMANDS = dict(commands(ROOT))
EVERY = [pytest.param(path, id=" ".join(path)) for path in COMMANDS]
WITH_AWS = [
    pytest.param(path, id=" ".join(path))
    for path, command in COMMANDS.items()
    if any(parameter.name == "stack" for parameter in command.params)
    and path not in {("access", "policy"), ("failures", "retry")}
]
GROUPS = [pytest.param((), id="sluice")] + [
    pytest.param((name,), id=name) for name, each in ROOT.commands.items() if hasattr(each, "commands")
]


def test_the_commands_that_are_promised_are_there() -> None:
    names = {" ".join(path) for path in COMMANDS}
    destination = ("create", "update", "show", "list", "delete", "enable", "disable", "test", "resume")
    assert names >= {
        *(f"destination {each}" for each in destination),
        *(f"access {each}" for each in ("template", "policy", "trust")),
        *(f"failures {each}" for each in ("list", "show", "retry", "restart", "skip")),
        *(f"local {each}" for each in ("up", "down", "status")),
        *(
            "template render",
            "template check",
            "definition check",
            "send",
            "load",
            "records",
            "convert",
            "demo",
        ),
    }


@pytest.mark.parametrize("path", EVERY)
def test_help_says_what_a_command_does_with_an_example(offline: Terminal, path: tuple[str, ...]) -> None:
    done = offline(*path, "--help")
    assert done.status == 0
    assert COMMANDS[path].help
    assert f"Example: sluice {' '.join(path)}" in done.out
    assert "--json" in done.out


@pytest.mark.parametrize("path", EVERY)
def test_the_example_is_right_use(path: tuple[str, ...]) -> None:
    words = example(COMMANDS[path])
    assert tuple(words[: len(path) + 1]) == ("sluice", *path)
    COMMANDS[path].make_context("sluice", words[len(path) + 1 :])


@pytest.mark.parametrize("path", EVERY)
def test_an_unknown_option_is_wrong_use(offline: Terminal, path: tuple[str, ...]) -> None:
    done = offline(*path, "--no-such-option")
    assert (done.status, done.out) == (2, "")
    assert "--no-such-option" in done.err


@pytest.mark.parametrize("path", EVERY)
def test_a_missing_argument_is_wrong_use(offline: Terminal, path: tuple[str, ...]) -> None:
    needed = [each for each in COMMANDS[path].params if each.required]
    if needed:
        done = offline(*path)
        assert (done.status, done.out) == (2, "")
        assert "Missing" in done.err


@pytest.mark.parametrize("path", GROUPS)
def test_a_group_alone_explains_itself(offline: Terminal, path: tuple[str, ...]) -> None:
    done = offline(*path)
    assert done.status == 2
    assert "Commands:" in done.err
    assert offline(*path, "no-such-command").status == 2


@pytest.mark.parametrize("path", WITH_AWS)
def test_without_credentials_the_reason_is_told(offline: Terminal, path: tuple[str, ...]) -> None:
    words = example(COMMANDS[path])[len(path) + 1 :]
    done = offline(*path, *words, "--json")
    assert done.status == 1
    assert done.err == ""
    [fault] = done.json["faults"]
    if fault["code"] != "MISSING_FILE":  # the example's own file
        assert fault["code"] == "UNAVAILABLE"
        assert "credentials" in fault["message"]


def test_a_reason_is_told_on_standard_error(offline: Terminal) -> None:
    done = offline("destination", "list")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("UNAVAILABLE: ")


ELSEWHERE = [
    pytest.param(("--stack", "no-such-stack"), "no-such-stack", id="no such stack"),
    pytest.param(("--profile", "no-such-profile"), "no-such-profile", id="no such profile"),
    pytest.param(("--region", "no region"), "no region", id="no region"),
    pytest.param(("--endpoint-url", "nonsense"), "nonsense", id="no address"),
    pytest.param(("--endpoint-url", "ftp://127.0.0.1"), "ftp", id="an address of another kind"),
]


@pytest.mark.parametrize(("options", "named"), ELSEWHERE)
def test_a_deployment_that_cannot_be_found(sluice: Terminal, options: tuple[str, str], named: str) -> None:
    done = sluice("destination", "list", *options, "--json")
    assert done.status == 1
    [fault] = done.json["faults"]
    assert fault["code"] == "UNAVAILABLE"
    assert named in fault["message"]


def test_a_stack_that_is_no_sluice(stage: Stage, sluice: Terminal) -> None:
    template = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"A": {"Value": "b"}}}'
    stage.cloud.client("cloudformation").create_stack(StackName="not-ours", TemplateBody=template)
    done = sluice("destination", "list", "--stack", "not-ours", "--json")
    assert done.status == 1
    assert "is it a Sluice" in done.json["faults"][0]["message"]


@pytest.mark.slow
def test_an_endpoint_where_nobody_listens(sluice: Terminal) -> None:
    done = sluice("destination", "list", "--endpoint-url", "http://127.0.0.1:9")
    assert done.status == 1
    assert done.err.startswith("UNAVAILABLE: ")


def test_the_deployment_is_named_by_options_as_well(
    stage: Stage, offline: Terminal, sluice: Terminal
) -> None:
    where = ("--stack", stage.cloud.name, "--endpoint-url", stage.cloud.endpoint_url, "--region", "us-east-1")
    environment = {
        name: stage.cloud.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    done = Terminal(environment)("destination", "list", "--json", *where)
    assert done.status == 0
    assert done.out == sluice("destination", "list", "--json").out
