"""Writers whose columns are fixed, given rows that no reader would give them."""

import math
from typing import Any

import pyarrow as pa
import pytest

from functions.core.errors import Refused
from functions.core.formats.columns import Columns
from functions.core.formats.delimited_write import DelimitedText
from functions.core.formats.json_lines import JsonLines
from functions.core.formats.rows import ValueBatch
from functions.core.formats.settings import Delimited

NESTED = pa.struct({"x": pa.list_(pa.struct({"y": pa.int64()}))})


def batch(*rows: dict[str, Any]) -> ValueBatch:
    return ValueBatch(origin="in", lines=range(1, len(rows) + 1), values=list(rows))


def test_a_row_with_a_column_that_the_file_has_not_is_an_error() -> None:
    rows = batch({"a": 1}, {"a": 2, "b": 3})
    with pytest.raises(Refused, match="in: row 2, column `b`: the file has no such column"):
        DelimitedText(Delimited(), ["a"]).encode(rows)
    with pytest.raises(Refused, match="in: row 2, column `b`: the file has no such column"):
        Columns(pa.schema({"a": pa.int64()})).of(rows)


def test_a_member_that_the_file_has_not_is_an_error() -> None:
    columns = Columns(pa.schema({"a": NESTED}))
    found = columns.of(batch({"a": {"x": [{"y": 1}, None]}}, {"a": None}, {}))
    assert found.to_pylist() == [{"a": {"x": [{"y": 1}, None]}}, {"a": None}, {"a": None}]
    with pytest.raises(Refused, match="row 5, column `a`: has a member `z` that the file has not"):
        columns.of(batch({"a": None}, {"a": {"x": [{"z": 1}]}}), rows_before=3)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("\ud800", "holds half of a surrogate pair at character 1"),
        ({"x": ["ab\udc00"]}, "holds half of a surrogate pair at character 3"),
        ([math.inf], "is NaN or infinite, which JSON does not have"),
    ],
)
def test_what_is_no_text_names_row_and_column(value: Any, why: str) -> None:
    rows = batch({"a": "x", "b": None}, {"a": "x", "b": value})
    for encoder in (DelimitedText(Delimited(), ["a", "b"]), JsonLines()):
        with pytest.raises(Refused, match=f"row 2, column `b`: {why}"):
            encoder.encode(rows)


def test_a_float_that_is_no_number_has_a_name_in_a_cell() -> None:
    rows = batch(*({"a": value} for value in (math.nan, math.inf, -math.inf)))
    assert DelimitedText(Delimited(), ["a"]).encode(rows).data == b"NaN\nInfinity\n-Infinity\n"


@pytest.mark.parametrize("name", ["a,b", "\ud800", ""])
def test_a_name_that_the_header_cannot_hold_is_an_error(name: str) -> None:
    with pytest.raises(Refused, match="row 0"):
        DelimitedText(Delimited(quote="none"), [name])
