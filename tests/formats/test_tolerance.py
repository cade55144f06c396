"""Files read on past records that cannot be read; files that are broken as a whole fail, with the place."""

import gzip
import io
import json
import tarfile
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.allowance import LEAST, Allowance
from functions.core.compression import members
from functions.core.errors import Code, Refused
from functions.core.files.inputs import DataFile
from functions.core.files.settings import Input
from functions.core.formats import json_values
from functions.core.formats.delimited_cells import CellReader
from functions.core.formats.delimited_records import records
from functions.core.formats.rows import Reading
from functions.core.formats.settings import Delimited
from functions.core.formats.text_input import decoded
from functions.core.formats.tolerant import MOST_SHOWN, Reason, Unread

LIMIT = 1 << 25


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__(content)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._step if size is None or size < 0 else min(size, self._step))


def found(
    content: bytes,
    name: str = "x.jsonl",
    *,
    limit: int = LIMIT,
    columns: Any = None,
    step: int = 0,
    **told: Any,
) -> list[tuple[int, Any]]:
    """Each record with its line; of one that cannot be read the reason, and what is shown of it."""
    file = DataFile(
        name=name,
        open=lambda: Trickle(content, step) if step else io.BytesIO(content),
        told=Input(**told),
        columns=columns,
        max_record_bytes=limit,
    )
    given: list[tuple[int, Any]] = []
    for batch in file.records():
        for place, record in enumerate(batch.records()):
            original = batch.original(place)
            shown = (record.reason, original.text, original.size) if isinstance(record, Unread) else record
            given.append((batch.line(place), shown))
    return given


def bad(reason: Reason, text: bytes) -> tuple[Reason, bytes, int]:
    return reason, text, len(text)


JSON: list[tuple[str, bytes, Reason]] = [
    ("cut", b'{"a":', Reason.NO_JSON),
    ("two", b'{"a":1}{"a":2}', Reason.NO_JSON),
    ("no object", b"[1]", Reason.NO_OBJECT),
    ("a word", b"hello", Reason.NO_JSON),
    ("NaN", b'{"a":NaN}', Reason.NO_JSON),
    ("bad UTF-8", b'{"a":"\xff"}', Reason.NO_UNICODE),
    ("half a pair", b'{"a":"\\ud83d"}', Reason.NO_UNICODE),
    ("too deep", b'{"a":' + b"[" * 9999, Reason.TOO_DEEP),
    ("an exponent", b'{"a":1e99999}', Reason.VALUE),
    ("an exponent in text and number", b'{"a":-1.5e-99999}', Reason.VALUE),
    ("digits", b'{"a":' + b"1" * 5000 + b"}", Reason.VALUE),
]


@pytest.mark.parametrize(("text", "reason"), [pytest.param(*case[1:], id=case[0]) for case in JSON])
def test_a_bad_line_is_a_reject_with_its_text_and_the_next_is_read(text: bytes, reason: Reason) -> None:
    content = b'\xef\xbb\xbf{"a":1}\r\n \n' + text + b'\n\n{"a":"\xc3\xa9"}'
    wanted = [(1, {"a": 1}), (3, bad(reason, text)), (5, {"a": "é"})]
    assert found(content) == wanted
    assert found(gzip.compress(content[:9]) + gzip.compress(content[9:]), "x.jsonl.gz", step=7) == wanted


def test_no_number_is_rounded_whatever_stands_beside_it() -> None:
    lines = [
        b'{"a":0.5}',
        b'{"a":1.2345678901234567890}',
        b'{"a":1e400}',
        b'{"a": 1e-400}',
        b'{"a":12345678901234567890123}',
    ]
    values = [
        0.5,
        Decimal("1.2345678901234567890"),
        Decimal("1E+400"),
        Decimal("1E-400"),
        12345678901234567890123,
    ]
    assert [record["a"] for _, record in found(b"\n".join(lines))] == values
    assert [record["a"] for line in lines for _, record in found(line)] == values


@given(
    st.lists(st.from_regex(rb"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?", fullmatch=True))
)
def test_numbers_are_what_they_are_read_as_one_by_one(numbers: list[bytes]) -> None:
    record = b'{"a":[' + b", ".join(numbers) + b'],"b":"1234567890123456e-0001"}'
    assert found(record) == [(1, json_values.decode(record, "", 1))]


@pytest.mark.parametrize("size", [20, MOST_SHOWN + 9, 100_003])
@pytest.mark.parametrize("step", [0, 30_001])
def test_a_large_record_is_a_reject_with_its_line_its_size_and_its_beginning(size: int, step: int) -> None:
    def large(line: int, text: bytes) -> tuple[int, Any]:
        return line, (Reason.LARGE, text[:MOST_SHOWN], len(text))

    text = b'{"b":"' + b"x" * size + b'"}'
    content = b'{"a":1}\n' + text + b'\n{"a":1}\n' + text
    wanted = [(1, {"a": 1}), large(2, text), (3, {"a": 1}), large(4, text)]
    assert found(content, limit=19, step=step) == wanted
    for text in (b'"' + b"x\n" * size + b'"', b'"' + b"x" * size + b'\n"', b"x" * size):
        content = b"a\n1\n" + text + b"\n2\n" + text
        lines = text.count(b"\n")
        wanted = [(2, {"a": "1"}), large(3, text), (4 + lines, {"a": "2"}), large(5 + lines, text)]
        assert found(content, "x.csv", limit=19, step=step) == wanted


DELIMITED: list[tuple[str, bytes, dict[str, Any], list[tuple[int, Any]]]] = [
    ("too long", b"1,2,3", {}, [(2, bad(Reason.CELLS, b"1,2,3"))]),
    ("too short", b"1", {}, [(2, bad(Reason.CELLS, b"1"))]),
    ("quotes within a cell", b'1"x"y,2', {}, [(2, bad(Reason.MALFORMED, b'1"x"y,2'))]),
    ("one quote within a cell", b'5" pipe,2', {}, [(2, bad(Reason.MALFORMED, b'5" pipe,2'))]),
    ("one behind a closed cell", b'"a"b",2', {}, [(2, bad(Reason.MALFORMED, b'"a"b",2'))]),
    ("a return within a cell", b"1\r2,3", {}, [(2, bad(Reason.MALFORMED, b"1\r2,3"))]),
    ("bad UTF-8", b"\xff,2", {}, [(2, bad(Reason.NO_UNICODE, b"\xff,2"))]),
    ("of several lines", b'"1\r\n2",3,4', {}, [(2, bad(Reason.CELLS, b'"1\r\n2",3,4'))]),
    ("good, of several lines", b'"1""\n2",', {}, [(2, {"a": '1"\n2', "b": None})]),
    ("an escaped break", b'1\\\n2,"\\"', {"escape": "\\"}, [(2, {"a": "1\n2", "b": '"\n4,5'})]),
    ("quotes that are none", b'1",2', {"quote": "none"}, [(2, {"a": '1"', "b": "2"})]),
]


@pytest.mark.parametrize(
    ("text", "settings", "wanted"), [pytest.param(*case[1:], id=case[0]) for case in DELIMITED]
)
def test_a_bad_row_is_a_reject_and_the_next_is_read(
    text: bytes, settings: dict[str, Any], wanted: list[tuple[int, Any]]
) -> None:
    last = [] if "escape" in settings else [(3 + text.count(b"\n"), {"a": "4", "b": "5"})]
    end = b'4,5"\n' if "escape" in settings else b"4,5\n"
    for step in (0, 1, 3):
        content = b"\xef\xbb\xbfa,b\r\n" + text + b"\n" + end
        assert found(content, "x.csv", step=step, delimited=settings) == wanted + last


def test_columns_row_numbers_and_utf_16() -> None:
    told = {"header": False, "delimiter": ";"}
    assert found(b"1;2\n3\n", "x.csv", columns=("a", "b"), delimited=told) == [
        (1, {"a": "1", "b": "2"}),
        (2, bad(Reason.CELLS, b"3")),
    ]
    numbered = found(b"row_number,a\n1,x\n", "x.csv", delimited={"row_number": True})
    assert numbered == [(2, {"a": "x"})]
    content = "a\né\n".encode("utf-16") + b"\x3d\xd8\n\0"
    assert found(content, "x.csv", step=3) == [(2, {"a": "é"}), (3, bad(Reason.NO_UNICODE, b"\xed\xa0\xbd"))]


def test_columns_that_nobody_has_named() -> None:
    assert found(b"1,\n", "x.csv", delimited={"header": False}) == [(1, {"column_1": "1", "column_2": None})]


@pytest.mark.parametrize(("content", "name"), [(b"", "x.jsonl"), (b"", "x.csv"), (b"a,b\n", "x.csv")])
def test_files_without_records(content: bytes, name: str) -> None:
    assert found(content, name) == []


def test_values_of_json_can_be_written_again() -> None:
    line = json.dumps({"a": [1, 1.5, None, True, "é😀", {"b": 2**80}]}).encode()
    [(_, values)] = found(line)
    assert json.loads(json_values.encode(values)) == json.loads(line)


def test_the_objects_of_an_array() -> None:
    content = b'[{"a":1},\n{"a":01},{"a":\n2}]'
    assert found(content, "x.json") == [(1, {"a": 1}), (2, bad(Reason.NO_JSON, b'{"a":01}')), (2, {"a": 2})]


def parquet(table: pa.Table, **options: Any) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


def test_rows_of_parquet_in_the_types_of_json() -> None:
    at = pa.array([datetime(2025, 10, 14, 2, 58, 59, 323405, UTC), None], pa.timestamp("ns", "UTC"))
    columns = {"s": ["x", None], "i": [1, 2], "f": [1.5, float("nan")], "t": at, "d": [Decimal("1.50"), None]}
    nested = {"b": [b"x", None], "n": [{"a": [1.0, float("inf")]}, None]}
    content = parquet(pa.table(columns | nested), use_deprecated_int96_timestamps=True)
    first = {
        "s": "x",
        "i": 1,
        "f": 1.5,
        "t": "2025-10-14T02:58:59.323405Z",
        "d": Decimal("1.50"),
        "b": "eA==",
        "n": {"a": [1.0, None]},
    }
    assert found(content, "x.parquet") == [(1, first), (2, dict.fromkeys("sftdbn") | {"i": 2})]


def test_a_row_of_parquet_that_cannot_be_read() -> None:
    times = pa.array([0, 10**18, *range(97)], pa.timestamp("us"))
    content = parquet(pa.table({"a": range(99), "t": times}))
    rows = found(content, "x.parquet")
    assert rows[1] == (2, bad(Reason.VALUE, b'{"a":1}'))
    assert [record["a"] for line, record in rows if line != 2] == [0, *range(2, 99)]
    large = parquet(pa.table({"a": ["x", "y" * 99, "z"]}))
    assert found(large, "x.parquet", limit=60) == [
        (1, {"a": "x"}),
        (2, (Reason.LARGE, b"", 103)),
        (3, {"a": "z"}),
    ]


def zipped(contents: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return content.getvalue()


def tarred(contents: dict[str, bytes], headers: dict[str, str] | None = None) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", pax_headers=headers) as archive:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


@pytest.mark.parametrize(("pack", "name"), [(zipped, "x.zip"), (tarred, "x.tgz")])
def test_archives(pack: Any, name: str) -> None:
    contents = {"_hidden": b"x" * 3_000_000, "a.jsonl": b'{"a":1}\nx\n', "d/b.csv": b"a\n2\n"}
    assert found(pack(contents), name) == [(1, {"a": 1}), (2, bad(Reason.NO_JSON, b"x")), (2, {"a": "2"})]
    with pytest.raises(Refused, match="within an archive is not unpacked"):
        found(pack({"a.jsonl.gz": b""}), name)


LINES = b"".join(b'{"a":%d}\n' % number for number in range(9999))
BROKEN: list[tuple[str, bytes, str, str]] = [
    ("UTF-16", "{}".encode("utf-16"), "x.jsonl", "this is UTF-16"),
    ("a quote that is never closed", b'a,b\n1,2\n"3,4\n5,"6"\n', "x.csv", "never closed"),
    ("a header that repeats itself", b"a,a\n1,2\n", "x.csv", "names `a` more than once"),
    ("a header that is no text", b"a,\xff\n1,2\n", "x.csv", "the first record, .*, is not Unicode"),
    ("no gzip", b'{"a":1}' * 9, "x.jsonl.gz", "this is no gzip file"),
    ("a gzip that ends early", gzip.compress(LINES)[:-9], "x.jsonl.gz", r"ends early, after byte \d+"),
    ("a tar that ends early", gzip.decompress(tarred({"a.jsonl": LINES}))[:9999], "x.tar", "tar file"),
    (
        "a damaged zip",
        zipped({"a.jsonl": LINES}).replace(b"PK\1\2", b"PK\1\3"),
        "x.zip",
        "zip file is damaged",
    ),
    ("an endless header", tarred({"a": b""}, {"comment": "x" * 3_000_000}), "x.tgz", "a header in this tar"),
    ("no Parquet", b"PAR1", "x.parquet", "cannot be read"),
    ("an array that is cut", b'[{"a":1},', "x.json", "the file ends here"),
    ("no format", b"", "x", "its name does not tell its format"),
    ("Parquet within gzip", b"", "x.parquet.gz", "parquet is not read from within gzip"),
]


@pytest.mark.parametrize(
    ("content", "name", "words"), [pytest.param(*case[1:], id=case[0]) for case in BROKEN]
)
def test_a_file_that_is_broken_as_a_whole(content: bytes, name: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        found(content, name)


def test_what_stands_before_the_break_is_given() -> None:
    content = gzip.compress(b"".join(b'{"a":%d}\n' % number for number in range(200_000)))[:-9]
    file = DataFile(name="x.jsonl.gz", open=lambda: io.BytesIO(content), max_record_bytes=100)
    counts: list[int] = []
    with pytest.raises(Refused, match="ends early"):
        counts.extend(len(batch) for batch in file.records())
    assert sum(counts) > 100_000


def test_where_a_quote_opened_that_is_never_closed() -> None:
    with pytest.raises(Refused) as refused:
        found(b'a\n"1\n2"\n"3\n' + b"4\n" * 99, "x.csv", limit=50)
    assert refused.value.faults[0].line == 4


@pytest.mark.parametrize(
    ("compression", "content"),
    [
        ("gzip", gzip.compress(bytes(10_000))),
        ("zip", zipped({"a": bytes(6_000), "b": bytes(4_000)})),
        ("tgz", tarred({"_hidden": bytes(8_000), "b": bytes(2_000)})),
    ],
)
def test_no_more_is_unpacked_than_a_file_may_unpack_to(compression: str, content: bytes) -> None:
    def unpack(most: int) -> int:
        allowed = Allowance(most, len(content), "x")
        return sum(
            len(member.stream.read(10_000))
            for member in members(io.BytesIO(content), compression, "x", allowed)
        )

    assert unpack(99_999) >= 2_000
    with pytest.raises(Refused, match=f"x: its {len(content)} bytes unpack to more than 9000") as refused:
        unpack(9_000)
    assert refused.value.code is Code.TOO_LARGE


def test_a_directory_that_would_fill_memory() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(140):
            archive.writestr(f"{number:065000}", b"")
    with pytest.raises(Refused, match=r"a directory of 91\d+ bytes; the limit is 8388608"):
        found(content.getvalue(), "x.zip", format="ndjson")


@pytest.mark.slow
def test_a_gigabyte_in_one_line_is_a_reject_and_more_is_a_bomb() -> None:
    packed = gzip.compress(b"x" * (1 << 24))
    count = LEAST >> 24
    assert found(packed * count, "x.jsonl.gz") == [(1, (Reason.LARGE, b"x" * MOST_SHOWN, count << 24))]
    with pytest.raises(Refused, match="unpack to more than 1000000000, which is the limit"):
        found(packed * (count + 1), "x.jsonl.gz")


CELLS = st.text(st.sampled_from('a",\n\r é')) | st.sampled_from(
    ["", '""', '"a"', '"a,\n"', '"a"",b"', '"""", "']
)


@given(st.lists(st.lists(CELLS, max_size=4)))
def test_cells_are_what_they_are_to_those_who_are_strict(rows: list[list[str]]) -> None:
    content = "".join(",".join(row) + "\n" for row in rows).encode()
    settings = Delimited(header=False)
    pieces = decoded(io.BytesIO(content), encoding="utf-8", origin="x")
    try:
        strict = [record for some in records(pieces, Reading(origin="x"), settings) for record in some]
        wanted = [(record.line, CellReader("x", settings).read(record)) for record in strict]
    except Refused:
        return
    columns = tuple(map(str, range(max((len(cells) for _, cells in wanted), default=1))))
    lenient = found(content, "x.csv", columns=columns, delimited={"header": False})
    assert [
        (line, list(row.values()) if isinstance(row, dict) else len(columns)) for line, row in lenient
    ] == [(line, cells if len(cells) == len(columns) else len(columns)) for line, cells in wanted]
