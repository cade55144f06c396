"""The records of files, broken ones among them: what cannot be read is told, and the next one is read."""

import gzip
import io
import json
import tarfile
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.core.converter.source_record import SourceRecord, Unreadable
from functions.core.converter.source_records import source_records
from functions.core.errors import Refused
from functions.core.files.inputs import DataFile
from functions.core.files.settings import Input


def read(
    content: bytes, name: str = "x.jsonl", *, limit: int = 1 << 25, columns: Any = None, **told: Any
) -> list[Any]:
    file = DataFile(name=name, open=lambda: io.BytesIO(content), told=Input(**told), max_record_bytes=limit)
    return [shown(record) for record in source_records(file, columns)]


def shown(record: SourceRecord | Unreadable) -> tuple[int, Any]:
    return record.line, record.values if isinstance(record, SourceRecord) else record.reason


JSON_LINES: list[tuple[str, bytes, list[tuple[int, Any]]]] = [
    ("nothing", b"", []),
    ("empty lines", b'\n \n{"a":1}\r\n\n', [(3, {"a": 1})]),
    ("no last line break", b'{"a":1}\n{"a":2}', [(1, {"a": 1}), (2, {"a": 2})]),
    ("a mark", b'\xef\xbb\xbf{"a":1}', [(1, {"a": 1})]),
    ("large integers", b'{"a":12345678901234567890123}', [(1, {"a": 12345678901234567890123})]),
    ("a line that is cut", b'{"a":\n{"a":2}', [(1, "Input data was truncated"), (2, {"a": 2})]),
    ("no object", b'[1]\n{"a":2}', [(1, "this is JSON, but not an object"), (2, {"a": 2})]),
    ("NaN", b'{"a":NaN}\n{"a":2}', [(1, "NaN is not JSON"), (2, {"a": 2})]),
    ("no UTF-8", b'{"a":"\xff"}\n{"a":2}', [(1, "not UTF-8 at byte 7 of the record"), (2, {"a": 2})]),
    (
        "half a pair",
        b'{"a":"\\ud83d"}\n{"a":2}',
        [(1, "holds half of a surrogate pair at byte 7 of the record"), (2, {"a": 2})],
    ),
    ("too deep", b'{"a":' + b"[" * 9999 + b'\n{"a":2}', [(1, "is nested too deeply"), (2, {"a": 2})]),
]


@pytest.mark.parametrize(("content", "records"), [pytest.param(*case[1:], id=case[0]) for case in JSON_LINES])
def test_json_lines(content: bytes, records: list[tuple[int, Any]]) -> None:
    assert read(content) == records
    assert read(gzip.compress(content), "x.json.gz", format="ndjson", compression="gzip") == records


@pytest.mark.parametrize("size", [20, 1 << 20, (1 << 22) + 5])
def test_a_line_that_is_too_large(size: int) -> None:
    content = b'{"a":1}\n{"b":"' + b"x" * size + b'"}\n{"a":3}\n'
    told = f"the record has {size + 8} bytes; the limit is 20"
    assert read(content, limit=20) == [(1, {"a": 1}), (2, told), (3, {"a": 3})]
    assert read(content[:-9], limit=20) == [(1, {"a": 1}), (2, told)]


DELIMITED: list[tuple[str, bytes, dict[str, Any], list[tuple[int, Any]]]] = [
    ("nothing", b"", {}, []),
    ("a header alone", b"a,b\n", {}, []),
    (
        "rows",
        b'\xef\xbb\xbfa,b\r\n1,\r\n"x\ny",""\r\n',
        {},
        [(2, {"a": "1", "b": None}), (3, {"a": "x\ny", "b": ""})],
    ),
    (
        "a row too long",
        b"a,b\n1,2,3\n4,5\n",
        {},
        [(2, "this row has 3 cells instead of 2"), (3, {"a": "4", "b": "5"})],
    ),
    (
        "a row too short",
        b"a,b\n1\n4,5\n",
        {},
        [(2, "this row has 1 cell instead of 2"), (3, {"a": "4", "b": "5"})],
    ),
    (
        "a stray quote",
        b'a,b\n1"x"y,2\n4,5\n',
        {},
        [(2, "cell 1: a quote stands within a cell that does not begin with one"), (3, {"a": "4", "b": "5"})],
    ),
    ("no UTF-8", b"a,b\n\xff,2\n\xc3\xa9,5\n", {}, [(2, "not UTF-8"), (3, {"a": "é", "b": "5"})]),
    ("no header", b"1,2\n", {"delimited": {"header": False}}, [(1, {"column_1": "1", "column_2": "2"})]),
    (
        "columns that are told",
        b"1;2\n",
        {"delimited": {"header": False, "delimiter": ";"}, "columns": ("a", "b")},
        [(1, {"a": "1", "b": "2"})],
    ),
    ("UTF-16", "a,b\né,2\n".encode("utf-16"), {}, [(2, {"a": "é", "b": "2"})]),
    ("row numbers", b"row_number,a\n1,x\n", {"delimited": {"row_number": True}}, [(2, {"a": "x"})]),
]


@pytest.mark.parametrize(
    ("content", "told", "records"), [pytest.param(*case[1:], id=case[0]) for case in DELIMITED]
)
def test_delimited_text(content: bytes, told: dict[str, Any], records: list[tuple[int, Any]]) -> None:
    assert read(content, "x.csv", **told) == records


BROKEN: list[tuple[str, bytes, str, str]] = [
    ("UTF-16", "{}".encode("utf-16"), "x.jsonl", "this is UTF-16"),
    ("a header that repeats itself", b"a,a\n1,2\n", "x.csv", "names `a` more than once"),
    ("a quote that is never closed", b'a,b\n"1,2\n3,4\n', "x.csv", "never closed"),
    ("no gzip", b'{"a":1}' * 9, "x.jsonl.gz", "this is no gzip file"),
    ("a gzip that ends early", gzip.compress(b'{"a":1}\n' * 9)[:-9], "x.jsonl.gz", "ends early"),
    ("no Parquet", b"PAR1", "x.parquet", "cannot be read"),
    ("no format", b"", "x", "its name does not tell its format"),
    ("Parquet within gzip", b"", "x.parquet.gz", "parquet is not read from within gzip"),
]


@pytest.mark.parametrize(
    ("content", "name", "words"), [pytest.param(*case[1:], id=case[0]) for case in BROKEN]
)
def test_a_file_that_is_broken_as_a_whole(content: bytes, name: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(content, name)


def test_what_stood_before_the_break_was_given() -> None:
    content = gzip.compress(b"".join(b'{"a":%d}\n' % number for number in range(200_000)))[:-9]
    records = source_records(
        DataFile(name="x.jsonl.gz", open=lambda: io.BytesIO(content), max_record_bytes=100)
    )
    given: list[int] = []
    with pytest.raises(Refused, match="ends early"):
        given.extend(record.line for record in records)
    assert given[:2] == [1, 2]
    assert len(given) > 100_000


def test_a_gzip_of_several_members() -> None:
    assert read(gzip.compress(b'{"a":1}\n{"a"') + gzip.compress(b":2}\n"), "x.jsonl.gz") == [
        (1, {"a": 1}),
        (2, {"a": 2}),
    ]


def test_archives() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jsonl", b'{"a":1}\n')
        archive.writestr("b.csv", b"a\n2\n")
    assert read(packed.getvalue(), "x.zip") == [(1, {"a": 1}), (2, {"a": "2"})]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive_:
        info = tarfile.TarInfo("a.json")
        info.size = 8
        archive_.addfile(info, io.BytesIO(b'{"a":1}\n'))
    assert read(packed.getvalue(), "x.tgz", format="ndjson") == [(1, {"a": 1})]


def test_parquet() -> None:
    table = pa.table(
        {
            "s": ["x", None],
            "i": [1, None],
            "f": [1.5, float("nan")],
            "t": pa.array([datetime(2025, 10, 14, 2, 58, 59, 323405, UTC), None], pa.timestamp("ns", "UTC")),
            "d": pa.array([Decimal("1.50"), None]),
            "b": [b"x", None],
            "n": [{"a": [1.0, float("inf")]}, None],
        }
    )
    content = io.BytesIO()
    pq.write_table(table, content, use_deprecated_int96_timestamps=True)
    assert read(content.getvalue(), "x.parquet") == [
        (
            1,
            {
                "s": "x",
                "i": 1,
                "f": 1.5,
                "t": "2025-10-14T02:58:59.323405Z",
                "d": Decimal("1.50"),
                "b": "eA==",
                "n": {"a": [1.0, None]},
            },
        ),
        (2, dict.fromkeys("siftdbn")),
    ]


def test_a_row_of_parquet_that_json_cannot_hold() -> None:
    table = pa.table({"a": [1, 2, 3], "t": pa.array([0, 10**18, 0], pa.timestamp("us"))})
    content = io.BytesIO()
    pq.write_table(table, content)
    (_, first), (line, reason), (_, third) = read(content.getvalue(), "x.parquet")
    assert (first["a"], line, third["a"]) == (1, 2, 3)
    assert "cannot be read" in reason


def test_the_text_of_a_record_is_kept() -> None:
    def texts(content: bytes, name: str) -> list[Any]:
        file = DataFile(name=name, open=lambda: io.BytesIO(content), max_record_bytes=99)
        return [record.text for record in source_records(file)]

    assert texts(b'{"a": 1}\n[]\n', "x.jsonl") == [b'{"a": 1}', b"[]"]
    assert texts(b"a,b\n1,2\n1\n\xff\n", "x.csv") == ["1,2", "1", b"\xff"]


def test_values_of_json_can_be_written_again() -> None:
    line = json.dumps({"a": [1, 1.5, None, True, "é😀", {"b": 2**80}]}).encode()
    [(_, values)] = read(line)
    assert json.loads(msgspec.json.encode(values)) == json.loads(line)
