"""A converter as a document: everything that can be known of it before a record is there is checked here."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from functions.core import documents
from functions.core.compression import COMPRESSIONS
from functions.core.converter.compiler import Compiled
from functions.core.converter.nodes import Call, Node
from functions.core.converter.patterns import Pattern
from functions.core.converter.raw import text
from functions.core.converter.sources import Sources
from functions.core.documents import Field, wrong
from functions.core.errors import Fault, Refused
from functions.core.events.checks import INPUT_CHECKS
from functions.core.events.fields import BY_EVENT_TYPE, REQUIRED, DataType
from functions.core.files.settings import Input
from functions.core.formats.settings import parse_delimited

FUNCTIONS = "convertToAmplitudeFunc"
_FORMATS = {"json": "ndjson", "csv": "csv", "parquet": "parquet"}
"""File types, and the formats that they are: a JSON file holds an object a line."""


class Converter(msgspec.Struct, frozen=True, kw_only=True):
    """A checked converter; `parse_converter` makes it.

    `input` says how its files are read; `columns`, if any, are the names of a delimited file's columns, which
    then has no header. `outputs` are the fields that it gives values to.
    """

    name: str | None
    input: Input
    columns: tuple[str, ...] | None
    outputs: tuple[str, ...]
    key_pattern: Pattern | None
    compiled: Compiled

    def takes(self, key: str, prefix: str) -> bool:
        """Whether an object below the prefix is one of its files."""
        return key.startswith(prefix) and (
            self.key_pattern is None or self.key_pattern.matches_key(key, prefix)
        )


def parse_converter(document: Any, data_type: DataType = DataType.EVENT) -> Converter:
    """The converter that a document is, for rows of a data type.

    Raises:
        Refused: Every fault, each with its path.
    """
    values, faults = documents.collect(document, _DOCUMENT)
    read = _Config(data_type)
    settings = read.settings(values["converterConfig"]) if "converterConfig" in values else {}
    faults += [msgspec.structs.replace(each, path=f"converterConfig.{each.path}") for each in read.faults]
    if faults:
        raise Refused(faults)
    names = values["config_name"]
    validator = values["keyValidatorConfig"] or {}
    return Converter(name=names[0] if names else None, key_pattern=validator.get("filterPattern"), **settings)


class _Config:
    """Reads `converterConfig`; `faults` have paths from there."""

    def __init__(self, data_type: DataType) -> None:
        self.faults: list[Fault] = []
        self._data_type = data_type
        self._sources = Sources()

    def settings(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """What a `Converter` is made of, as far as it is in order."""
        values, self.faults = documents.collect(config, _CONFIG)
        reading = self._reading(values)
        functions, flag = values.get(FUNCTIONS) or {}, values.get("ignoreEventFlag")
        nodes = {
            field: self._sources.read(source, f"{FUNCTIONS}.{field}") for field, source in functions.items()
        }
        self.faults += self._sources.faults
        if FUNCTIONS in values:
            self.faults += [*self._ignored(nodes, flag), *self._missing(nodes)]
        sound = {field: node for field, node in nodes.items() if node is not None}
        flagged = sound.get(flag) if flag is not None else None
        if flag not in INPUT_CHECKS:
            sound.pop(flag, None)
        if self.faults:
            return {}
        return reading | {"outputs": tuple(sound), "compiled": Compiled(sound, flagged, INPUT_CHECKS)}

    def _reading(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """How its files are read."""
        kind, compression = values.get("fileType"), values.get("compressionType") or "none"
        delimited = values.get("csvConfig")
        columns = None
        if kind == "parquet" and compression != "none":
            message = "does not apply to parquet, which is compressed within"
            self.faults += documents.below("compressionType", wrong(message, "say none, or leave it out"))
        if delimited is not None and kind in {"json", "parquet"}:
            self.faults += documents.below("csvConfig", wrong(f"does not apply to {kind}", "leave it out"))
        elif delimited is not None:
            try:
                delimited, columns = _delimited(delimited)
            except Refused as refused:
                self.faults += documents.below("csvConfig", refused)
        told = Input(format=_FORMATS.get(kind or ""), compression=compression, delimited=delimited or {})
        return {"input": told, "columns": columns}

    def _ignored(self, nodes: Mapping[str, Node | None], flag: str | None) -> Iterator[Fault]:
        """The outputs that nobody would read."""
        for field in nodes:
            if field in INPUT_CHECKS or field == flag:
                continue
            near = difflib.get_close_matches(field, INPUT_CHECKS, n=1)
            below = "put it under event_properties or user_properties"
            cure = f"did you mean `{near[0]}`?" if near else below
            yield from documents.below(
                f"{FUNCTIONS}.{field}", wrong("is ignored: events have no such field", cure)
            )
        if flag is not None and flag not in nodes:
            message = f"names `{flag}`, which is no field of the output"
            yield from documents.below("ignoreEventFlag", wrong(message, f"give it a SOURCE in {FUNCTIONS}"))

    def _missing(self, nodes: Mapping[str, Node | None]) -> Iterator[Fault]:
        """The fields that rows of the data type need, and never would have."""
        for required in REQUIRED[self._row_type(nodes)]:
            if not nodes.keys() & set(required.fields):
                first, *others = required.fields
                cure = f"or give {', '.join(f'`{other}`' for other in others)}" if others else ""
                what = f"is missing: rows of the data type {self._data_type} need it"
                yield from documents.below(f"{FUNCTIONS}.{first}", wrong(what, cure))

    def _row_type(self, nodes: Mapping[str, Node | None]) -> DataType:
        """A literal event type can make all rows those of another data type."""
        given = nodes.get("event_type")
        literal = given.arguments[0] if isinstance(given, Call) and given.name == "value" else None
        if self._data_type is DataType.EVENT and isinstance(literal, str):
            return BY_EVENT_TYPE.get(literal, DataType.EVENT)
        return self._data_type


def _delimited(value: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    """The settings of delimited text, and the columns that they name."""
    given = {name: each for name, each in value.items() if name != "columns"}
    faults: list[Fault] = []
    columns = None
    try:
        columns = None if value.get("columns") is None else _columns(value["columns"])
        if columns is not None:
            given.setdefault("header", False)
    except Refused as refused:
        faults += documents.below("columns", refused)
    try:
        read = parse_delimited(given, delimiter=",", reading=True)
        if columns is not None and read.header:
            faults += documents.below("columns", wrong("names what the header names", "say `header: false`"))
    except Refused as refused:
        faults += refused.faults
    if faults:
        raise Refused(faults)
    return given, columns


def _columns(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise wrong("must be a list of names")
    names = tuple(text(name) for name in value)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise wrong(f"there are two columns `{twice}`")
    return names


def _names(value: Any) -> list[str]:
    return [text(name) for name in (value if isinstance(value, list) else [value])]


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(f"must be an object, not {documents.kind(value)}")
    # YAML reads the name of one setting as a value, and others as numbers.
    return {"null" if name is None else str(name): each for name, each in value.items()}


def _functions(value: Any) -> dict[str, Any]:
    functions = _mapping(value)
    if not functions:
        raise wrong("has no field")
    return functions


def _validator(value: Any) -> dict[str, Any]:
    return documents.read(value, {"filterPattern": Field(Pattern.parse)})


_CONFIG = {
    "fileType": Field(documents.one_of(*_FORMATS, fold=str.lower), required=True),
    "compressionType": Field(documents.one_of(*COMPRESSIONS, fold=str.lower), default="none"),
    "ignoreEventFlag": Field(text),
    "csvConfig": Field(_mapping),
    FUNCTIONS: Field(_functions, required=True),
}
_DOCUMENT = {
    "config_name": Field(_names),
    "converterConfig": Field(_mapping, required=True),
    "keyValidatorConfig": Field(_validator),
}
