import gzip
import io
import json
import tarfile
import zipfile
from typing import Any

import pytest

from functions.core.errors import Permanent, Refused
from tests.formats.conversion import deliver

MANY = b"a\n" + b"".join(b"%d\n" % number for number in range(120_000))


def delivered(content: bytes = b"a,b\n1,2\n", name: str = "out/x.csv", **settings: Any) -> dict[str, bytes]:
    return deliver({"in.csv": content}, name=name, **{"format": "csv", **settings})[0]


def test_a_split_by_rows_becomes_objects_in_a_folder() -> None:
    objects = delivered(MANY, name="out", compression="gzip", split={"rows": 50_000})
    assert list(objects) == [f"out/000000{number}.csv.gz" for number in (1, 2, 3)]
    lines = [gzip.decompress(content).splitlines() for content in objects.values()]
    assert [len(each) for each in lines] == [50_001, 50_001, 20_001]
    assert {each[0] for each in lines} == {b"a"}
    assert b"\n".join(line for each in lines for line in each[1:]) + b"\n" == MANY[2:]


def test_a_split_that_gives_one_file_gives_no_folder() -> None:
    assert list(delivered(split={"rows": 50_000})) == ["out/x.csv"]


def test_a_split_by_size_counts_bytes_before_compression() -> None:
    content = b"a\n" + b"x" * 9 + b"\n"
    content += (b"y" * 999 + b"\n") * 2500
    objects = delivered(content, name="out", split={"megabytes": 1}, compression="gzip")
    sizes = [len(gzip.decompress(each)) for each in objects.values()]
    assert len(sizes) == 3
    assert max(sizes) <= 1_000_000
    assert min(sizes[:-1]) > 999_000


def test_a_record_that_is_larger_than_a_file_is_a_file() -> None:
    content = b"a\nx\n" + b"y" * 1_500_000 + b"\nz\n"
    objects = delivered(content, name="out", split={"megabytes": 1})
    assert [len(each) for each in objects.values()] == [4, 1_500_003, 4]


def test_split_names_are_templates() -> None:
    split = {
        "rows": 50_000,
        "folder": "{{now|format:'yyyy'}}/{{dataset_name}}",
        "file_name": "p{{file_number}}.csv",
    }
    objects = delivered(MANY, name="out", split=split)
    assert list(objects) == [f"out/2026/data/p000000{number}.csv" for number in (1, 2, 3)]


@pytest.mark.parametrize("compression", ["zip", "tar", "tgz"])
def test_within_an_archive_split_files_are_members(compression: str) -> None:
    split = {"rows": 50_000, "folder": "f", "file_name": "{{file_number}}.csv"}
    objects = delivered(MANY, name="out.bin", split=split, compression=compression)
    [content] = objects.values()
    if compression == "zip":
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    else:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            names = archive.getnames()
    assert names == [f"f/000000{number}.csv" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "compression", "member"),
    [
        ("d/x.csv.zip", "zip", "x.csv"),
        ("x.zip", "zip", "x.csv"),
        ("x", "zip", "x.csv"),
        ("x.csv.tar.gz", "tgz", "x.csv"),
        ("x.tgz", "tgz", "x.csv"),
    ],
)
def test_the_one_member_is_called_as_the_archive(name: str, compression: str, member: str) -> None:
    [content] = delivered(name=name, compression=compression).values()
    if compression == "zip":
        assert zipfile.ZipFile(io.BytesIO(content)).namelist() == [member]
    else:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            assert archive.getnames() == [member]


def test_marks_come_last_and_lie_beside_the_objects() -> None:
    assert list(delivered(success_file=True, manifest=True)) == [
        "out/x.csv",
        "out/_manifest.json",
        "out/.DONE",
    ]
    objects = delivered(MANY, name="out", split={"rows": 100_000}, success_file=True)
    assert list(objects) == ["out/0000001.csv", "out/0000002.csv", "out/.DONE"]
    assert objects["out/.DONE"] == b""


def test_the_manifest_names_every_object() -> None:
    objects, written = deliver({"in.csv": MANY}, format="csv", split={"rows": 100_000}, manifest=True)
    manifest = json.loads(objects["out/_manifest.json"])
    assert manifest["run"] == "run"
    assert manifest["rows"] == 120_000
    assert [(each["key"], each["bytes"], each["rows"], each["checksum"]) for each in manifest["objects"]] == [
        (each.key, len(objects[each.key]), each.rows, each.checksum) for each in written
    ]


def test_columns_are_chosen_ordered_and_renamed() -> None:
    columns = [{"name": "b", "as": "B"}, {"name": "a"}]
    assert delivered(columns=columns)["out/x.csv"] == b"B,a\n2,1\n"
    for target, expected in (("ndjson", b'{"B":"2","a":"1"}\n'), ("json", b'[\n{"B":"2","a":"1"}\n]\n')):
        assert delivered(columns=columns, format=target)["out/x.csv"] == expected


def test_a_chosen_column_may_be_absent_from_a_row_but_not_from_all() -> None:
    content = {"in.jsonl": b'{"a":1.10,"c":0}\n{"b":[ 1 ]}\n'}
    columns = [{"name": "b"}, {"name": "a", "as": "x"}]
    assert deliver(content, format="ndjson", columns=columns)[0]["out"] == (
        b'{"b":null,"x":1.10}\n{"b":[1],"x":null}\n'
    )
    with pytest.raises(Refused, match="no row has `d`"):
        deliver(content, format="ndjson", columns=[{"name": "d"}])


@pytest.mark.parametrize(
    ("settings", "content_type", "content_encoding"),
    [
        ({}, "text/csv; charset=utf-8", None),
        ({"compression": "gzip"}, "application/gzip", None),
        ({"compression": "gzip", "content_encoding": True}, "text/csv; charset=utf-8", "gzip"),
        ({"compression": "zip"}, "application/zip", None),
        ({"format": "parquet"}, "application/vnd.apache.parquet", None),
        ({"format": "ndjson"}, "application/x-ndjson", None),
    ],
)
def test_what_an_object_is(settings: dict[str, Any], content_type: str, content_encoding: str | None) -> None:
    _, [written] = deliver({"in.csv": b"a\n1\n"}, **{"format": "csv", **settings})
    assert (written.content_type, written.content_encoding) == (content_type, content_encoding)


def test_parquet_gets_its_extension_once_and_not_where_it_is_unwanted() -> None:
    assert list(delivered(format="parquet", name="x")) == ["x.parquet"]
    assert list(delivered(format="parquet", name="x.parquet")) == ["x.parquet"]
    assert list(delivered(format="parquet", name="x", parquet={"extension": False})) == ["x"]


@pytest.mark.parametrize("name", ["../x.csv", "/x.csv", "a/./x.csv"])
def test_a_name_stays_where_it_belongs(name: str) -> None:
    with pytest.raises(Permanent, match="the key"):
        delivered(name=name)


def test_nothing_is_published_when_a_row_cannot_be_written() -> None:
    content = b"a\n" + b"x\n" * 60_000 + b'"x,y"\n'
    with pytest.raises(Refused, match="row 60001, column `a`"):
        delivered(content, split={"rows": 50_000}, delimited={"quote": "none"})


@pytest.mark.parametrize(
    ("name", "what"),
    [("data", "does not tell its format"), ("x.csv.pgp", "encrypted"), ("x.parquet.gz", "not read from")],
)
def test_inputs_whose_names_tell_too_little_or_too_much(name: str, what: str) -> None:
    with pytest.raises(Refused, match=what):
        deliver({name: gzip.compress(b"")}, format="csv")


@pytest.mark.parametrize("name", ["x.csv.gz", "x.CSV.GZ", "a.b/x.csv.gz"])
def test_an_inputs_name_tells_what_it_is(name: str) -> None:
    assert deliver({name: gzip.compress(b"a\n1\n")}, format="ndjson")[0]["out"] == b'{"a":"1"}\n'


def test_delimiters_come_from_the_name_or_the_settings() -> None:
    assert deliver({"x.tsv": b"a\tb\n1\t2\n", "y.psv": b"a|b\n3|4\n"}, format="csv")[0]["out"] == (
        b"a,b\n1,2\n3,4\n"
    )
    told = {"format": "delimited", "delimited": {"delimiter": "§"}}
    assert deliver({"x": "a§b\n1§2\n".encode()}, format="csv", input=told)[0]["out"] == b"a,b\n1,2\n"
    with pytest.raises(Refused, match=r"input\.delimited\.delimiter: is missing"):
        deliver({"x.txt": b"a\n"}, format="csv")
