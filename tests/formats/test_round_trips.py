"""A → B → A for every pair of formats: equal wherever B can hold what A has, whatever the values are."""

import io
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.formats.settings import QUOTES
from tests.formats.conversion import convert
from tests.formats.parquet_files import parquet, table

DELIMITED = {
    "csv": {},
    "tsv": {},
    "psv": {"line_ending": "crlf"},
    "delimited": {"delimiter": "§", "quote_char": "'"},
}
TARGETS = [*DELIMITED, "json", "ndjson", "parquet"]

texts = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["", '"', '""', ",", "\n", "\r", "\r\n", "\\", "\\N", "NULL", "'", "\ufeff", "=1", " x ", "\t|§", "\0"]
)
names = st.lists(texts, min_size=1, max_size=4, unique=True)
numbers = st.integers() | st.integers(-(2**200), 2**200) | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def rows_of(columns: list[str]) -> st.SearchStrategy[list[dict[str, str | None]]]:
    cells = st.tuples(*[st.none() | texts for _ in columns])
    return st.lists(cells.map(lambda row: dict(zip(columns, row, strict=True))), min_size=1, max_size=4)


def ndjson(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(
        json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for row in rows
    )


text_rows = names.flatmap(rows_of).map(ndjson)


def settings_for(name: str) -> dict[str, Any]:
    return {"delimited": DELIMITED[name]} if DELIMITED.get(name) else {}


def there_and_back(content: bytes, source: str, target: str, **given_settings: Any) -> bytes:
    chosen = given_settings or settings_for(target)
    there = convert(content, source, target, **chosen)
    back_input = {"delimited": chosen["delimited"]} if "delimited" in chosen else {}
    return convert(there, target, source, input=back_input)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=40)
@given(content=text_rows)
def test_rows_of_text_survive_every_format(target: str, content: bytes) -> None:
    assert there_and_back(content, "ndjson", target) == content


@given(
    content=text_rows,
    quote=st.sampled_from([each for each in QUOTES if each not in {"all", "none"}]),
    escape=st.none() | st.just("\\"),
    null=st.sampled_from(["", "NULL", "\\N"]),
    line_ending=st.sampled_from(["lf", "crlf"]),
    row_number=st.none() | st.just("the_row_number"),
)
def test_rows_of_text_survive_all_settings_of_delimited_text(content: bytes, **delimited: Any) -> None:
    assert there_and_back(content, "ndjson", "csv", delimited=delimited) == content


@given(content=text_rows, null=st.sampled_from(["NULL", "\\N"]))
def test_rows_of_text_survive_without_quotes_if_there_is_an_escape(content: bytes, null: str) -> None:
    delimited = {"quote": "none", "escape": "\\", "null": null}
    assert there_and_back(content, "ndjson", "csv", delimited=delimited) == content


@given(rows=st.lists(st.dictionaries(texts, values, max_size=4), max_size=4))
def test_json_of_any_form_survives_json(rows: list[dict[str, Any]]) -> None:
    content = ndjson(rows)
    assert there_and_back(content, "ndjson", "json") == content


@given(rows=st.lists(st.fixed_dictionaries({"a": values}), min_size=1, max_size=4))
def test_a_cell_is_the_json_of_a_value_that_is_no_text(rows: list[dict[str, Any]]) -> None:
    back = convert(convert(ndjson(rows), "ndjson", "csv"), "csv", "ndjson")
    for row, line in zip(rows, back.splitlines(), strict=True):
        cell = json.loads(line)["a"]
        if row["a"] is None or isinstance(row["a"], str):
            assert cell == row["a"]
        else:
            assert json.loads(cell) == row["a"]


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "whole": st.integers(-(2**63), 2**63 - 1),
    "fraction": st.floats(allow_nan=False, allow_infinity=False),
    "truth": st.booleans(),
    "text": texts,
    "long": st.integers(-(10**60), 10**60),
    "list": st.lists(st.none() | st.integers(0, 9), min_size=1, max_size=3),
    "group": st.fixed_dictionaries({"x": st.none() | st.integers(0, 9), "y": st.none() | texts}),
}


typed_rows = st.lists(
    st.fixed_dictionaries({name: st.none() | each for name, each in COLUMNS.items()}), min_size=1, max_size=5
)


@given(rows=typed_rows)
def test_typed_rows_survive_parquet(rows: list[dict[str, Any]]) -> None:
    back = convert(convert(ndjson(rows), "ndjson", "parquet"), "parquet", "ndjson")
    assert [json.loads(line) for line in back.splitlines()] == rows


@pytest.mark.parametrize("target", ["json", "ndjson"])
@given(rows=typed_rows)
def test_columns_survive_json(target: str, rows: list[dict[str, Any]]) -> None:
    kinds = pa.schema(
        {
            "whole": pa.int64(),
            "fraction": pa.float64(),
            "truth": pa.bool_(),
            "text": pa.string(),
            "long": pa.decimal256(61, 0),
            "list": pa.list_(pa.int64()),
            "group": pa.struct({"x": pa.int64(), "y": pa.string()}),
        }
    )
    wide = [{**row, "long": None if row["long"] is None else Decimal(row["long"])} for row in rows]
    given_table = pa.Table.from_pylist(wide, schema=kinds)
    back = table(convert(convert(parquet(given_table), "parquet", target), target, "parquet"))
    for name in kinds.names:
        if given_table[name].null_count < len(rows) and name != "group":
            assert back[name].to_pylist() == given_table[name].to_pylist()


@pytest.mark.parametrize("target", TARGETS)
def test_text_in_parquet_survives_every_format(target: str) -> None:
    given_table = pa.table({"a": ["x", None, "", "1"], "b": ["é,\n", '"', None, "\\"]})
    back = there_and_back(parquet(given_table), "parquet", target)
    assert pq.read_table(io.BytesIO(back)).equals(given_table)
