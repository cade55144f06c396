import json
import stat
from pathlib import Path

import pyarrow as pa
import pysequoia
import pytest
from pysequoia.packet import PacketPile, Tag

from tests.cli.terminal import Ran, Terminal
from tests.formats.parquet_files import parquet

TERMINAL = Terminal({})
ROWS = b'{"a":1,"b":"x"}\n{"a":2}\n'


class Desk:
    """A folder with inputs and settings, and what comes out of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.file("in.jsonl", ROWS)

    def file(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def convert(self, settings: str, *inputs: str, options: tuple[str, ...] = ()) -> Ran:
        given = self.file("settings.yaml", settings.encode())
        files = [str(self.folder / name) for name in inputs or ("in.jsonl",)]
        return TERMINAL("convert", *files, "--settings", given, "--out", str(self.out), *options)

    @property
    def published(self) -> list[str]:
        files = (each for each in self.out.rglob("*") if each.is_file())
        return sorted(str(each.relative_to(self.out)) for each in files)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_default_name_is_the_stem_and_the_extension(desk: Desk) -> None:
    ran = desk.convert("format: csv")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"{desk.out / 'in.csv'}: 2 rows, 11 bytes\n"
    assert desk.published == ["in.csv"]
    assert (desk.out / "in.csv").read_text() == "a,b\n1,x\n2,\n"
    assert stat.S_IMODE((desk.out / "in.csv").stat().st_mode) == 0o644


def test_folders_of_the_name_are_made(desk: Desk) -> None:
    ran = desk.convert('{format: tsv, file_name: "{{dataset_name}}/d/x.tsv", success_file: true}')
    assert ran.status == 0
    assert desk.published == ["in/d/.DONE", "in/d/x.tsv"]


def test_json_tells_every_object(desk: Desk) -> None:
    answer = desk.convert("{format: parquet, manifest: true}", options=("--json",)).json
    [written] = answer["result"]["objects"]
    assert written["key"] == "in.parquet"
    assert written["rows"] == 2
    assert written["path"] == str(desk.out / "in.parquet")
    assert written["bytes"] == (desk.out / "in.parquet").stat().st_size
    assert json.loads((desk.out / "_manifest.json").read_bytes())["objects"][0]["key"] == "in.parquet"


def test_inputs_of_several_formats_are_one_dataset(desk: Desk) -> None:
    desk.file("more.csv", b"b,c\ny,z\n")
    desk.file("last.parquet", parquet(pa.table({"a": [3]})))
    assert desk.convert("{format: csv}", "in.jsonl", "more.csv", "last.parquet").status == 0
    assert (desk.out / "in.csv").read_text() == "a,b,c\n1,x,\n2,,\n,y,z\n3,,\n"


def test_faults_of_settings_have_their_lines(desk: Desk) -> None:
    settings = (
        "format: json\nsplit:\n  rows: 10\ndelimited: {header: true}\ncolumns:\n- {name: a}\n- {nam: b}\n"
    )
    ran = desk.convert(settings)
    assert ran.status == 1
    assert ran.out == ""
    where = desk.folder / "settings.yaml"
    for line in (
        f"{where}:3: split.rows: 10 is below 50000",
        f"{where}:4: delimited.header: does not apply to json",
        f"{where}:7: columns.1.nam: is not a field",
    ):
        assert line in ran.err
    faults = desk.convert(settings, options=("--json",)).json["faults"]
    assert {(fault["path"], fault["line"]) for fault in faults} >= {
        ("split.rows", 3),
        ("delimited.header", 4),
    }
    assert not desk.out.exists()


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ("format: [", "neither YAML nor JSON"),
        ("format: csv\nformat: json", "settings.yaml:1: format: stands here a second time"),
        ("- csv", "must be a mapping of fields"),
        ("", "must be a mapping of fields"),
        ('{format: csv, file_name: "{{nwo}}"}', "there is no token `nwo`"),
        ('{format: csv, file_name: "../x"}', "holds a segment `..`"),
        (
            '{format: csv, file_name: "{{list_name}}.csv"}',
            "needs what this delivery does not have: `list_name`",
        ),
    ],
)
def test_settings_that_cannot_be_used(desk: Desk, settings: str, what: str) -> None:
    ran = desk.convert(settings)
    assert ran.status == 1
    assert what in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("target", ["ndjson", "parquet", "csv, compression: zip"])
def test_a_broken_row_is_told_with_file_and_line_and_nothing_is_left(desk: Desk, target: str) -> None:
    broken = desk.file("broken.csv", b"a,b\n1,2\n3\n")
    ran = desk.convert(f"{{format: {target}, success_file: true}}", "broken.csv")
    assert ran.status == 1
    assert f"{broken}:3: this row has 1 cell, the header has 2" in ran.err
    assert list(desk.out.iterdir()) == []
    [fault] = desk.convert("format: ndjson", "broken.csv", options=("--json",)).json["faults"]
    assert (fault["path"], fault["line"]) == (broken, 3)


def test_what_stood_there_stays_when_something_fails(desk: Desk) -> None:
    assert desk.convert("format: csv").status == 0
    desk.file("in.jsonl", b'{"a":NaN}')
    assert desk.convert("format: csv").status == 1
    assert (desk.out / "in.csv").read_text() == "a,b\n1,x\n2,\n"


def test_files_that_are_not_there(desk: Desk) -> None:
    ran = desk.convert("format: csv", "in.jsonl", "absent.csv")
    assert ran.status == 1
    assert f"MISSING_FILE: {desk.folder / 'absent.csv'}: No such file or directory" in ran.err
    assert desk.convert("format: csv", ".").status == 1
    ran = TERMINAL("convert", str(desk.folder / "in.jsonl"), "--settings", "absent.yaml", "--out", "x")
    assert (ran.status, "absent.yaml" in ran.err) == (1, True)


def test_a_folder_that_cannot_be_made(desk: Desk) -> None:
    desk.file("out", b"")
    ran = desk.convert("format: csv")
    assert ran.status == 1
    assert "File exists" in ran.err


def test_the_largest_record_can_be_set(desk: Desk) -> None:
    desk.file("in.jsonl", b'{"a":"' + b"x" * 2_000_000 + b'"}\n')
    ran = desk.convert("format: csv", options=("--max-record-mebibytes", "1"))
    assert ran.status == 1
    assert "in.jsonl:1: the record at line 1 has 2000008 bytes; the limit is 1048576" in ran.err


def test_wrong_use_ends_with_2(desk: Desk) -> None:
    assert TERMINAL("convert").status == 2
    assert desk.convert("format: csv", options=("--nonsense",)).status == 2


def test_files_are_encrypted_without_a_trace_of_what_they_were(desk: Desk) -> None:
    private = pysequoia.Tsk.generate("Acme <keys@example.com>")
    packets = list(PacketPile.from_bytes(bytes(private.extract_certificate())))
    first, second = (at for at, packet in enumerate(packets) if packet.tag == Tag.PublicSubkey)
    raw = b"".join(map(bytes, [*packets[:first], *packets[second:]]))
    key = pysequoia.armor(raw, pysequoia.ArmorKind.PublicKey)
    ran = desk.convert(json.dumps({"format": "csv", "pgp_public_key": key, "success_file": True}))
    assert ran.status == 0, ran.err
    assert desk.published == [".DONE", "in.csv.pgp"]
    decrypted = pysequoia.decrypt((desk.out / "in.csv.pgp").read_bytes(), decryptor=private.decryptor())
    assert decrypted.bytes == b"a,b\n1,x\n2,\n"
