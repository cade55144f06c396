"""`sluice send`: every line is sent, or told with its number and why."""

import json
import os
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.cli.terminal import Terminal
from tests.system.stage import Stage, enveloped


def lines(*messages: Any) -> str:
    return "".join(f"{json.dumps(message)}\n" for message in messages)


def arrive(stage: Stage) -> None:
    """What was sent is delivered, in whatever batches it takes."""
    while delivery := stage.mapping.poll_once():
        assert not delivery.failed


@pytest.fixture
def acme(stage: Stage) -> str:
    return stage.destination()


def test_a_file_is_sent_and_arrives(stage: Stage, sluice: Terminal, acme: str, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text(lines(*({"id": each, "data": {"of": each}} for each in "abc")))
    done = sluice("send", str(file), "--destination", acme)
    assert (done.status, done.out, done.err) == (0, f"3 message(s) sent to {acme}\n", "")
    arrive(stage)
    assert stage.objects(acme) == {each: enveloped(each) for each in "abc"}


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_standard_input_is_sent(
    stage: Stage, sluice: Terminal, acme: str, arguments: tuple[str, ...]
) -> None:
    given = lines({"id": "a", "data": {"of": "a"}}) + "\n  \r\n" + lines({"id": "b", "data": {"of": "b"}})
    done = sluice("send", *arguments, "--destination", acme, "--json", given=given)
    assert done.json == {"ok": True, "result": {"sent": 2}, "faults": []}
    arrive(stage)
    assert sorted(stage.objects(acme)) == ["a", "b"]


def test_everything_of_a_line_arrives_as_it_was_written(stage: Stage, sluice: Terminal, acme: str) -> None:
    payload = r'{ "n": 1.0, "big": 1e400, "cut": "\ud83d", "é": [ ] , "n": -0.0}'
    line = (
        '{"topic": "t", "time": "2025-10-14T02:58:59.323405308Z", "metadata": {"who": "Zoë"}, "id": "a",'
        f' "destination_id": "another", "tenant_id": 7, "data": {payload}}}'
    )
    assert sluice("send", "--destination", acme, given=line).status == 0
    arrive(stage)
    found = stage.get(acme, "a")
    assert found.body.decode() == f'{{"data": {payload}}}'
    assert found.metadata["topic"] == "t"
    assert found.metadata["timestamp"] == "2025-10-14T02:58:59Z"
    assert found.metadata["destinationid"] == acme


def test_a_message_without_id_gets_one_that_is_unique_and_sorted(
    stage: Stage, sluice: Terminal, acme: str
) -> None:
    before = time.time_ns() // 1_000_000
    sluice("send", "--destination", acme, given=lines(*[{"data": {}}] * 25))
    arrive(stage)
    ids = [UUID(name) for name in stage.objects(acme)]
    assert len(ids) == 25
    assert {each.version for each in ids} == {7}
    assert all(before <= each.int >> 80 <= time.time_ns() // 1_000_000 for each in ids)


def test_payload_and_metadata_are_taken_from_fields_of_any_line(
    stage: Stage, sluice: Terminal, acme: str
) -> None:
    given = lines(
        {"record": {"a": 1}, "name": "contact", "rows": 12, "live": True, "none": None, "other": {}},
        {"record": {"a": 2}},
    )
    fields = ("--data", "record", "--metadata", "name,rows,live,none,absent")
    assert sluice("send", "--destination", acme, *fields, given=given).status == 0
    arrive(stage)
    found = {stage.get(acme, name).body: stage.get(acme, name).metadata for name in stage.objects(acme)}
    first, second = found[b'{"data": {"a": 1}}'], found[b'{"data": {"a": 2}}']
    assert {name: first[name] for name in ("name", "rows", "live")} == {
        "name": "contact",
        "rows": "12",
        "live": "true",
    }
    assert not {"none", "absent", "other"} & first.keys()
    assert "name" not in second


BAD_LINES = [
    (b"no JSON", "not a JSON object"),
    (b"[]", "not a JSON object"),
    (b"42", "not a JSON object"),
    (b'{"data": {}', "not a JSON object"),
    (b'{"data": {}} {}', "not a JSON object"),
    (b'{"data": {"a": NaN}}', "not a JSON object"),
    (b'{"data": {"a": "\xff"}}', "not a JSON object"),
    (b"\xff\xfe{\x00}\x00", "not a JSON object"),
    (b"{}", "`data`"),
    (b'{"data": []}', "`data` is not a JSON object"),
    (b'{"data": {}, "id": 5}', "`id`"),
    (b'{"data": {}, "time": "now"}', "`time`"),
    (b'{"data": {}, "metadata": {"n": 1}}', "`n` is not a string"),
    (b'{"data": ' + b"[" * 100_000 + b"}", "nested too deeply"),
]


def test_lines_that_cannot_be_sent_are_told_and_the_others_are_sent(
    stage: Stage, sluice: Terminal, acme: str
) -> None:
    good = lines({"id": "a", "data": {"of": "a"}}).encode()
    given = b"\n".join([good, *(line for line, _ in BAD_LINES), good])
    done = sluice("send", "--destination", acme, "--json", given=given)
    assert done.status == 1
    assert done.json["result"] == {"sent": 2}
    faults = done.json["faults"]
    assert {fault["code"] for fault in faults} == {"BAD_MESSAGE"}
    assert [fault["line"] for fault in faults] == list(range(3, 3 + len(BAD_LINES)))
    told = [
        (line[:40], why)
        for (line, why), fault in zip(BAD_LINES, faults, strict=True)
        if why not in fault["message"]
    ]
    assert told == []
    arrive(stage)
    assert stage.objects(acme) == {"a": enveloped("a")}
    assert stage.failures(acme) == []


@pytest.mark.parametrize("line", [b"no JSON", b'{"id": "b", "data": {', b"\xff"])
def test_a_first_line_that_cannot_be_sent_does_not_stop_the_others(
    stage: Stage, sluice: Terminal, acme: str, line: bytes
) -> None:
    good = lines({"id": "a", "data": {"of": "a"}}).encode()
    done = sluice("send", "--destination", acme, given=line + b"\n" + good + good)
    assert done.status == 1
    assert "BAD_MESSAGE: line 1: " in done.err
    assert "Traceback" not in done.err
    arrive(stage)
    assert stage.objects(acme) == {"a": enveloped("a")}


def test_a_message_over_several_lines_is_one(stage: Stage, sluice: Terminal, acme: str) -> None:
    given = json.dumps({"id": "a", "data": {"of": "a"}}, indent=2)
    assert sluice("send", "--destination", acme, given=given).status == 0
    arrive(stage)
    assert list(stage.objects(acme)) == ["a"]


def test_a_byte_order_mark_is_no_part_of_the_first_line(stage: Stage, sluice: Terminal, acme: str) -> None:
    """Editors on Windows write one; a definition may have it, too."""
    given = "\ufeff" + lines({"id": "a", "data": {"of": "a"}}, {"id": "b", "data": {"of": "b"}})
    done = sluice("send", "--destination", acme, given=given.replace("\n", "\r\n"))
    assert (done.status, done.err) == (0, "")


BAD_FIELDS = [
    pytest.param(("--data", "absent"), "`absent`", id="no such field"),
    pytest.param(("--data", "text"), "`data` is not a JSON object", id="a payload that is text"),
    pytest.param(("--data", "record", "--metadata", "record"), "`record`", id="metadata that is an object"),
]


@pytest.mark.parametrize(("fields", "why"), BAD_FIELDS)
def test_fields_that_cannot_be_taken(sluice: Terminal, acme: str, fields: tuple[str, ...], why: str) -> None:
    given = lines({"record": {}, "text": "x"})
    done = sluice("send", "--destination", acme, "--json", *fields, given=given)
    assert done.status == 1
    assert done.json["result"] == {"sent": 0}
    assert why in done.json["faults"][0]["message"]


def test_nothing_is_sent_of_an_empty_file(stage: Stage, sluice: Terminal, acme: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sluice.json("send", str(tmp_path / "empty"), "--destination", acme)["result"] == {"sent": 0}
    assert stage.waiting() == {"queue": 0, "dead letters": 0}


def test_a_file_that_is_not_there(sluice: Terminal, acme: str) -> None:
    done = sluice("send", "no-such.jsonl", "--destination", acme, "--json")
    assert done.status == 1
    assert [(fault["code"], fault["path"]) for fault in done.json["faults"]] == [
        ("MISSING_FILE", "no-such.jsonl")
    ]


def test_a_file_that_is_a_folder(sluice: Terminal, acme: str, tmp_path: Path) -> None:
    done = sluice("send", str(tmp_path), "--destination", acme)
    assert done.status == 1
    assert done.err.startswith("MISSING_FILE: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(sluice: Terminal, acme: str, tmp_path: Path) -> None:
    file = tmp_path / "closed"
    file.touch(mode=0)
    done = sluice("send", str(file), "--destination", acme)
    assert done.status == 1
    assert done.err.startswith("MISSING_FILE: ")


def test_a_line_larger_than_sqs_takes_goes_by_the_bucket(stage: Stage, sluice: Terminal, acme: str) -> None:
    large = {"text": "é" * 3_000_000}
    given = json.dumps({"id": "large", "data": large}, ensure_ascii=False) + "\n"
    given += lines({"id": "small", "data": {"of": "small"}})
    assert sluice("send", "--destination", acme, given=given).status == 0
    [pointed] = [record["body"] for record in stage.poll().records if "PayloadS3Pointer" in record["body"]]
    assert stage.cloud.outputs["DataBucket"] in pointed
    found = stage.objects(acme)
    assert json.loads(found["large"]) == {"data": large}
    assert found["small"] == enveloped("small")


def test_senders_share_the_queue_fairly(stage: Stage, sluice: Terminal, acme: str) -> None:
    """The message group is the destination, so that one busy destination does not delay the others."""
    sluice("send", "--destination", acme, given=lines({"data": {}}))
    [record] = stage.poll().records
    assert record["attributes"]["MessageGroupId"] == acme


def test_nothing_is_sent_to_nobody(stage: Stage, sluice: Terminal) -> None:
    done = sluice("send", "--destination", "nobody", "--json", given=lines({"data": {}}))
    assert done.status == 1
    assert "nobody" in done.json["faults"][0]["message"]
    assert stage.waiting()["queue"] == 0


def test_a_destination_must_be_named(sluice: Terminal) -> None:
    done = sluice("send", given=lines({"data": {}}))
    assert done.status == 2
    assert "--destination" in done.err


@pytest.mark.parametrize(
    ("begins", "cure"),
    [(b"\x1f\x8b\x08\x00", "gunzip"), (b"PAR1\x15\x04", "sluice convert"), (b"PK\x03\x04", "unzip")],
    ids=["gzip", "Parquet", "zip"],
)
def test_a_file_without_lines_is_refused_as_what_it_is(
    sluice: Terminal, acme: str, tmp_path: Path, begins: bytes, cure: str
) -> None:
    file = tmp_path / "given"
    file.write_bytes(begins + b'\n{"data": {}}\n' * 3)
    done = sluice("send", str(file), "--destination", acme, "--json")
    assert done.status == 1
    [fault] = done.json["faults"]
    assert (fault["code"], cure in fault["cure"]) == ("BAD_FILE", True)
    assert done.json["result"] is None


def test_a_file_of_other_lines_is_told_in_part_and_counted_whole(
    stage: Stage, sluice: Terminal, acme: str
) -> None:
    done = sluice("send", "--destination", acme, "--json", given="no JSON\n" * 250 + lines({"data": {}}))
    assert (done.status, done.json["result"]) == (1, {"sent": 1})
    assert len(done.json["faults"]) == 101
    assert done.json["faults"][-1]["message"] == "150 more lines were not sent"


def test_a_line_without_payload_is_told_how_to_name_it(sluice: Terminal, acme: str) -> None:
    done = sluice("send", "--destination", acme, given=lines({"payload": {}}))
    assert done.status == 1
    assert "--data FIELD" in done.err
