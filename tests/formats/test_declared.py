"""Rows whose columns were declared in JSON Schema."""

import datetime as dt
import io
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.core.errors import Code, Refused
from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.declared import Declared, declared, json_schema
from functions.core.formats.declared_columns import DeclaredColumns
from functions.core.formats.json_lines import JsonLines
from functions.core.formats.kinds import TIMESTAMP
from functions.core.formats.rows import Batch, Reading
from functions.core.formats.table import FORMATS, Shape
from tests.formats.parquet_files import EVERY_TYPE, parquet
from tests.formats.test_deliveries import FIRST, deliver
from tests.formats.test_json_columns import KINDS, in_columns, plain


def schema_of(**columns: Any) -> pa.Schema:
    found = declared({"type": "object", "properties": columns})
    assert found is not None
    return found.schema


def table_of(schema: pa.Schema, *rows: str) -> pa.Table:
    data = [f"{row}\n".encode() for row in rows]
    return pa.Table.from_batches([each.table for each in DeclaredColumns(Declared(schema)).of(plain(data))])


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"type": "integer"}, pa.int64()),
        ({"type": ["null", "integer"]}, pa.int64()),
        ({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}, pa.uint64()),
        ({"type": ["number", "null"]}, pa.float64()),
        ({"type": ["integer", "number"]}, pa.float64()),
        ({"type": "number", "precision": 9, "scale": 2}, pa.decimal128(9, 2)),
        ({"type": "number", "precision": 50}, pa.decimal256(50, 0)),
        ({"type": "string"}, pa.string()),
        ({"type": "string", "format": "uuid"}, pa.string()),
        ({"type": "string", "format": "date-time"}, TIMESTAMP),
        ({"type": ["null", "string"], "format": "date"}, pa.date32()),
        ({"type": "string", "format": "time"}, pa.time64("us")),
        ({"type": "string", "contentEncoding": "base64"}, pa.binary()),
        ({"type": "boolean"}, pa.bool_()),
        ({"type": ["integer", "string"]}, pa.string()),
        ({"type": "null"}, pa.string()),
        ({}, pa.string()),
        (True, pa.string()),
        ({"type": "object"}, pa.string()),
        ({"type": "object", "properties": {"x": {"type": "integer"}}}, pa.struct({"x": pa.int64()})),
        ({"properties": {"x": {"type": "integer"}}}, pa.struct({"x": pa.int64()})),
        ({"type": "array", "items": {"type": "number"}}, pa.list_(pa.float64())),
        ({"type": "array"}, pa.list_(pa.string())),
        ({"type": "array", "items": [{"type": "number"}]}, pa.list_(pa.string())),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, pa.int64()),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]}, pa.string()),
        ({"oneOf": [{"type": "null"}]}, pa.string()),
        ({"allOf": [{"$ref": "#/definitions/a~1b"}]}, pa.date32()),
        ({"$ref": "#/definitions/a~1b"}, pa.date32()),
    ],
)
def test_what_json_schema_declares(column: Any, expected: pa.DataType) -> None:
    definitions = {"a/b": {"type": "string", "format": "date"}}
    found = declared({"properties": {"c": column}, "definitions": definitions})
    assert found == Declared(pa.schema({"c": expected}))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "schema: must be an object, not null"),
        ([], "schema: must be an object, not a list"),
        ({"properties": []}, "schema.properties: must be an object, not a list"),
        ({"properties": {"a": 1}}, "schema.properties.a: must be an object, not a number"),
        (
            {"properties": {"a": {"type": "text"}}},
            "schema.properties.a.type: `text` is no type; there are null, ",
        ),
        ({"properties": {"a": {"type": {}}}}, "schema.properties.a.type: a mapping is no type"),
        ({"properties": {"a": {"type": [["null"]]}}}, "schema.properties.a.type: a list is no type"),
        (
            {"properties": {"a": {"anyOf": {}}}},
            "schema.properties.a.anyOf: must be a list of schemas, not a mapping",
        ),
        (
            {"properties": {"a": {"$ref": "#/x"}}},
            "schema.properties.a.$ref: refers to #/x, which is not there",
        ),
        (
            {"properties": {"a": {"$ref": "http://x"}}},
            "schema.properties.a.$ref: must refer to this schema itself",
        ),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "schema.properties.a: refers to itself"),
        (
            {"properties": {"a": {"type": "array", "items": {"$ref": "#/properties/a"}}}},
            "nested more than 48 deep",
        ),
        (
            {"properties": {"a": {"type": "object", "properties": 1}}},
            "schema.properties.a.properties: must be",
        ),
        (
            {"properties": {"a": {"type": "number", "precision": "9"}}},
            "schema.properties.a: `precision` must be",
        ),
        ({"properties": {"a": {"type": "number", "precision": 99}}}, "`precision` must be from 1 to 76"),
    ],
)
def test_a_bad_schema_is_told(document: Any, message: str) -> None:
    with pytest.raises(Refused) as caught:
        declared(document)
    assert message in caught.value.text
    assert caught.value.code == Code.SCHEMA


def test_schemas_that_changed_on_the_way_become_one_that_holds_both() -> None:
    first = {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}
    second = {"properties": {"c": {"type": "boolean"}, "a": {"type": "number"}}}
    assert declared(first, first) == Declared(pa.schema({"a": pa.int64(), "b": pa.string()}))
    expected = pa.schema({"a": pa.float64(), "b": pa.string(), "c": pa.bool_()})
    assert declared(first, second) == Declared(expected)
    assert declared(first, {"type": "object"}) is None
    assert declared() is None


TAKEN: list[tuple[dict[str, Any], str, Any]] = [
    ({"type": "integer"}, "1.0", 1),
    ({"type": "number"}, "1", 1.0),
    ({"type": "number", "precision": 4, "scale": 2}, "12.3", "12.30"),
    ({"type": "string"}, '{"b":[1.50]}', '{"b":[1.5]}'),
    ({"type": "string"}, "1.0", "1.0"),
    ({"type": "string", "format": "date-time"}, '"2026-03-08T09:30:00+02:00"', "2026-03-08 07:30:00+00:00"),
    (
        {"type": "string", "format": "date-time"},
        '"2026-03-08 09:30:00.5"',
        "2026-03-08 09:30:00.500000+00:00",
    ),
    ({"type": "string", "format": "date"}, '"2026-03-08"', "2026-03-08"),
    ({"type": "string", "format": "time"}, '"09:30:00.25Z"', "09:30:00.250000"),
    ({"type": "string", "contentEncoding": "base64"}, '"AP8="', b"\0\xff"),
    (
        {"type": "array", "items": {"type": "string", "format": "date"}},
        '["2026-03-08",null]',
        [dt.date(2026, 3, 8), None],
    ),
]
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "integer"}, "1.5", "is a number, where an integer is declared"),
    ({"type": "integer"}, "true", "is true or false, where an integer is declared"),
    ({"type": "integer"}, "9223372036854775808", "is an integer that is not from -9223372036854775808 to"),
    ({"type": "integer"}, '"1"', "is text, where an integer is declared"),
    ({"type": "number"}, "9007199254740993", "has more digits than a double holds"),
    ({"type": "number"}, "0.12345678901234567890", "has more digits than a double holds"),
    ({"type": "number", "precision": 4, "scale": 2}, "12.345", "has more than 4 digits, 2 of them after the point"),
    ({"type": "number", "precision": 4, "scale": 2}, "123", "has more than 4 digits"),
    ({"type": "boolean"}, "1", "is a number, where true or false is declared"),
    ({"type": "string", "format": "date-time"}, '"2026-03-08T09:30:00.1234567Z"', "is finer than a microsecond"),
    ({"type": "string", "format": "date-time"}, '"2026-02-30T09:30:00Z"', "names a day that does not exist"),
    ({"type": "string", "format": "date-time"}, '"0001-01-01T00:00:00+01:00"', "lies outside the years 1 to 9999"),
    ({"type": "string", "format": "date-time"}, '"yesterday"', "is no date-time"),
    ({"type": "string", "format": "date-time"}, "5", "is a number, where a date-time is declared"),
    ({"type": "string", "format": "date"}, '"2026-02-30"', "is no date"),
    ({"type": "string", "format": "date"}, '"20260308"', "is no date"),
    ({"type": "string", "format": "time"}, '"09:30:00+02:00"', "is no time"),
    ({"type": "string", "contentEncoding": "base64"}, '"AP8"', "is no base64"),
    ({"type": "array"}, "{}", "is an object, where an array is declared"),
    ({"properties": {"x": {"type": "integer"}}}, '{"x":1,"y":2}', "has a member `y` that is not declared"),
    ({"properties": {"x": {"type": "integer"}}}, "[]", "is an array, where an object is declared"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "expected"), TAKEN)
def test_values_become_what_is_declared(column: dict[str, Any], value: str, expected: Any) -> None:
    [row] = table_of(schema_of(c=column), '{"c":' + value + "}").to_pylist()
    assert row["c"] == expected or str(row["c"]) == expected


@pytest.mark.parametrize(("column", "value", "why"), REFUSED)
def test_values_that_are_not_what_is_declared_are_refused(
    column: dict[str, Any], value: str, why: str
) -> None:
    schema = schema_of(ok={"type": "boolean"}, c=column)
    with pytest.raises(Refused) as caught:
        table_of(schema, "{}", '{"ok":true,"c":' + value + "}")
    assert caught.value.text.startswith("m1: row 2, column `c`: ")
    assert why in caught.value.text
    assert caught.value.code == Code.SCHEMA


def test_a_column_that_is_not_declared_names_its_row() -> None:
    schema = schema_of(a={"type": "integer"})
    with pytest.raises(Refused, match="m1: row 2, column `b`: the file has no such column") as caught:
        table_of(schema, '{"a":1}', '{"b":2}')
    assert caught.value.code == Code.SCHEMA
    assert table_of(schema, "{}", '{"a":null}').to_pylist() == [{"a": None}] * 2


DECLARABLE = st.sampled_from([column for column, _, _ in TAKEN + REFUSED])
WRITTEN = st.sampled_from([value for _, value, _ in TAKEN + REFUSED]) | st.sampled_from(
    [
        json.dumps(each)
        for each in (
            "2026-03-08T24:00:00Z", "2026-03-08T23:59:60Z", "2026-03-08T09:30:00+24:00",
            "2026-03-08T09:30:00-00:30",
            "0000-01-01", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-01:00",
            "2026-03-08T09:30Z", "2026-03-08", "2026-13-01", "2026-03-08\n", "1969-12-31T23:59:59.5Z", "1900-02-29",
        )
    ]
)  # fmt: skip


@settings(max_examples=300)
@given(column=DECLARABLE, values=st.lists(WRITTEN, min_size=1, max_size=3))
@example(column={"type": "string", "format": "date-time"}, values=['"2026-03-08T09:30:00-00:30"'])
def test_columns_at_once_are_values_one_by_one(column: dict[str, Any], values: list[str]) -> None:
    schema = schema_of(c=column)
    data = ["".join(f'{{"c":{value}}}\n' for value in values).encode()]

    def outcome(batches: list[Batch]) -> Any:
        try:
            return [repr(each.table.to_pylist()) for each in DeclaredColumns(Declared(schema)).of(batches)]
        except Refused as refused:
            return refused.text

    assert outcome(in_columns(data)) == outcome(plain(data))


@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_any_value_is_declared_text_or_refused(kind: str, data: st.DataObject) -> None:
    rows = [
        f'{{"c":{value}}}\n'.encode() for value in data.draw(st.lists(KINDS[kind], min_size=1, max_size=3))
    ]
    made = DeclaredColumns(Declared(schema_of(c={})))
    try:
        expected = [each.table.to_pylist() for each in made.of(plain(rows))]
    except Refused:
        return
    assert [each.table.to_pylist() for each in made.of(in_columns(rows))] == expected


def test_a_file_declares_its_columns_and_what_arrives_is_equal() -> None:
    reading = Reading(origin="x")
    batches = list(FORMATS["parquet"].read(io.BytesIO(parquet(EVERY_TYPE)), reading, Shape(format="parquet")))
    lines = JsonLines()
    data = [bytes(lines.encode(batch).data) for batch in batches if len(batch)]
    carried = next(each.table.schema for each in batches if isinstance(each, ColumnBatch))
    schema = declared(json.loads(json.dumps(json_schema(carried))))
    assert schema is not None
    for made in (plain(data), in_columns(data)):
        arrived = pa.Table.from_batches([each.table for each in DeclaredColumns(schema).of(made)])
        assert arrived.to_pylist() == EVERY_TYPE.to_pylist()


def test_a_delivery_takes_its_columns_from_what_was_declared() -> None:
    schema = declared({"properties": {"b": {"type": "boolean"}, "a": {"type": "number"}}})
    [content] = deliver(FIRST, schema=schema, format="csv").objects.values()
    assert content == b"b,a\n,1.0\n,2.0\n,3.0\n"
    [content] = deliver([], schema=schema, format="csv").objects.values()
    assert content == b"b,a\n"
    [content] = deliver(
        FIRST, schema=schema, format="csv", columns=[{"name": "a", "as": "x"}]
    ).objects.values()
    assert content == b"x\n1.0\n2.0\n3.0\n"
    [content] = deliver(FIRST, schema=schema).objects.values()
    assert content == b'{"a":1}\n{"a":2}\n{"a":3}\n'
    with pytest.raises(Refused, match="no row has `z`"):
        deliver(FIRST, schema=schema, format="csv", columns=[{"name": "z"}])
