"""`sluice converter`: converters, checked and run without AWS."""

import json
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cli.apps import group
from cli.documents import read_document, read_text
from cli.run import Run, command
from functions.core.compression import COMPRESSIONS
from functions.core.converter.definition import Converter, parse_converter
from functions.core.converter.rows import Passed, Reject, Rows
from functions.core.converter.source_record import SourceRecord, Unreadable
from functions.core.converter.source_records import source_records
from functions.core.errors import Code, Fault, Refused
from functions.core.events.fields import DataType
from functions.core.events.rules import Rules
from functions.core.files.inputs import DataFile, told_by
from functions.core.files.settings import Input
from functions.core.formats.rows import MAX_RECORD_BYTES
from functions.core.formats.table import FORMATS

app = group("Converters, checked and run without AWS.")

_LINES = {"json": "ndjson", "jsonl": "ndjson"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")

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
    source = _source(given, _told(converter, given, format_name, compression))
    # As rules, those of an append: what a mirror would drop is shown as a reject.
    rows = Rows(converter, Rules(data_type, "append"))
    if _converted(rows, source, converter.columns):
        raise typer.Exit(1)


def _converted(rows: Rows, source: DataFile, columns: tuple[str, ...] | None) -> int:
    """Print what all records become; how many are rejects."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    rejects = 0
    for record in source_records(source, columns):
        if isinstance(record, Unreadable):
            rejects += _reject(record.line, Reject(record.reason), shown(record))
            continue
        row = rows.row(record.values, now)
        if isinstance(row, Reject):
            rejects += _reject(record.line, row, shown(record))
        elif not isinstance(row, Passed):
            sys.stdout.buffer.write(_ENCODER.encode(row) + b"\n")
    sys.stdout.buffer.flush()
    return rejects


def _reject(line: int, reject: Reject, record: Any) -> int:
    shown = {"line": line, "field": reject.field, "operator": reject.operator, "reason": reject.reason}
    sys.stderr.buffer.write(_ENCODER.encode(shown | {"record": record}) + b"\n")
    sys.stderr.buffer.flush()
    return 1


def shown(record: SourceRecord | Unreadable) -> Any:
    """The values of a record, or where there are none, or they cannot be written, the text that they came from."""
    if isinstance(record, SourceRecord):
        with suppress(ValueError, RecursionError):
            return msgspec.Raw(_ENCODER.encode(record.values))
    return record.text.decode("utf-8", "replace") if isinstance(record.text, bytes) else record.text


def _told(converter: Converter, name: str, format_name: str | None, compression: str | None) -> Input:
    """How a file is read: as the options say, else its name (of what it is compressed by), else the converter."""
    by_name = told_by(name)
    chosen = _LINES.get(format_name or "", format_name) or converter.input.format or "ndjson"
    by_converter = "none" if by_name.format else converter.input.compression
    delimited = converter.input.delimited if FORMATS[chosen].delimited else {}
    return Input(
        format=chosen, compression=compression or by_name.compression or by_converter, delimited=delimited
    )


def _source(name: str, told: Input) -> DataFile:
    try:
        Path(name).open("rb").close()
    except OSError as error:
        raise _missing(name, str(error.strerror)) from None
    except ValueError:
        raise _missing(ascii(name), "no file can be called so") from None
    return DataFile(
        name=name, open=lambda: Path(name).open("rb"), told=told, max_record_bytes=MAX_RECORD_BYTES
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


def _missing(name: str, why: str) -> Refused:
    return Refused([Fault(code=Code.MISSING_FILE, path=name, message=why)])
