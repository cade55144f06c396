"""File settings: what streams, datasets and `sluice convert` say about the files that they write."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import msgspec

from functions.core import documents
from functions.core.compression import COMPRESSIONS
from functions.core.documents import Field, wrong
from functions.core.encryption import PublicKey
from functions.core.errors import Fault, Refused
from functions.core.formats.settings import Delimited, Parquet, parse_delimited, parse_parquet
from functions.core.formats.table import ALIASES, FORMATS, Format, Shape
from functions.core.templates.file_names import SPLIT_NAME, FileNameTemplate

MEGABYTE = 1_000_000
_ROWS = (50_000, 10_000_000)
_MEGABYTES = (1, 2_000)


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Where one file ends and the next begins: after `rows`, or before it has more than `megabytes`."""

    rows: int | None = None
    megabytes: int | None = None
    file_name: FileNameTemplate | None = None
    folder: FileNameTemplate | None = None


class FileSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Checked settings; `columns` maps each column of the files, in order, to the one that it comes from."""

    shape: Shape
    compression: str = "none"
    split: Split | None = None
    columns: Mapping[str, str] | None = None
    key: PublicKey | None = None
    success_file: bool = False
    manifest: bool = False
    content_encoding: bool = False

    def limited(self, max_record_bytes: int) -> Self:
        """The same settings with another limit for records."""
        shape = msgspec.structs.replace(self.shape, max_record_bytes=max_record_bytes)
        return msgspec.structs.replace(self, shape=shape)

    @property
    def format(self) -> Format:
        """The row of the table of formats."""
        return FORMATS[self.shape.format]

    @property
    def archive(self) -> bool:
        """Whether all files become members of one."""
        return COMPRESSIONS[self.compression].archive

    @property
    def extension(self) -> str:
        """What a name ends with that says all: `csv.gz`, `jsonl`, `parquet`; without `.pgp`."""
        outer = COMPRESSIONS[self.compression].extension
        return f"{self.format.extensions[0]}.{outer}" if outer else self.format.extensions[0]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What is told about inputs; what is not is told by their names."""

    format: str | None = None
    compression: str | None = None
    delimited: Mapping[str, Any] = {}

    def reading(self, name: str) -> Shape:
        """How a file of this format is read.

        Raises:
            Refused: The format needs a delimiter, and none is given.
        """
        given = parse_delimited(self.delimited, delimiter=FORMATS[name].delimiter or ",", reading=True)
        if name == "delimited" and "delimiter" not in self.delimited:
            raise Refused(documents.below("input.delimited.delimiter", wrong("is missing")))
        return Shape(format=name, delimited=given)


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of `sluice convert`."""

    files: FileSettings
    file_name: FileNameTemplate | None = None
    input: Input = Input()


def parse_conversion(document: Any) -> Conversion:
    """The settings that a document of `sluice convert` gives.

    Raises:
        Refused: Every fault of the document, each with its path.
    """
    own = {"file_name": Field(_file_name), "input": Field(_input, default=Input())}
    values, faults = documents.collect(document, {**FILE_FIELDS, **own})
    settings, more = file_settings(values)
    if faults or more:
        raise Refused([*faults, *more])
    return Conversion(files=settings, file_name=values["file_name"], input=values["input"])


def file_settings(values: Mapping[str, Any]) -> tuple[FileSettings, list[Fault]]:
    """The settings that the values of `FILE_FIELDS` give, and the faults that lie between them."""
    name = values.get("format", "csv")
    faults = [fault for fault in _across(values) if "format" in values]
    shape = Shape(format=name)
    for part, parse in _PARTS.items():
        if faults or part not in values:
            continue
        try:
            shape = msgspec.structs.replace(shape, **{part: parse(values[part], FORMATS[name])})
        except Refused as refused:
            faults += documents.below(part, refused)
    simple = ("compression", "split", "columns", "success_file", "manifest", "content_encoding")
    given = {each: values[each] for each in simple if each in values}
    return FileSettings(shape=shape, key=values.get("pgp_public_key"), **given), faults


def _delimited(value: Mapping[str, Any], row: Format) -> Delimited:
    if not row.delimited:
        return Delimited()
    return parse_delimited(value, delimiter=row.delimiter, reading=False)


def _parquet(value: Mapping[str, Any], _: Format) -> Parquet:
    return parse_parquet(value)


_PARTS: dict[str, Callable[[Mapping[str, Any], Format], Any]] = {"delimited": _delimited, "parquet": _parquet}


def _across(values: Mapping[str, Any]) -> Iterator[Fault]:
    """The settings that do not go with the format, or with one another."""
    name = values.get("format", "csv")
    row, compression = FORMATS[name], values.get("compression", "none")
    for part, applies in (("delimited", row.delimited), ("parquet", name == "parquet")):
        for setting in values.get(part) or () if not applies else ():
            yield from _fault(f"{part}.{setting}", f"does not apply to {name}", "leave it out")
    if compression != "none" and not row.compressible:
        message = f"{compression} does not apply to {name}, which is compressed within"
        yield from _fault("compression", message, "leave it out, and choose `parquet.codec`")
    if values.get("split") and not row.splittable:
        yield from _fault("split", f"does not apply to {name}; delimited text and ndjson can be split")
    if values.get("content_encoding") and (compression != "gzip" or values.get("pgp_public_key")):
        yield from _fault("content_encoding", "goes with `compression: gzip` alone, and without encryption")


def _fault(path: str, message: str, cure: str = "") -> Iterator[Fault]:
    return documents.below(path, wrong(message, cure))


def _format(value: Any) -> str:
    name = documents.one_of(*FORMATS, *ALIASES)(value)
    return ALIASES.get(name, name)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise wrong(f"must be a mapping of fields, not {documents.kind(value)}")
    # YAML reads the name of one setting as a value.
    return {"null" if name is None else name: each for name, each in value.items()}


def _split(value: Any) -> Split:
    split = Split(**documents.read(value, _SPLIT))
    if (split.rows is None) == (split.megabytes is None):
        raise wrong("must say either `rows` or `megabytes`")
    given = [each for each in (split.folder, split.file_name) if each]
    if split.file_name and not any(SPLIT_NAME in template.tokens for template in given):
        message = "gives every file the same name"
        raise Refused(documents.below("file_name", wrong(message, "put {{file_number}} into it")))
    return split


def _template(*, split: bool) -> Callable[[Any], FileNameTemplate]:
    def check(value: Any) -> FileNameTemplate:
        return FileNameTemplate.parse(documents.text(r"(?s).*", "a template")(value), split=split)

    return check


_file_name = _template(split=False)


def _columns(value: Any) -> dict[str, str]:
    if not isinstance(value, list) or not value:
        raise wrong("must be a list of columns, each `{name, as}`")
    columns: dict[str, str] = {}
    faults: list[Fault] = []
    for place, each in enumerate(value):
        try:
            given = documents.read(each, _COLUMN)
            name = given["as"] if given["as"] is not None else given["name"]
            if name in columns:
                raise wrong(f"there are two columns `{name}`", "name one of them otherwise, by `as`")
            columns[name] = given["name"]
        except Refused as refused:
            faults += documents.below(str(place), refused)
    if faults:
        raise Refused(faults)
    return columns


def _input(value: Any) -> Input:
    given = documents.read(value, _INPUT)
    name = given["format"]
    if name and given["delimited"] and not FORMATS[name].delimited:
        raise Refused(documents.below("delimited", wrong(f"does not apply to {name}", "leave it out")))
    if name and given["compression"] not in {None, "none"} and not FORMATS[name].compressible:
        raise Refused(documents.below("compression", wrong(f"does not apply to {name}", "leave it out")))
    told = Input(**given)
    if told.delimited or name == "delimited":
        own = FORMATS[name].delimiter if name else ","
        try:
            parse_delimited(told.delimited, delimiter=own, reading=True)
        except Refused as refused:
            raise Refused(documents.below("delimited", refused)) from None
    return told


_NAME = documents.text(r"(?s).+", "a column's name")
_COLUMN = {"name": Field(_NAME, required=True), "as": Field(_NAME)}
_SPLIT = {
    "rows": Field(documents.whole(*_ROWS)),
    "megabytes": Field(documents.whole(*_MEGABYTES)),
    "file_name": Field(_template(split=True)),
    "folder": Field(_template(split=True)),
}
_INPUT = {
    "format": Field(_format),
    "compression": Field(documents.one_of(*COMPRESSIONS)),
    "delimited": Field(_mapping, default={}),
}
FILE_FIELDS: dict[str, Field] = {
    "format": Field(_format, required=True),
    "compression": Field(documents.one_of(*COMPRESSIONS), default="none"),
    "delimited": Field(_mapping, default={}),
    "parquet": Field(_mapping, default={}),
    "split": Field(_split),
    "columns": Field(_columns),
    "pgp_public_key": Field(PublicKey.parse),
    "success_file": Field(documents.boolean, default=False),
    "manifest": Field(documents.boolean, default=False),
    "content_encoding": Field(documents.boolean, default=False),
}
"""The fields that definitions of streams and datasets, and the settings of `convert`, have in common."""
