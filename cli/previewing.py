"""What an import would make of a file: some of its records, from its beginning to its end, and what they become."""

import json
import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from cli.converter import read_converter
from cli.documents import read_document
from cli.file_records import ENCODER, FileRecord, become
from cli.local_files import data_file, with_lines
from cli.run import Run
from functions.adapters.clients import translated
from functions.adapters.definitions import Stored
from functions.core.converter.definition import FUNCTIONS, Converter
from functions.core.converter.rows import Passed, Reject, Rows
from functions.core.errors import Code, Fault, Refused
from functions.core.events.fields import DataType
from functions.core.events.rules import Rules
from functions.core.formats.rows import MAX_RECORD_BYTES
from functions.core.formats.tolerant import RecordBatch, Unread
from functions.core.spreading import Picked, Spread

_RECORDS = 10
_S3 = "s3://"
_MOST = 2_000
"""Characters of a record that a person is shown."""


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How records are converted.

    The converter stands in a `file`, or below a `path` in the definition of a source.
    """

    converter: Converter
    rules: Rules
    file: str | None = None
    path: str = ""

    def place(self, reject: Reject) -> str:
        """Where in the converter a record is refused."""
        if reject.path is None and reject.field not in self.converter.outputs:
            return f"{self.path}converterConfig.{FUNCTIONS}"
        return f"{self.path}converterConfig.{reject.path or f'{FUNCTIONS}.{reject.field}'}"


class Previewed(msgspec.Struct, frozen=True, kw_only=True):
    """A record, and what it becomes: a row, or why it is none."""

    number: int
    record: FileRecord
    becomes: dict[str, Any] | Reject | Passed
    fault: Fault | None = None

    @property
    def value(self) -> dict[str, Any]:
        """As JSON has it, for which numbers of more digits than a double has are rounded."""
        value = {"number": self.number, "line": self.record.line, "record": _plain(self.record.shown)}
        if isinstance(self.becomes, Passed):
            return value | {"passed": self.becomes.reason}
        if isinstance(self.becomes, dict):
            return value | {"becomes": _plain(self.becomes)}
        reject, at = self.becomes, self.fault
        place = {"path": at.path if at else "", "line": at.line if at else None}
        refused = {"field": reject.field, "operator": reject.operator, "reason": reject.reason}
        return value | {"refused": refused | place}

    @property
    def lines(self) -> str:
        """For a person: the record above what it becomes."""
        value = self.value
        if isinstance(self.becomes, Reject):
            end = f"refused  {_why(self.becomes)}"
        elif "passed" in value:
            end = f"passed   {value['passed']}"
        else:
            end = f"becomes  {_short(value['becomes'])}"
        return f"record {self.number}, line {value['line']}\n  from     {_short(value['record'])}\n  {end}"


def by_converter(run: Run, file: str, data_type: DataType) -> How:
    """As the converter in a file says, for rows that are appended.

    Raises:
        Refused: All its faults.
    """
    return How(converter=read_converter(run, file, data_type), rules=Rules(data_type, "append"), file=file)


def by_source(stored: Stored) -> How:
    """As a source would."""
    source = stored.source()
    rules = Rules(source.data_type, source.strategy.value, min_id_length=source.min_id_length)
    return How(converter=source.converter, rules=rules, path="converter.")


def show(run: Run, how: How, given: str) -> None:
    """Show what becomes of some records of a file, the first, the last, and others between.

    Raises:
        typer.Exit: One of them is refused, or the file cannot be read to its end.
        Refused: It cannot be opened.
    """
    spread = Spread[RecordBatch](_RECORDS)
    damage: tuple[Fault, ...] = ()
    with _local(run, given) as name:
        file = data_file(name, how.converter.input, MAX_RECORD_BYTES, how.converter.columns)
        try:
            for batch in file.records():
                for place in range(len(batch)):
                    spread.add(batch.cut(place, place + 1))
        except Refused as refused:
            damage = refused.faults
    previewed = _previewed(how, spread.picked(), name=given)
    if not run.as_json:
        for each in previewed:
            run.row(None, each.lines)
    own = [each.fault for each in previewed if each.fault]
    placed = [with_lines(run, [each], how.file if each.path != given else None)[0] for each in own]
    faults = [*placed, *with_lines(run, damage)]
    result = {"records": spread.total, "picked": [each.value for each in previewed]}
    if faults:
        raise run.fail(faults, result)
    run.result(result, f"{len(previewed)} of {spread.total:,} records, none of them refused")


def _previewed(how: How, picked: list[Picked[RecordBatch]], *, name: str) -> list[Previewed]:
    rows, now = Rows(how.converter, how.rules), int(time.time() * 1000)
    previewed = []
    for each in picked:
        record = FileRecord.only(each.item)
        becomes, fault = become(record, rows, now), None
        if isinstance(becomes, Reject) and isinstance(record.values, Unread):
            fault = Fault(code=Code.BAD_FILE, path=name, line=record.line, message=becomes.reason)
        elif isinstance(becomes, Reject):
            fault = _fault(how, becomes, number=each.number)
        previewed.append(Previewed(number=each.number, record=record, becomes=becomes, fault=fault))
    return previewed


def _fault(how: How, reject: Reject, *, number: int) -> Fault:
    """A record's refusal, at its place in the converter; with the line, where the converter is a file."""
    message = f"record {number}: {_why(reject)}"
    fault = Fault(code=Code.BAD_FILE, path=how.place(reject), message=message)
    if how.file is None:
        return fault

    def refuse(_: Any) -> None:
        raise Refused([fault])

    try:
        read_document(how.file, refuse)
    except Refused as placed:
        return placed.faults[0]
    return fault


@contextmanager
def _local(run: Run, given: str) -> Iterator[str]:
    """The name of a local file: what is given, or a copy of an object, read with the operator's own credentials."""
    if not given.startswith(_S3):
        yield given
        return
    bucket, _, key = given.removeprefix(_S3).partition("/")
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        path = Path(folder, "input")
        with translated(f"reading {given}", otherwise=Code.MISSING_FILE):
            run.deployment.clients.get("s3").download_file(bucket, key, str(path))
        yield str(path)


def _why(reject: Reject) -> str:
    operator = f"; its value is lost in `{reject.operator}`" if reject.operator else ""
    return f"{reject.field}: {reject.reason}{operator}" if reject.field else reject.reason


def _plain(value: Any) -> Any:
    return json.loads(ENCODER.encode(value), parse_float=_double)


def _double(digits: str) -> float | str:
    """A number as a double; where none holds it, as it is written."""
    double = float(digits)
    return double if math.isfinite(double) else digits


def _short(value: Any) -> str:
    told = value if isinstance(value, str) else ENCODER.encode(value).decode()
    return told if len(told) <= _MOST else f"{told[:_MOST]}… ({len(told):,} characters)"
