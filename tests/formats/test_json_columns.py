"""Rows of JSON that are made columns give what rows one by one give, byte for byte and value for value."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.core.errors import Refused
from functions.core.files.settings import parse_conversion
from functions.core.formats.delimited_write import DelimitedText
from functions.core.formats.json_columns import JsonColumns, apart
from functions.core.formats.json_parser import JsonParser
from functions.core.formats.parquet import ParquetWriter, Schema
from functions.core.formats.rows import Batch, JsonBatch
from functions.core.formats.surveys import ColumnNames

NUMBERS = [
    "0", "-0", "1", "-7", "12", "1.0", "-0.0", "0.0", "1.50", "0.1", "1e5", "1E-7", "1e-400", "4e-324", "1e400",
    "0e0", "1e22", "123456789012", "12345678901.25", "0.00001", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551615", "-9223372036854775809", "9" * 40, "0.12345678901234567890",
    "0.1234567890123456", "51.50735091209412", "1234567890123456.5", "0.30000000000000004", "1e-4", "1.0E+2",
    "100000000000000000000.0", "2.2250738585072014e-308", "1e-310", "0.000000000000000000001", "1e9999",
]  # fmt: skip
TEXTS = [
    "", "x", "2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01 00:00:00", "12:30", "1", "true", "null", "a,b", '"',
    "\n", "\0", "é", "😀", "=1", "NA", ":1234567890123456789,", ",0.1.2345678901234567", ":1e-400,", "3f0e-0004-",
]  # fmt: skip
NAMES = ["a", "b", "c", "é", "", "a b", "\0", '"']

numbers = (
    st.sampled_from(NUMBERS)
    | st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
)
texts = (st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8"), max_size=5)).map(json.dumps)
leaves = st.sampled_from(["null", "true", "false"]) | numbers | texts


def members(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects whose names may come twice, which JSON allows."""
    pairs = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=4)
    return pairs.map(lambda each: "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in each) + "}")


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]") | members(inner)


KINDS = {
    "anything": st.recursive(leaves, nested, max_leaves=5),
    "numbers": numbers | st.just("null"),
    "fractions": st.decimals(-10000, 10000, places=2).map(str)
    | st.sampled_from(["null", "12", "0.00", "3.0"]),
    "integers": st.integers(-(2**63), 2**63 - 1).map(str),
    "texts": texts | st.just("null"),
    "truths": st.sampled_from(["true", "false", "null"]),
    "lists": st.lists(st.sampled_from(["null", "1", "2.5"]), max_size=3).map(
        lambda items: f"[{','.join(items)}]"
    ),
    "groups": members(st.sampled_from(["null", "1", "2.5", '"2024-01-01"', "[null]"])),
}


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """Pieces of rows most of whose columns keep to a kind."""
    columns = {
        name: draw(st.sampled_from(sorted(KINDS)))
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
    }
    made = []
    for _ in range(draw(st.integers(1, 3))):
        rows = []
        for _ in range(draw(st.integers(0, 3))):
            chosen = draw(st.lists(st.sampled_from(sorted(columns)), unique=True)) if columns else []
            row = ",".join(f"{json.dumps(name)}:{draw(KINDS[columns[name]])}" for name in chosen)
            rows.append(f"{{{row}}}".encode() + b"\n")
        made.append(b"".join(rows))
    return made


def plain(data: Iterable[bytes]) -> list[Batch]:
    return [
        JsonBatch(origin=f"m{place}", lines=range(1, each.count(b"\n") + 1), data=each)
        for place, each in enumerate(data)
    ]


def in_columns(data: Iterable[bytes], *, together: bool = False) -> list[Batch]:
    parser, batches = JsonParser(), plain(data)
    if together:
        return list(parser.columns(batches))
    return [made for batch in batches for made in parser.columns([batch])]


def csv(batches: list[Batch], **given_settings: Any) -> tuple[bytes, bytes] | str:
    chosen = parse_conversion({"format": "csv", "delimited": given_settings}).files.shape.delimited
    try:
        survey = ColumnNames()
        for batch in batches:
            survey.see(batch)
        encoder = DelimitedText(chosen, survey.found())
        return encoder.head, b"".join(encoder.encode(batch).data for batch in batches)
    except Refused as refused:
        return str(refused)


def parquet(batches: list[Batch]) -> Any:
    target = io.BytesIO()
    try:
        survey = Schema()
        for batch in batches:
            survey.see(batch)
        with ParquetWriter(
            target, parse_conversion({"format": "parquet"}).files.shape.parquet, survey.found()
        ) as writer:
            for batch in batches:
                writer.write(batch)
    except Refused as refused:
        return str(refused)
    table = pq.read_table(io.BytesIO(target.getvalue()))
    return table.schema, repr(table.to_pylist())


@settings(max_examples=300)
@given(data=pieces(), together=st.booleans())
@example(data=[b'{"a":[null,1]}\n', b'{"a":[null,null]}\n'], together=False)
@example(data=[b'{"a":0.5}\n{"a":-0}\n'], together=True)
@example(data=[b'{"a":0.5}\n{"a":1e-400}\n'], together=True)
@example(data=[b'{"a":1}\n', b'{"a":0.5}\n', b'{"a":"x"}\n', b'{"a":2}\n'], together=False)
def test_columns_give_what_rows_give(data: list[bytes], *, together: bool) -> None:
    made = in_columns(data, together=together)
    assert csv(made) == csv(plain(data))
    assert parquet(made) == parquet(plain(data))


@settings(max_examples=100)
@given(
    data=pieces(),
    quote=st.sampled_from(["all", "non_null", "minimal", "non_numeric", "none"]),
    null=st.sampled_from(["", "NA", "0"]),
    neutralize_formulas=st.booleans(),
    row_number=st.none() | st.just("n"),
    delimiter=st.sampled_from([",", ".", "-", "§"]),
)
def test_all_settings_of_delimited_text_hold_for_columns(data: list[bytes], **given_settings: Any) -> None:
    assert csv(in_columns(data), **given_settings) == csv(plain(data), **given_settings)


@given(data=pieces())
def test_chosen_columns_are_those_of_rows(data: list[bytes]) -> None:
    renamed = {"x": "a", "a": "b", "é": "absent"}
    chosen = [batch.select(renamed) for batch in in_columns(data)]
    assert csv(chosen) == csv([batch.select(renamed) for batch in plain(data)])
    assert parquet(chosen) == parquet([batch.select(renamed) for batch in plain(data)])


@pytest.mark.parametrize(
    ("rows", "fast"),
    [
        (b'{"a":1.25,"b":"2024-01-01"}\n{"a":3,"c":{"d":[1,null]}}\n', True),
        (b'{"a":51.50735091209412,"b":1234567890123456789}\n', True),
        (b'{"a":0.0,"u":"3f0e-0004"}\n', True),
        (b'{"a":0.12345678901234567890}\n', False),
        (b'{"a":1,"a":2}\n', False),
        (b'{"a":1}\n{"a":"x"}\n', False),
        (b"{}\n", False),
    ],
)
def test_what_columns_hold_exactly_is_made_columns(rows: bytes, *, fast: bool) -> None:
    [made] = in_columns([rows])
    assert isinstance(made, JsonColumns) == fast
    assert [row for each in apart(made) for row in each.rows()] == made.rows()


def test_small_pieces_are_parsed_together_and_errors_still_name_their_own() -> None:
    data = [b'{"a":%d}\n' % number for number in range(1000)] + [b'{"a":"x,y"}\n']
    [made] = in_columns(data[:-1], together=True)
    assert isinstance(made, JsonColumns)
    assert list(made.lines) == [1] * 1000
    assert csv(in_columns(data, together=True), quote="none") == (
        "m1000: row 1001, column `a`: holds the delimiter, and `quote` is none without `escape`"
    )
