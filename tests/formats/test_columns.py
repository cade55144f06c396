"""What is made a column at a time is what single values would have given."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import Refused
from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.delimited_write import DelimitedText
from functions.core.formats.json_lines import JsonLines
from functions.core.formats.rows import ValueBatch
from functions.core.formats.settings import QUOTES, parse_delimited
from tests.formats.conversion import convert
from tests.formats.parquet_files import parquet

UTC_TIME = pa.timestamp("us", tz="UTC")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["", "=1", "a,b", '"', "\\", "NA", "\r\n"]
)
KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), TEXTS),
    "large": (pa.large_string(), TEXTS),
    "whole": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "unsigned": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "fraction": (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    "truth": (pa.bool_(), st.booleans()),
    "moment": (UTC_TIME, st.datetimes(timezones=st.just(dt.UTC))),
    "day": (pa.date32(), st.dates()),
    "exact": (pa.decimal128(12, 3), st.decimals(-(10**8), 10**8, places=3)),
    "raw": (pa.binary(), st.binary(max_size=4)),
    "list": (pa.list_(UTC_TIME), st.lists(st.datetimes(timezones=st.just(dt.UTC)), max_size=2)),
    "group": (pa.struct({"x": pa.decimal128(4, 2)}), st.fixed_dictionaries({"x": st.just(Decimal("-0.10"))})),
}
SCHEMA = pa.schema({name: kind for name, (kind, _) in KINDS.items()})
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in KINDS.items()}),
    min_size=1,
    max_size=3,
)


def batches(rows: list[dict[str, Any]]) -> tuple[ColumnBatch, ValueBatch]:
    columns = ColumnBatch(origin="x", first=1, table=pa.RecordBatch.from_pylist(rows, schema=SCHEMA))
    return columns, ValueBatch(origin="x", lines=columns.lines, values=columns.rows())


@given(
    rows=ROWS,
    quote=st.sampled_from([each for each in QUOTES if each != "none"]),
    null=st.sampled_from(["", "NA", "0"]),
    escape=st.none() | st.just("\\"),
    quote_char=st.sampled_from(['"', "'", "^", "]"]),
    delimiter=st.sampled_from([",", "\t", "|", "§", ".", "-"]),
    neutralize_formulas=st.booleans(),
    row_number=st.none() | st.just("n"),
)
def test_lines_of_columns_are_lines_of_rows(rows: list[dict[str, Any]], **given_settings: Any) -> None:
    settings = parse_delimited(given_settings, delimiter=None, reading=False)
    columns, values = batches(rows)
    expected = DelimitedText(settings, SCHEMA.names).encode(values).data
    assert DelimitedText(settings, SCHEMA.names).encode(columns).data == expected


@given(rows=ROWS)
def test_json_of_columns_is_json_of_rows(rows: list[dict[str, Any]]) -> None:
    columns, values = batches(rows)
    assert JsonLines().encode(columns).data == JsonLines().encode(values).data


@pytest.mark.parametrize("target", ["csv", "ndjson", "json"])
@pytest.mark.parametrize("year", [-1, 10_000])
def test_a_time_that_cannot_be_written_names_row_and_column(target: str, year: int) -> None:
    microseconds = (year - 1970) * 31_556_952_000_000
    content = parquet(pa.table({"a": pa.array([0, microseconds], UTC_TIME)}))
    with pytest.raises(Refused, match="row 2, column `a`: "):
        convert(content, "parquet", target)
