"""Records of Parquet: rows in the types that JSON has."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO

import pyarrow as pa

from functions.core.converter.source_record import SourceRecord, Unreadable
from functions.core.formats import column_text, json_values, parquet
from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.kinds import TIMESTAMP
from functions.core.formats.rows import Reading

Records = Iterator[SourceRecord | Unreadable]
_UNFIT = (ValueError, OverflowError, KeyError, TypeError)


def parquet_records(stream: BinaryIO, reading: Reading) -> Records:
    """The rows of a file that can be sought in, as `column_records` gives them.

    Raises:
        Refused: It is no Parquet, or is damaged, or a row is too large.
    """
    for batch in parquet.read(stream, reading):
        yield from column_records(batch)


def column_records(batch: ColumnBatch) -> Records:
    """The rows of a batch.

    Timestamps are ISO 8601 in UTC, bytes base64; NaN and infinities, which JSON does not have, are null; decimals
    stay decimals.
    """
    try:
        rows = _rows(batch.table)
    except _UNFIT:
        yield from _one_by_one(batch)
        return
    for line, values in zip(batch.lines, rows, strict=True):
        yield SourceRecord(line, values)


def _one_by_one(batch: ColumnBatch) -> Records:
    for place, line in enumerate(batch.lines):
        try:
            [values] = _rows(batch.table.slice(place, 1))
        except _UNFIT as error:
            yield Unreadable(line, f"a value of this row cannot be read: {error}")
        else:
            yield SourceRecord(line, values)


def _rows(table: pa.RecordBatch) -> list[dict[str, Any]]:
    names = table.schema.names
    columns = [_values(column) for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    kind = column.type
    if kind == TIMESTAMP:
        column = column_text.text(column)
    values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    if (
        kind == TIMESTAMP
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
    ):
        return values
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    convert = _TO_JSON.get(type(value))
    return value if convert is None else convert(value)


_JSON_ALREADY = (pa.types.is_integer, pa.types.is_boolean, pa.types.is_string, pa.types.is_large_string)
_TO_JSON: dict[type, Callable[[Any], Any]] = {
    float: lambda value: value if value - value == 0 else None,
    datetime: json_values.timestamp,
    date: date.isoformat,
    time: time.isoformat,
    bytes: json_values.base64_text,
    dict: lambda value: {name: _plain(member) for name, member in value.items()},
    list: lambda value: [_plain(item) for item in value],
}
