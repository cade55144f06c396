"""`sluice records`: a local file as one run of a stream."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from cli.local_files import data_file, with_lines
from cli.run import Run, command, faults_of
from cli.stream_runs import (
    Connection,
    Cursor,
    Destination,
    StartedAt,
    check_destination,
    connection_run,
    named,
)
from functions.core.compression import COMPRESSIONS
from functions.core.errors import Code, Fault, SluiceError
from functions.core.files.inputs import DataFile, told_by
from functions.core.files.settings import Input
from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.declared import json_schema
from functions.core.formats.faults import broken
from functions.core.formats.json_lines import JsonLines
from functions.core.formats.rows import MAX_RECORD_BYTES, Batch
from functions.core.formats.table import ALIASES, FORMATS
from functions.core.record_batches import Flush, RecordBatches
from functions.core.records import Queue

_FORMATS = [name for name in (*FORMATS, *ALIASES) if name != "delimited"]
"""Delimited text by any other character cannot be told here: its settings would have to be."""

_SENT_HERE = "send smaller records: no message, and no function, takes a larger one"


def add_to(app: typer.Typer) -> None:
    """Make `records` a command of this application."""

    @command(app, example="sluice records orders.csv --destination acme --stream orders", aws=True)
    def records(
        run: Run,
        file: Annotated[
            str, typer.Argument(metavar="FILE", help="CSV, NDJSON, Parquet, ….", show_default=False)
        ],
        *,
        destination: Destination,
        stream: Annotated[str, typer.Option(metavar="NAME", help="What the rows are.", show_default=False)],
        connection: Connection = "records",
        run_id: Annotated[
            str | None,
            typer.Option("--run", metavar="ID", help="The run, with others of its streams; else a new UUID."),
        ] = None,
        cursor: Cursor = None,
        started_at: StartedAt = None,
        format_name: Annotated[
            str | None,
            typer.Option("--format", metavar="F", help=f"{', '.join(_FORMATS)}; else the name tells it."),
        ] = None,
        compression: Annotated[
            str | None,
            typer.Option(metavar="C", help=f"{', '.join(COMPRESSIONS)}; else the name tells it."),
        ] = None,
    ) -> None:
        """Send the rows of a file as one run of a stream.

        CSV declares its columns as text, Parquet its own types, NDJSON nothing. The same file under the same --run
        and --started-at is the same run: nothing is doubled. A file that is at fault leaves a run without an end,
        whose rows wait: send the mended file as a new run.
        """
        told = Input(
            format=_one_of("--format", format_name, _FORMATS),
            compression=_one_of("--compression", compression, list(COMPRESSIONS)),
        )
        given = connection_run(
            destination=destination,
            connection=connection,
            given=run_id,
            started_at=started_at,
            cursor=cursor,
        )
        batches = RecordBatches(given.stream_run(named(stream, "--stream")))
        check_destination(run.deployment, destination)
        run.tell(f"run {batches.run.stream_run_id}; the same again: {given.again('--run')}")
        _send(run, file, told, batches)


def _send(run: Run, file: str, told: Input, batches: RecordBatches) -> None:
    result: dict[str, Any] = {
        "stream_run_id": batches.run.stream_run_id,
        "connection_run_id": batches.run.connection_run_id,
        "started_at": batches.run.started_at,
        "rows": 0,
        "messages": 0,
    }
    try:
        flushes = _flushes(_input(file, told), batches)
        for flush in run.deployment.sender(Queue.RECORDS).flow(flushes):
            result["rows"] = flush.rows
            result["messages"] += len(flush.messages)
            run.progress(f"{flush.rows} rows")
    except SluiceError as error:
        run.progress("")
        run.tell(f"the queue has {result['rows']} row(s), and no end of their run")
        raise run.fail(with_lines(run, map(_cured, faults_of(error))), result) from None
    run.progress("")
    destination, rows, messages = batches.run.destination_id, result["rows"], result["messages"]
    run.result(result, f"{rows} row(s) in {messages} message(s) sent to {destination}")


def _input(file: str, told: Input) -> DataFile:
    by_name = told_by(file)
    archive = COMPRESSIONS[told.compression or by_name.compression or "none"].archive
    if told.format is None and by_name.format in {None, "delimited"} and not archive:
        raise broken(file, "its name does not tell its format", cure=f"--format {'|'.join(_FORMATS)}")
    format_name = ALIASES.get(told.format, told.format) if told.format else None
    return data_file(file, msgspec.structs.replace(told, format=format_name), MAX_RECORD_BYTES)


def _flushes(file: DataFile, batches: RecordBatches) -> Iterator[Flush]:
    """The messages of a file; how its bytes come, and how fast, changes none of them."""
    objects = JsonLines(max_record_bytes=MAX_RECORD_BYTES)
    declared: dict[str, Any] = {}
    for table in file.tables():
        for batch in table.batches:
            if left := batches.describe(_schema(batch, declared)):
                yield Flush(messages=left, rows=batches.rows)
            for record in bytes(objects.encode(batch).data).splitlines():
                if not batches.takes(record):
                    yield Flush(messages=batches.flush(), rows=batches.rows)
                batches.add(record)
    yield Flush(messages=[*batches.flush(), batches.end()], rows=batches.rows)


def _schema(batch: Batch, declared: dict[str, Any]) -> bytes | None:
    """JSON Schema of the columns of a batch and of those that were `declared` before it, which are kept there."""
    if isinstance(batch, ColumnBatch):
        declared |= json_schema(batch.table.schema)["properties"]
    elif batch.columns is not None:
        declared |= {name: {"type": ["null", "string"]} for name in batch.columns}
    else:
        return None
    return msgspec.json.encode({"type": "object", "properties": declared})


def _cured(fault: Fault) -> Fault:
    """The fault as it is cured here, where nobody can raise the limit."""
    return msgspec.structs.replace(fault, cure=_SENT_HERE) if fault.code is Code.TOO_LARGE else fault


def _one_of(option: str, given: str | None, names: list[str]) -> str | None:
    if given is not None and given not in names:
        raise typer.BadParameter(f"{option} is one of {', '.join(names)}, not {given!r}")
    return given
