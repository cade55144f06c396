"""`sluice import`, and failures of files: what an operator sees of files, and does about those that fail."""

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from functions.adapters.claims import Claims
from functions.adapters.event_store import EventStore
from functions.core.chunks import Chunk, Claim
from functions.core.imports import Counters, FileState
from tests.cli.terminal import Terminal
from tests.formats.parquet_files import parquet
from tests.system.import_stage import Imports, lines, record
from tests.system.stage import Stage


@pytest.fixture(scope="session")
def shared_imports(shared_stage: Stage) -> Imports:
    return Imports(shared_stage)


@pytest.fixture
def imports(stage: Stage, shared_imports: Imports) -> Iterator[Imports]:
    # Tests of sources leave their tasks where they are.
    shared_imports.importer.expire_visibility()
    shared_imports.untold()
    yield shared_imports
    shared_imports.forget()


@pytest.fixture
def source(imports: Imports) -> str:
    """A source with a file that is done, of whose two records one was refused, and a file that has failed."""
    name = imports.source(rejects={"max_percent": 50})
    imports.put(name, "a b.json", lines([record(1), record(2, type=None)]))
    imports.put(name, "bad.json", lines([record(3, type=None)]))
    work(imports)
    return name


def work(imports: Imports) -> None:
    """All that there is to do now; the tasks of other tests, which come late, are nobody's."""
    while delivery := imports.importer.poll_once():
        assert not delivery.failed


def chunk(id: str, claims: list[Claim]) -> Chunk:  # noqa: A002 - the field's name
    return Chunk(
        id=id,
        counters=Counters(),
        lines=gzip.compress(b""),
        size=0,
        staged=0,
        numbers=[],
        claims=claims,
        changes=[],
        rejects=b"",
    )


def test_a_sources_files_are_told_with_what_became_of_them(
    imports: Imports, sluice: Terminal, source: str
) -> None:
    good, bad = sluice("import", "history", "--source", source, "--json").rows
    assert (good["key"], good["state"], bad["state"]) == (f"{source}/a b.json", "done", "failed")
    assert (good["records"], good["events"], sum(good["rejects"].values())) == (2, 1, 1)
    bucket, _, folder = good["rejects_at"].removeprefix("s3://").partition("/")
    listed = imports.stage.cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=folder)
    assert listed["KeyCount"] == 1
    assert (bad["code"], good["code"], good["changed_at"]) == ("BAD_FILE", None, None)
    [row] = sluice("import", "history", "--source", source, "--state", "failed").out.splitlines()
    assert row.startswith(f"{source}/bad.json\tfailed\t1 records\t0 events\t1 rejects (")


def test_a_change_after_the_import_is_told_and_a_rescan_finds_it(
    imports: Imports, sluice: Terminal, source: str
) -> None:
    assert sluice("import", "status", "--source", source).out.splitlines()[-1] == (
        "its bucket has not been looked through yet"
    )
    imports.put(source, "a b.json", b"other\n")
    imports.untold()
    assert sluice("import", "rescan", "--source", source).status == 0
    work(imports)
    told = sluice("import", "history", "--source", source)
    assert told.out.count("changed after import, at ") == 1
    status = sluice.json("import", "status", "--source", source)["result"]
    assert status["files"] == {"waiting": 0, "reading": 0, "done": 1, "failed": 1, "skipped": 0}
    assert (status["records"], status["events"], status["rejects"], status["changed"]) == (3, 1, 2, 1)
    assert (status["scan"]["keys"], status["scan"]["changed"], status["scan"]["text"]) == (2, 1, "")


def test_what_waits_is_told(imports: Imports, sluice: Terminal) -> None:
    name = imports.source()
    imports.put(name, "a.json", lines([record(1)]))
    imports.untold()
    sluice("import", "rescan", "--source", name)
    imports.work()  # the task of the file waits
    status = sluice.json("import", "status", "--source", name)["result"]
    assert status["files"]["waiting"] == 1
    assert 0 <= status["oldest_waiting_seconds"] < 100
    assert "1 waiting" in sluice("import", "status", "--source", name).out


def test_failed_files_are_listed_shown_and_tried_again(
    imports: Imports, sluice: Terminal, source: str
) -> None:
    [row] = sluice("failures", "list", "--source", source, "--json").rows
    assert (row["connection"], row["code"], row["queue"]) == (source, "BAD_FILE", "arrivals")
    cure = sluice("failures", "show", row["id"]).out
    assert "sluice source update FILE" in cure
    assert "destination" not in cure
    imports.define(source)
    imports.stage.mapping_of("Importer").function.close()
    assert sluice.json("failures", "restart", "--source", source)["result"]["sent"] == [row["id"]]
    work(imports)
    assert imports.file(source, "bad.json").state is FileState.DONE
    assert sluice("failures", "list", "--source", source).out == ""


def test_a_file_that_is_given_up_frees_what_it_had_claimed(
    imports: Imports, sluice: Terminal, source: str
) -> None:
    ports, outputs = imports.stage.deployment.ports, imports.stage.cloud.outputs
    claims = Claims(imports.stage.cloud.client("dynamodb"), table=outputs["ClaimsTable"])
    file, wanted = imports.file(source, "bad.json"), [Claim(1, "id-1000", "device-1")]
    project = imports.project(source)
    EventStore(ports.data_bucket).keep(file, chunk(file.chunk_id, wanted))
    assert not claims.claim(file.chunk_id, wanted, project=project)
    assert claims.claim("other", wanted, project=project)
    assert sluice("failures", "skip", "--source", source).status == 0
    assert imports.file(source, "bad.json").state is FileState.SKIPPED
    assert not claims.claim("other", wanted, project=project)
    assert [each.state.value for each in imports.failures(source)] == ["skipped"]
    assert sluice("failures", "skip", imports.failures(source)[0].id).status == 0


def test_a_file_that_is_read_again_is_not_given_up(imports: Imports, sluice: Terminal, source: str) -> None:
    sluice("failures", "restart", "--source", source)
    imports.define(source)
    imports.stage.mapping_of("Importer").function.close()
    [failure] = imports.failures(source)
    work(imports)
    done = sluice("failures", "skip", failure.id, "--json")
    assert (done.status, done.json["faults"][0]["code"]) == (1, "EXISTS")
    assert imports.file(source, "bad.json").state is FileState.DONE


def test_of_destinations_or_of_sources(sluice: Terminal) -> None:
    assert sluice("failures", "list", "--source", "a", "--destination", "b").status == 2


@pytest.mark.parametrize("command", ["history", "status", "rescan"])
def test_a_source_that_nobody_made(sluice: Terminal, command: str) -> None:
    done = sluice("import", command, "--source", "nobody", "--json")
    assert (done.status, done.json["faults"][0]["code"]) == (1, "MISSING_FILE")


def test_a_disabled_source_is_not_looked_through(imports: Imports, sluice: Terminal) -> None:
    name = imports.source(enabled=False)
    done = sluice("import", "rescan", "--source", name)
    assert done.status == 1
    assert f"sluice source enable {name}" in done.err


# Previews

FUNCTIONS = {"user_id": "user", "event_type": ["value", "seen"], "time": ["iso_time_to_ms", "at"]}


class Desk:
    """A folder with converters and files of records, of which the last cannot be converted."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self.rows = [{"user": f"user-{each}", "at": f"2026-01-0{each % 9 + 1}"} for each in range(number)]
        self.rows[-1]["at"] = "yesterday"

    def file(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.write_bytes(content)
        return str(path)

    def converter(self, kind: str) -> str:
        document = {"converterConfig": {"fileType": kind, "convertToAmplitudeFunc": FUNCTIONS}}
        return self.file("converter.json", json.dumps(document, indent=1).encode())

    def records(self, kind: str) -> str:
        if kind == "parquet":
            return self.file("in.parquet", parquet(pa.Table.from_pylist(self.rows)))
        if kind == "csv":
            cells = "".join(f"{row['user']},{row['at']}\n" for row in self.rows)
            return self.file("in.csv", f"user,at\n{cells}".encode())
        return self.file("in.json", "".join(f"{json.dumps(row)}\n" for row in self.rows).encode())


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_ten_records_of_all_are_shown_beside_what_they_become(
    offline: Terminal, tmp_path: Path, kind: str
) -> None:
    desk = Desk(tmp_path, 500)
    converter, file = desk.converter(kind), desk.records(kind)
    done = offline("import", "preview", "--converter", converter, file, "--json")
    assert done.status == 1
    result = done.json["result"]
    picked = result["picked"]
    assert (result["records"], len(picked)) == (500, 10)
    numbers = [each["number"] for each in picked]
    assert (numbers[0], numbers[-1]) == (1, 500)
    assert all(second - first < 100 for first, second in pairwise(numbers))
    for each in picked[:-1]:
        assert each["record"] == desk.rows[each["number"] - 1]
        assert each["line"] == each["number"] + (kind == "csv")
        assert each["becomes"]["user_id"] == each["record"]["user"]
    place = "converterConfig.convertToAmplitudeFunc.time"
    refused: dict[str, Any] = picked[-1]["refused"]
    assert (refused["field"], refused["operator"], refused["path"]) == ("time", "iso_time_to_ms", place)
    [fault] = done.json["faults"]
    assert (fault["path"], fault["line"], fault["message"][:10]) == (place, refused["line"], "record 500")
    told = offline("import", "preview", "--converter", converter, file)
    assert told.out.count("\nrecord ") == 9
    assert f"{converter}:{fault['line']}: {place}" in told.err


def test_a_file_that_is_in_order_and_one_that_is_not(offline: Terminal, tmp_path: Path) -> None:
    desk = Desk(tmp_path, 3)
    converter = desk.converter("json")
    good = desk.file("good.json", b'{"user": "user-1", "at": "2026-01-01"}\n')
    done = offline("import", "preview", "--converter", converter, good)
    assert (done.status, done.err) == (0, "")
    assert "1 of 1 records" in done.out
    bad = desk.file("bad.json", b'{"user": "user-1", "at": "2026-01-01"}\n{"user"\n')
    done = offline("import", "preview", "--converter", converter, bad)
    assert done.status == 1
    assert f"{bad}:2: " in done.err
    huge = desk.file("huge.json", b'{"user": "user-1", "at": "2026-01-01", "n": 1e400}\n')
    done = offline("import", "preview", "--converter", converter, huge, "--json")
    assert done.json["result"]["picked"][0]["record"]["n"] == "1E+400"
    empty = offline("import", "preview", "--converter", converter, desk.file("empty.json", b""), "--json")
    assert (empty.status, empty.json["result"]) == (0, {"records": 0, "picked": []})


def test_a_faulty_converter_is_told_at_its_place(offline: Terminal, tmp_path: Path) -> None:
    desk = Desk(tmp_path, 3)
    functions = FUNCTIONS | {"time": ["iso_tme", "at"]}
    config = {"converterConfig": {"fileType": "json", "convertToAmplitudeFunc": functions}}
    converter = desk.file("c.json", json.dumps(config).encode())
    done = offline("import", "preview", "--converter", converter, desk.records("json"), "--json")
    assert (done.status, done.json["result"]) == (1, None)
    assert done.json["faults"][0]["path"] == "converterConfig.convertToAmplitudeFunc.time.0"


def test_a_preview_by_a_stored_source_of_an_object(imports: Imports, sluice: Terminal) -> None:
    name = imports.source(min_id_length=7)
    imports.put(name, "a.json", lines([record(1), record(2, user="user-long", device=None)]))
    imports.untold()
    key = f"s3://{imports.drop_bucket}/{name}/a.json"
    done = sluice("import", "preview", "--source", name, key, "--json")
    first, second = done.json["result"]["picked"]
    assert "becomes" in first
    assert (done.status, second["becomes"]["user_id"]) == (0, "user-long")
    absent = sluice("import", "preview", "--source", name, f"{key}x", "--json")
    assert (absent.status, absent.json["faults"][0]["code"]) == (1, "MISSING_FILE")


@pytest.mark.parametrize("options", [(), ("--source", "a", "--converter", "b")])
def test_a_preview_is_by_one_or_the_other(offline: Terminal, options: tuple[str, ...]) -> None:
    assert offline("import", "preview", "in.json", *options).status == 2


def test_a_preview_of_what_is_not_there(offline: Terminal, tmp_path: Path) -> None:
    converter = Desk(tmp_path, 1).converter("json")
    for name in (str(tmp_path / "absent"), str(tmp_path)):
        done = offline("import", "preview", "--converter", converter, name, "--json")
        assert (done.status, done.json["faults"][0]["code"]) == (1, "MISSING_FILE")
