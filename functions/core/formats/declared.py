"""Schemas that are declared beforehand, in JSON Schema as Singer's SCHEMA messages have it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from functions.core import documents
from functions.core.errors import Code, Fault, Refused
from functions.core.formats.faults import named
from functions.core.formats.kinds import DEEPEST, TIMESTAMP, Kind

_DIGITS = 76
_INT64_MOST, _UINT64_MOST = 2**63 - 1, 2**64 - 1
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_FORMATS = {"date-time": TIMESTAMP, "date": pa.date32(), "time": pa.time64("us")}
_Schema = Mapping[str, Any]


class Declared(msgspec.Struct, frozen=True):
    """The columns that rows have, in order, and the type of each."""

    schema: pa.Schema


def declared(*json_schemas: Any) -> Declared | None:
    """What the JSON Schemas of a run declare; of several, columns that hold what any of them lets through.

    `integer` is int64, or uint64 with a `maximum` beyond; `number` double, or a decimal with `precision` and
    `scale`; `string` is text, or by `format` or `contentEncoding: base64` a timestamp in UTC, date, time or binary;
    objects with `properties` are structs, arrays lists. Where any kind or several are let through, it is text, and
    other values are compact JSON. None where a schema names no column: then nothing is known of the rows.

    Raises:
        Refused: `SCHEMA`; one is no JSON Schema that rows can be put into columns by.
    """
    schemas = [_Reader(each).schema() for each in json_schemas]
    if not schemas or any(len(schema) == 0 for schema in schemas):
        return None
    if all(schema == schemas[0] for schema in schemas):
        return Declared(schemas[0])
    kinds = Kind()
    for schema in schemas:
        kinds.see_types(schema)
    return Declared(pa.schema(kinds.fields()))


def json_schema(schema: pa.Schema) -> dict[str, Any]:
    """The JSON Schema of columns as they are carried; `declared` gives back types that hold their values."""
    return {"type": "object", "properties": {field.name: _described(field.type) for field in schema}}


class _Reader:
    """Reads one JSON Schema, following its references."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def schema(self) -> pa.Schema:
        root = self._followed(self._document, "schema", 0)
        properties = self._mapping(root.get("properties", {}), "schema.properties")
        return pa.schema(
            [
                pa.field(name, self._kind(each, f"schema.properties.{named(name)}", 0))
                for name, each in properties.items()
            ]
        )

    def _kind(self, given: Any, path: str, depth: int) -> pa.DataType:
        if given is True:
            return pa.string()
        schema = self._followed(given, path, depth)
        for word in ("anyOf", "oneOf", "allOf"):
            if word in schema:
                return self._one_of(schema[word], f"{path}.{word}", depth)
        kinds = self._kinds(schema, path)
        kind = "number" if kinds == {"integer", "number"} else next(iter(kinds)) if len(kinds) == 1 else "any"
        if kind == "object":
            return self._object(schema, path, depth)
        if kind == "array":
            return pa.list_(self._items(schema, path, depth))
        return _SIMPLE[kind](schema, path)

    def _followed(self, given: Any, path: str, depth: int) -> _Schema:
        """A schema, or the one of this document that it refers to."""
        schema = self._mapping(given, path)
        for _ in range(DEEPEST - depth):
            reference = schema.get("$ref")
            if reference is None:
                return schema
            schema = self._mapping(self._referred(reference, path), path)
        raise _refused(path, f"refers to itself, or is nested more than {DEEPEST} deep")

    def _referred(self, reference: Any, path: str) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise _refused(f"{path}.$ref", "must refer to this schema itself, as `#/definitions/…`")
        found = self._document
        for segment in reference.removeprefix("#").split("/")[1:]:
            name = segment.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                raise _refused(f"{path}.$ref", f"refers to {named(reference)}, which is not there")
            found = found[name]
        return found

    def _one_of(self, options: Any, path: str, depth: int) -> pa.DataType:
        """The kind of all options but null; text where there are several."""
        if not isinstance(options, list) or not options:
            raise _refused(path, f"must be a list of schemas, not {documents.kind(options)}")
        kinds = [
            self._kind(each, f"{path}.{place}", depth + 1)
            for place, each in enumerate(options)
            if not (isinstance(each, Mapping) and each.get("type") in ("null", ["null"]))
        ]
        return kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else pa.string()

    def _kinds(self, schema: _Schema, path: str) -> set[str]:
        given = schema.get("type", [])
        names = given if isinstance(given, list) else [given]
        for name in names:
            if name not in _TYPES:
                shown = f"`{named(name)}`" if isinstance(name, str) else documents.kind(name)
                raise _refused(f"{path}.type", f"{shown} is no type; there are {', '.join(_TYPES)}")
        if not names:
            names = [kind for kind, word in (("object", "properties"), ("array", "items")) if word in schema]
        return set(names) - {"null"}

    def _object(self, schema: _Schema, path: str, depth: int) -> pa.DataType:
        members = self._mapping(schema.get("properties", {}), f"{path}.properties")
        fields = [
            (name, self._kind(each, f"{path}.{named(name)}", depth + 1)) for name, each in members.items()
        ]
        return pa.struct(fields) if fields else pa.string()

    def _items(self, schema: _Schema, path: str, depth: int) -> pa.DataType:
        items = schema.get("items", True)
        return pa.string() if isinstance(items, list) else self._kind(items, f"{path}.items", depth + 1)

    def _mapping(self, given: Any, path: str) -> _Schema:
        if not isinstance(given, Mapping):
            raise _refused(path, f"must be an object, not {documents.kind(given)}")
        return given


def _number(schema: _Schema, path: str) -> pa.DataType:
    if "precision" not in schema:
        return pa.float64()
    precision, scale = schema["precision"], schema.get("scale", 0)
    whole = type(precision) is int and type(scale) is int
    if not whole or not 0 <= scale <= precision or not 1 <= precision <= _DIGITS:
        raise _refused(path, f"`precision` must be from 1 to {_DIGITS}, and `scale` from 0 to `precision`")
    return _decimal(precision, scale)


def _decimal(precision: int, scale: int) -> pa.DataType:
    return pa.decimal128(precision, scale) if precision <= _DIGITS // 2 else pa.decimal256(precision, scale)


def _integer(schema: _Schema, _: str) -> pa.DataType:
    most, least = schema.get("maximum"), schema.get("minimum")
    beyond = type(most) is int and most > _INT64_MOST and type(least) is int and least >= 0
    return pa.uint64() if beyond else pa.int64()


def _text(schema: _Schema, _: str) -> pa.DataType:
    if schema.get("contentEncoding") == "base64":
        return pa.binary()
    given = schema.get("format")
    return _FORMATS.get(given, pa.string()) if isinstance(given, str) else pa.string()


_SIMPLE: dict[str, Callable[[_Schema, str], pa.DataType]] = {
    "any": lambda _schema, _path: pa.string(),
    "boolean": lambda _schema, _path: pa.bool_(),
    "integer": _integer,
    "number": _number,
    "string": _text,
}


def _refused(path: str, message: str) -> Refused:
    return Refused([Fault(code=Code.SCHEMA, path=path, message=message)])


def _described(given: pa.DataType) -> dict[str, Any]:
    """The JSON Schema of values of a type; those that are not named here are text."""
    for matches, describe in _DESCRIBED:
        if matches(given):
            kind, rest = describe(given)
            return {"type": ["null", kind], **rest}
    return {"type": ["null", "string"]}


_Description = tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], tuple[str, dict[str, Any]]]]
_DESCRIBED: list[_Description] = [
    (pa.types.is_boolean, lambda _: ("boolean", {})),
    (pa.types.is_uint64, lambda _: ("integer", {"minimum": 0, "maximum": _UINT64_MOST})),
    (pa.types.is_integer, lambda _: ("integer", {})),
    (pa.types.is_floating, lambda _: ("number", {})),
    (pa.types.is_decimal, lambda given: ("number", {"precision": given.precision, "scale": given.scale})),
    (pa.types.is_timestamp, lambda _: ("string", {"format": "date-time"})),
    (pa.types.is_date, lambda _: ("string", {"format": "date"})),
    (pa.types.is_time, lambda _: ("string", {"format": "time"})),
    (
        lambda given: (
            pa.types.is_binary(given)
            or pa.types.is_large_binary(given)
            or pa.types.is_fixed_size_binary(given)
        ),
        lambda _: ("string", {"contentEncoding": "base64"}),
    ),
    (
        pa.types.is_struct,
        lambda given: ("object", {"properties": {member.name: _described(member.type) for member in given}}),
    ),
    (pa.types.is_list, lambda given: ("array", {"items": _described(given.value_type)})),
    (pa.types.is_map, lambda _: ("object", {})),
]
