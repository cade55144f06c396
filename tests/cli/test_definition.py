"""`sluice definition check`: all faults of a file at once, each with its path and its line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

GOOD = """\
name: acme
kind: messages
bucket: acme-landing
credentials:
  role_arn: arn:aws:iam::111122223333:role/sluice-acme
"""
ROOT = Path(__file__).parents[2]


EXAMPLES = {
    "acme.yaml": "acme",
    "acme-mended.yaml": "acme",
    "acme-tables.yaml": "acme-tables",
    "acme-clicks.yaml": "acme-clicks",
    "acme-in.yaml": "acme-in",
}


@pytest.mark.parametrize("file", EXAMPLES)
def test_the_examples_are_in_order(offline: Terminal, file: str) -> None:
    done = offline("definition", "check", str(ROOT / "examples" / file))
    assert (done.status, done.out, done.err) == (0, f"{EXAMPLES[file]}: in order\n", "")


def test_a_definition_may_be_json_and_come_from_standard_input(offline: Terminal) -> None:
    given = '{"name": "acme", "kind": "messages", "bucket": "acme-landing", "credentials": {"role_arn": "x"}}'
    role = "arn:aws:iam::111122223333:role/sluice-acme"
    done = offline("definition", "check", "-", "--json", given=given.replace('"x"', f'"{role}"'))
    assert done.json == {"ok": True, "result": {"checked": ["acme"]}, "faults": []}


FAULTY = """\
name: "acme corp"
kind: messages
bucket: acme-landing
regoin: eu-central-1
prefix: ../up/
storage_class: STANDARD_AI
credentials:
  role_arn: sluice-acme
  external_id: "?"
key_template: time.date
metadata:
  a b: x
  n: 5
"""


def test_all_faults_are_told_at_once_each_with_its_place(offline: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text(FAULTY)
    done = offline("definition", "check", str(file), "--json")
    assert done.status == 1
    places = {fault["path"]: (fault["line"], fault["column"]) for fault in done.json["faults"]}
    assert places == {
        "regoin": (4, 1),
        "name": (1, 1),
        "prefix": (5, 1),
        "storage_class": (6, 1),
        "credentials.role_arn": (8, 3),
        "credentials.external_id": (9, 3),
        "metadata.n": (13, 3),
        "key_template": (10, 1),
    } | ({"metadata.a b": (12, 3)} if "metadata.a b" in places else {})
    cures = {fault["path"]: fault["cure"] for fault in done.json["faults"]}
    assert cures["regoin"] == "did you mean `region`?"
    assert "STANDARD_IA" in cures["storage_class"]
    text = offline("definition", "check", str(file))
    assert (text.status, text.out) == (1, "")
    assert f"BAD_DEFINITION: {file}:4: regoin: is not a field; did you mean `region`?" in text.err


STREAMS = GOOD.replace("messages", "streams") + "format: csv\n"


def test_all_faults_of_streams_are_told_at_once_each_with_its_place(offline: Terminal) -> None:
    faulty = f"{STREAMS}split:\n  rows: 10\nbody: payload\nkey_template: '{{dat}}'\nflush: {{max_age: 5}}\n"
    done = offline("definition", "check", "-", "--json", given=faulty)
    assert done.status == 1
    found = {fault["path"]: (fault["line"], fault["message"], fault["cure"]) for fault in done.json["faults"]}
    assert found == {
        "split.rows": (8, "10 is below 50000", ""),
        "body": (9, "belongs to destinations of kind messages", "leave it out, or say `kind: messages`"),
        "key_template": (10, "there is no macro `dat`", "did you mean `date`?"),
        "flush.max_age": (11, "is not a field", "did you mean `max_age_seconds`?"),
    }


def test_a_template_that_two_runs_share_is_a_warning_and_one_that_two_files_share_a_fault(
    offline: Terminal,
) -> None:
    latest = offline(
        "definition", "check", "-", given=f"{STREAMS}key_template: '{{stream_id}}_{{part}}.csv'\n"
    )
    assert (latest.status, latest.out) == (0, "acme: in order\n")
    assert latest.err.startswith("warning: -: key_template: two runs can give the same key")
    same = offline("definition", "check", "-", given=f"{STREAMS}key_template: '{{stream_run_id}}.csv'\n")
    assert (same.status, same.out) == (1, "")
    assert "two files of one run" in same.err
    assert "{part}" in same.err


def test_a_fault_of_a_template_has_its_caret(offline: Terminal) -> None:
    done = offline("definition", "check", "-", given=f"{GOOD}key_template: time.yaer\n")
    assert done.status == 1
    assert "key_template: `time.yaer` does not exist" in done.err
    assert "    time.yaer\n         ^\n" in done.err


def test_several_files_are_checked_and_each_fault_names_its_file(offline: Terminal, tmp_path: Path) -> None:
    good, bad, worse = (tmp_path / name for name in ("good.yaml", "bad.yaml", "worse.yaml"))
    good.write_text(GOOD)
    bad.write_text(GOOD.replace("acme-landing", "NO"))
    worse.write_text("- a\n")
    done = offline("definition", "check", str(good), str(bad), str(worse), "no-such.yaml", "--json")
    assert done.status == 1
    assert [fault["path"] for fault in done.json["faults"]] == [
        f"{bad}:3: bucket",
        f"{worse}:1",
        "no-such.yaml",
    ]
    assert offline("definition", "check", str(good), str(good)).out == "acme: in order\n" * 2


NONE = [
    pytest.param(b"", "must be a mapping", id="nothing"),
    pytest.param(b"acme", "must be a mapping", id="text"),
    pytest.param(b"- acme", "must be a mapping", id="a list"),
    pytest.param(b"null", "must be a mapping", id="null"),
    pytest.param(b"a: [", "neither YAML nor JSON", id="half of a list"),
    pytest.param(b"a: 1\n\tb: 2", "neither YAML nor JSON", id="a tab"),
    pytest.param(b"a: 1\n---\nb: 2", "neither YAML nor JSON", id="two documents"),
    pytest.param(b"a: *b", "neither YAML nor JSON", id="an alias of nothing"),
    pytest.param(b"&a {x: *a}", "neither YAML nor JSON", id="an alias of itself"),
    pytest.param(b"name: a\nname: b", "a second time", id="a field twice"),
    pytest.param(b"credentials: {role_arn: a, role_arn: b}", "a second time", id="a field twice, deeper"),
    pytest.param(b"[a]: 1", "neither YAML nor JSON", id="a list as a name"),
    pytest.param(b'a: !!python/object/apply:os.system ["exit"]', "neither YAML nor JSON", id="a tag"),
    pytest.param(b"a: \x00", "neither YAML nor JSON", id="NUL"),
    pytest.param(b"name: \xff", "not UTF-8 at byte 6", id="no UTF-8"),
    pytest.param(b"a: " + b"[" * 5000, "neither YAML nor JSON", id="nested 5,000 deep"),
]


@pytest.mark.parametrize(("given", "why"), NONE)
def test_what_is_no_definition(offline: Terminal, given: bytes, why: str) -> None:
    done = offline("definition", "check", "-", "--json", given=given)
    assert done.status == 1
    assert why in done.json["faults"][0]["message"]


def test_a_byte_order_mark_is_no_fault(offline: Terminal) -> None:
    assert offline("definition", "check", "-", given="\ufeff" + GOOD).status == 0


@pytest.mark.parametrize("name", ["no-such.yaml", "."])
def test_a_file_that_cannot_be_read(offline: Terminal, name: str) -> None:
    done = offline("definition", "check", name, "--json")
    assert done.status == 1
    assert [(fault["code"], fault["path"]) for fault in done.json["faults"]] == [("MISSING_FILE", name)]


def test_aliases_of_aliases_take_no_time(tmp_path: Path) -> None:
    """Each level doubles what a careless walk over the document visits."""
    levels = [f"a{level}: &a{level} {{x: *a{level - 1}, y: *a{level - 1}}}" for level in range(1, 40)]
    file = tmp_path / "aliases.yaml"
    file.write_text("\n".join(["a0: &a0 {x: 1}", *levels]))
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "definition", "check", str(file)],
        cwd=ROOT,
        timeout=10,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
