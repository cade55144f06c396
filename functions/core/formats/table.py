"""The formats there are: a format is one module and one row."""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol, cast

import msgspec

from functions.core.formats import (
    delimited_read,
    delimited_write,
    json_array,
    json_lines,
    parquet,
    tolerant_delimited,
    tolerant_json,
    tolerant_parquet,
)
from functions.core.formats.records import Records
from functions.core.formats.rows import MAX_RECORD_BYTES, Batch, Reading
from functions.core.formats.settings import Delimited, Parquet
from functions.core.formats.streams import Source
from functions.core.formats.surveys import ColumnNames, Survey
from functions.core.formats.tolerant import RecordBatch


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A format with its settings; `columns`, for `Format.records`, are names that stand in no header."""

    format: str
    delimited: Delimited = Delimited()
    parquet: Parquet = Parquet()
    columns: tuple[str, ...] | None = None
    max_record_bytes: int = MAX_RECORD_BYTES


class Encoder(Protocol):
    """Rows as text: `head`, the records, `tail`; a record begins with `lead`, but the first of a file."""

    head: bytes
    lead: bytes
    tail: bytes

    def encode(self, batch: Batch) -> Records:
        """One record for each row, in order."""
        ...


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """What a format is.

    `read` ends at the first row that cannot be read, `records` reads on past it. `uniform`: all rows of an input
    have the columns, and the kinds, that its first batch shows. `survey` is made anew for each output, and its
    result is what the writer is given. Text is written by `encoder`, which gives records that can be counted and
    parted; Parquet, where nothing can, by `parquet.ParquetWriter`.
    """

    extensions: tuple[str, ...]
    content_type: str
    read: Callable[[Source, Reading, Shape], Iterator[Batch]]
    records: Callable[[Source, Reading, Shape], Iterator[RecordBatch]]
    survey: Callable[[], Survey] = ColumnNames
    encoder: Callable[[Shape, Any], Encoder] | None = None
    delimiter: str | None = None
    delimited: bool = False
    compressible: bool = True
    splittable: bool = False
    uniform: bool = False
    shaped: bool = True


def _delimited(extension: str, content_type: str, delimiter: str | None) -> Format:
    return Format(
        extensions=(extension,),
        content_type=f"{content_type}; charset=utf-8",
        read=lambda stream, reading, shape: delimited_read.read(stream, reading, shape.delimited),
        records=lambda stream, reading, shape: tolerant_delimited.read(
            stream, reading, shape.delimited, shape.columns
        ),
        encoder=lambda shape, columns: delimited_write.DelimitedText(
            shape.delimited, columns, max_record_bytes=shape.max_record_bytes
        ),
        delimiter=delimiter,
        delimited=True,
        splittable=True,
        uniform=True,
    )


FORMATS: dict[str, Format] = {
    "csv": _delimited("csv", "text/csv", ","),
    "tsv": _delimited("tsv", "text/tab-separated-values", "\t"),
    "psv": _delimited("psv", "text/plain", "|"),
    "delimited": _delimited("txt", "text/plain", None),
    "json": Format(
        extensions=("json",),
        content_type="application/json",
        read=lambda stream, reading, _: json_array.read(stream, reading),
        records=lambda stream, reading, _: tolerant_json.read_array(stream, reading),
        encoder=lambda shape, _: json_array.JsonArray(max_record_bytes=shape.max_record_bytes),
        shaped=False,
    ),
    "ndjson": Format(
        extensions=("jsonl", "ndjson"),
        content_type="application/x-ndjson",
        read=lambda stream, reading, _: json_lines.read(stream, reading),
        records=lambda stream, reading, _: tolerant_json.read_lines(stream, reading),
        encoder=lambda shape, _: json_lines.JsonLines(max_record_bytes=shape.max_record_bytes),
        splittable=True,
        shaped=False,
    ),
    "parquet": Format(
        extensions=("parquet",),
        content_type="application/vnd.apache.parquet",
        read=lambda stream, reading, _: parquet.read(cast("BinaryIO", stream), reading),
        records=lambda stream, reading, _: tolerant_parquet.read(cast("BinaryIO", stream), reading),
        survey=parquet.Schema,
        compressible=False,
        uniform=True,
    ),
}

ALIASES = {"jsonl": "ndjson"}
"""Other names of formats."""

BY_EXTENSION = {extension: name for name, row in FORMATS.items() for extension in row.extensions}
"""The format of a file that is told by nothing but its name."""
