"""`sluice converter`: converters, checked and run without AWS."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from cli.apps import group
from cli.documents import read_document, read_text
from cli.file_records import ENCODER, FileRecord, become, file_records
from cli.local_files import data_file
from cli.run import Run, command
from functions.core.compression import COMPRESSIONS
from functions.core.converter.definition import Converter, parse_converter
from functions.core.converter.rows import Passed, Reject, Rows
from functions.core.errors import Fault, Refused
from functions.core.events.fields import DataType
from functions.core.events.rules import Rules
from functions.core.files.inputs import DataFile, told_by
from functions.core.files.settings import Input
from functions.core.formats.rows import MAX_RECORD_BYTES
from functions.core.formats.table import FORMATS

app = group("Converters, checked and run without AWS.")

_LINES = {"json": "ndjson", "jsonl": "ndjson"}

File = Annotated[str, typer.Argument(metavar="FILE", help="The converter, JSON or YAML.", show_default=False)]
Type = Annotated[DataType, typer.Option(metavar="T", help=f"What the rows are: {', '.join(DataType)}.")]


@command(app, example="sluice converter check viewing.converter.json")
def check(run: Run, file: File, *, data_type: Type = DataType.EVENT) -> None:
    """All faults of a converter at once, each with its path."""
    converter = read_converter(run, file, data_type)
    run.result({"outputs": converter.outputs}, "in order")


@command(app, name="run", example="sluice converter run viewing.converter.json --input viewing.jsonl")
def convert(
    run: Run,
    file: File,
    *,
    given: Annotated[
        str, typer.Option("--input", metavar="FILE", help="A file of records.", show_default=False)
    ],
    format_name: Annotated[
        str | None,
        typer.Option("--format", metavar="F", help=f"{', '.join(FORMATS)}; json is an object a line."),
    ] = None,
    compression: Annotated[
        str | None, typer.Option("--compression", metavar="C", help=f"{', '.join(COMPRESSIONS)}.")
    ] = None,
    data_type: Type = DataType.EVENT,
) -> None:
    """What each record of a file becomes: output objects as NDJSON on standard output, in order.

    Rejects are NDJSON on standard error. What the converter and the file's name do not tell, the options do.
    """
    if format_name is not None and format_name not in {*FORMATS, *_LINES}:
        raise typer.BadParameter(f"--format is one of {', '.join(FORMATS)}, not {format_name}")
    if compression is not None and compression not in COMPRESSIONS:
        raise typer.BadParameter(f"--compression is one of {', '.join(COMPRESSIONS)}, not {compression}")
    converter = read_converter(run, file, data_type)
    told = _told(converter, given, format_name, compression)
    source = data_file(given, told, MAX_RECORD_BYTES, converter.columns)
    # As rules, those of an append: what a mirror would drop is shown as a reject.
    rows = Rows(converter, Rules(data_type, "append"))
    if _converted(rows, source):
        raise typer.Exit(1)


def _converted(rows: Rows, source: DataFile) -> int:
    """Print what all records become; how many are rejects."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    rejects = 0
    for record in file_records(source):
        row = become(record, rows, now)
        if isinstance(row, Reject):
            _reject(record, row)
            rejects += 1
        elif not isinstance(row, Passed):
            sys.stdout.buffer.write(ENCODER.encode(row) + b"\n")
    sys.stdout.buffer.flush()
    return rejects


def _reject(record: FileRecord, reject: Reject) -> None:
    told = {"line": record.line, "field": reject.field, "operator": reject.operator, "reason": reject.reason}
    sys.stderr.buffer.write(ENCODER.encode(told | {"record": record.shown}) + b"\n")
    sys.stderr.buffer.flush()


def _told(converter: Converter, name: str, format_name: str | None, compression: str | None) -> Input:
    """How a file is read: as the options say, else its name (of what it is compressed by), else the converter."""
    by_name = told_by(name)
    chosen = _LINES.get(format_name or "", format_name) or converter.input.format or "ndjson"
    by_converter = "none" if by_name.format else converter.input.compression
    delimited = converter.input.delimited if FORMATS[chosen].delimited else {}
    return Input(
        format=chosen, compression=compression or by_name.compression or by_converter, delimited=delimited
    )


def read_converter(run: Run, file: str, data_type: DataType) -> Converter:
    """The converter in a file.

    Raises:
        Refused: All its faults, each with its line; for a person the line stands in the path.
    """
    document = _json(file)
    try:
        return read_document(
            file, lambda read: parse_converter(read if document is None else document, data_type)
        )
    except Refused as refused:
        if run.as_json:
            raise
        raise Refused([_in_file(file, fault) for fault in refused.faults]) from None


def _json(file: str) -> Any:
    """What a file of JSON holds; None for YAML, which reads `1e5` and pairs of surrogates otherwise."""
    if file == "-":
        return None
    try:
        return json.loads(read_text(file))
    except (ValueError, RecursionError):
        return None


def _in_file(file: str, fault: Fault) -> Fault:
    if fault.path == file or fault.line is None:
        return fault
    where = f"{file}:{fault.line}"
    return msgspec.structs.replace(fault, path=f"{where}: {fault.path}" if fault.path else where)
