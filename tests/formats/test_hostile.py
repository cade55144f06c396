"""Rows that nobody would send on purpose, and datasets whose last row is not as the first."""

import io
import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from functions.core.errors import Code, Refused
from functions.core.formats.json_columns import JsonColumns
from functions.core.formats.rows import JsonBatch
from tests.formats.conversion import MemoryDraft, convert
from tests.formats.parquet_files import table
from tests.formats.test_deliveries import Watched, deliver
from tests.formats.test_json_columns import csv, in_columns, parquet, plain

PADDING = "x" * 300
MANY = [
    (f"m{message}", b"".join(b'{"a":%d.5,"p":"%b"}\n' % (row, PADDING.encode()) for row in range(2000)))
    for message in range(8)
]
ROWS = 16_000


class Counted(Watched):
    """A store that knows how many drafts are there."""

    def __init__(self) -> None:
        super().__init__()
        self.drafts: list[MemoryDraft] = []

    def draft(self) -> MemoryDraft:
        self.drafts.append(super().draft())
        return self.drafts[-1]

    @property
    def left(self) -> int:
        return sum(not draft.stream.closed for draft in self.drafts)


@pytest.mark.parametrize("compression", ["none", "gzip", "zip"])
def test_a_column_that_only_the_last_row_has_is_a_column_of_all(compression: str) -> None:
    store = Counted()
    late = [*MANY, ("last", b'{"late":"x"}\n')]
    deliver(late, format="csv", compression=compression, template="{part}", store=store)
    [content] = store.objects.values()
    if compression == "none":
        lines = content.split(b"\n")
        assert lines[0] == b"a,p,late"
        assert lines[1] == b"0.5," + PADDING.encode() + b","
        assert lines[-2:] == [b",,x", b""]
        assert len(lines) == ROWS + 3
    assert store.left == 1


def test_a_value_that_did_not_fit_what_was_expected_fits_what_the_last_row_asks_for() -> None:
    odd = ("odd", b'{"a":9007199254740993}\n')
    with pytest.raises(Refused, match="odd: row 16001, column `a`: is an integer that a double would change"):
        deliver([*MANY, odd], format="parquet")
    [content] = deliver([*MANY, odd, ("last", b'{"a":"x"}\n')], format="parquet").objects.values()
    found = table(content)["a"]
    assert found.to_pylist()[-3:] == ["1999.5", "9007199254740993", "x"]


def test_a_broken_last_row_is_told_and_nothing_else_is() -> None:
    rows = b"".join(data for _, data in MANY)
    with pytest.raises(Refused, match="in1: this is JSON, but not an object"):
        convert([rows, b"[1]"], "ndjson", "csv", columns=[{"name": "absent"}])


@pytest.mark.slow
@pytest.mark.parametrize("target", ["csv", "parquet"])
def test_a_column_turns_from_integer_to_float_to_text_in_the_millionth_row(target: str) -> None:
    def pieces() -> Iterator[tuple[str, bytes]]:
        for message in range(100):
            yield f"m{message}", b"".join(b'{"a":%d}\n' % (message * 10_000 + row) for row in range(10_000))
        yield "last", b'{"a":0.5}\n{"a":"x"}\n'

    [content] = deliver(list(pieces()), format=target, template="{part}").objects.values()
    found = pa_csv.read_csv(io.BytesIO(content)) if target == "csv" else table(content)
    assert found["a"].type == pa.string()
    assert found["a"].to_pylist()[::250_000] == ["0", "250000", "500000", "750000", "0.5"]
    assert found["a"].to_pylist()[-3:] == ["999999", "0.5", "x"]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["csv", "parquet", "ndjson"])
def test_a_hundred_megabytes_in_one_cell(target: str) -> None:
    cell = "x," * 50_000_000
    data = (
        b'{"a":1}\n'
        + json.dumps({"a": 2, "b": cell}, ensure_ascii=False, separators=(",", ":")).encode()
        + b"\n"
    )
    with pytest.raises(
        Refused, match=r"the record at line 2 has 1000000\d\d bytes; the limit is 33554432"
    ) as caught:
        deliver([("m", data)], format=target)
    assert caught.value.code == Code.TOO_LARGE
    with pytest.raises(Refused, match=r"the record at line 2 has 1000000\d\d bytes"):
        convert(data, "ndjson", target)
    content = convert(data, "ndjson", target, limit=200_000_000)
    if target == "ndjson":
        same = content == data
    elif target == "csv":
        same = content == f'a,b\n1,\n2,"{cell}"\n'.encode()
    else:
        same = table(content).to_pylist() == [{"a": 1, "b": None}, {"a": 2, "b": cell}]
    assert same, "which pytest must not try to show"


@pytest.mark.parametrize("depth", [30, 400])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"x":', "}")])
def test_deep_values_are_the_same_both_ways(depth: int, opening: str, closing: str) -> None:
    data = [f'{{"a":{opening * depth}1{closing * depth}}}\n'.encode()]
    for made in (csv, parquet):
        assert made(in_columns(data)) == made(plain(data))


def test_names_that_come_and_go_do_not_fill_memory() -> None:
    rows = [b'{"a":{"k%d":1}}\n' % number for number in range(4000)]
    batches = in_columns([b"".join(rows)])
    assert all(isinstance(batch, JsonBatch) for batch in batches)
    assert [len(batch) for batch in batches] == [1048, 1048, 1048, 856]
    assert [record for batch in batches if isinstance(batch, JsonBatch) for record in batch.records] == [
        row[:-1] for row in rows
    ]


def test_kinds_that_do_not_go_together_do_not_keep_later_rows_from_being_columns() -> None:
    plain_row = b'{"a":1,"b":"x"}\n'
    data = [
        plain_row,
        b'{"a":1}\n{"a":"x"}\n',
        plain_row,
        plain_row,
        b'{"a":1,"b":true}\n{"b":"x"}\n',
        plain_row,
    ]
    assert [isinstance(batch, JsonColumns) for batch in in_columns(data)] == [
        True,
        False,
        True,
        True,
        False,
        True,
    ]
    assert parquet(in_columns(data)) == parquet(plain(data))


@pytest.mark.parametrize("size", [3, 5_000_000])
def test_large_pieces_are_worked_on_in_parts_that_keep_their_lines(size: int) -> None:
    rows = [b'{"a":%d}\n' % number for number in range(3)] + [b'{"a":"%b"}\n' % (b"x" * size)]
    data = [("m", b"".join(rows * 4))]
    assert deliver(data, template="{part}").objects["in/0000001"] == data[0][1]
    with pytest.raises(Refused, match="m: row 17, column `a`: holds") as caught:
        deliver([("m", data[0][1] + b'{"a":"1,2"}\n')], format="csv", delimited={"quote": "none"})
    assert caught.value.faults[0].line == 17
