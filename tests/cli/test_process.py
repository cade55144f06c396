"""`sluice` as the process that it is: its exit status, its two outlets, and never a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.terminal import NO_ACCESS
from tests.system.stage import Stage, enveloped

ROOT = Path(__file__).parents[2]
SLUICE = (sys.executable, "-m", "cli.main")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's, without what it knows of AWS."""
    cleared = {name: value for name, value in os.environ.items() if name not in NO_ACCESS}
    stated = {name: value for name, value in NO_ACCESS.items() if value is not None}
    return cleared | stated | dict(more or {})


def run(
    *arguments: str | bytes, given: bytes | None = b"", more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run `sluice`; `given` is its standard input, closed when None."""
    done = subprocess.run(
        [*SLUICE, *arguments],
        cwd=ROOT,
        env=environment(more),
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in done.stderr + done.stdout
    return done


def test_the_three_exit_statuses() -> None:
    good = run("template", "check", "metadata.operationId")
    assert (good.returncode, good.stdout, good.stderr) == (0, b"in order\n", b"")
    refused = run("template", "check", "time.yaer")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr.startswith(b"BAD_DEFINITION: ")
    wrong = run("template", "chekc")
    assert (wrong.returncode, wrong.stdout) == (2, b"")


def test_the_installed_command_is_this_one() -> None:
    installed = Path(sys.executable).with_name("sluice")
    done = subprocess.run([installed, "--help"], env=environment(), capture_output=True, check=False)
    assert done.returncode == 0
    assert b"Usage: sluice" in done.stdout


def test_a_message_is_sent_and_arrives(stage: Stage) -> None:
    name = stage.destination()
    more = stage.cloud.environment | {"SLUICE_STACK": stage.cloud.name}
    done = run("send", "--destination", name, given=b'{"id": "a", "data": {"of": "a"}}\n', more=more)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not stage.poll().failed
    assert stage.objects(name) == {"a": enveloped("a")}


def test_a_name_that_is_no_text_is_told() -> None:
    for more in ((), ("--json",)):
        done = run("definition", "check", b"\xff.yaml", *more)
        assert done.returncode == 1
        assert b"MISSING_FILE" in done.stderr + done.stdout


def test_whoever_reads_the_output_may_stop() -> None:
    with subprocess.Popen(
        [*SLUICE, "--help"], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.close()
        said = process.stderr.read() if process.stderr else b""
    assert said == b""


def test_a_closed_standard_input_is_told(stage: Stage) -> None:
    more = stage.cloud.environment | {"SLUICE_STACK": stage.cloud.name}
    command = " ".join([*SLUICE, "send", "--destination", stage.destination()])
    done = subprocess.run(
        ["sh", "-c", f"exec {command} <&-"], cwd=ROOT, env=environment(more), capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert done.stderr


UNFORESEEN = """
from cli.main import app, main

@app.command()
def fail() -> None:
    raise ZeroDivisionError("canary")

main()
"""


def test_what_nobody_foresaw_ends_without_a_traceback_but_where_one_is_asked_for() -> None:
    command = [sys.executable, "-c", UNFORESEEN, "fail"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"sluice: unforeseen ZeroDivisionError; SLUICE_DEBUG=1 shows where\n"
    more = environment({"SLUICE_DEBUG": "1"})
    asked = subprocess.run(command, cwd=ROOT, env=more, capture_output=True, check=False)
    assert asked.returncode == 1
    assert b"Traceback" in asked.stderr
    assert b"canary" in asked.stderr


def test_json_is_utf_8_whatever_the_terminal_says() -> None:
    done = run("template", "render", "'é🎉'", "--message", "-", "--json", given=b"{}", more={"LC_ALL": "C"})
    assert done.returncode == 0
    assert json.loads(done.stdout)["result"] == "é🎉"


@pytest.mark.slow
def test_the_demo_shows_the_whole_way(tmp_path: Path) -> None:
    done = run("demo", more={"XDG_RUNTIME_DIR": str(tmp_path)})
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    assert "created in account 111122223333" in said
    assert "stored as version 1, access verified" in said
    assert "8 message(s) sent to acme" in said
    assert "7 objects in s3://acme-landing" in said
    assert "BAD_KEY" in said
    assert "1 message(s) sent again" in said
    assert "resolved" in said
    assert "x-amz-meta-sluice-id" in said
    assert '{"data": {"' in said
