"""Rows of Parquet, read on past those that hold what cannot be read."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, BinaryIO, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from functions.core.formats import column_text, json_values, parquet
from functions.core.formats.faults import named
from functions.core.formats.kinds import TIMESTAMP
from functions.core.formats.rows import Reading, Row
from functions.core.formats.tolerant import AT_ONCE, LargeRecord, Original, Reason, RecordBatch, Unread

_UNFIT = (pa.ArrowException, ValueError, OverflowError, KeyError, TypeError, RecursionError)


class ParquetBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as the columns that they are; `schema` has the types that they can be read as.

    Timestamps become ISO 8601 in UTC, bytes base64; NaN and infinities, which JSON does not have, null; decimals
    stay decimals.
    """

    origin: str
    first: int
    table: pa.RecordBatch
    schema: pa.Schema
    each: int

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def line(self, place: int) -> int:
        """The number of a row."""
        return self.first + place

    def sizes(self) -> Sequence[int]:
        """What a row takes of the piece that was read, on an average."""
        return [self.each] * len(self)

    def records(self) -> Iterator[Row | Unread]:
        """The rows."""
        for start in range(0, len(self), AT_ONCE):
            yield from _records(self.table.slice(start, AT_ONCE), self.schema)

    def original(self, place: int) -> Original:
        """A row's values as JSON, without those that cannot be read."""
        values: dict[str, Any] = {}
        for column, field in zip(self.table.slice(place, 1).columns, self.schema, strict=True):
            try:
                values |= {field.name: _values(column, field.type)[0]}
            except _UNFIT:
                continue
        return Original.of(json_values.encode(values))

    def cut(self, start: int, end: int) -> "ParquetBatch":
        """Some of the rows."""
        table = self.table.slice(start, end - start)
        return msgspec.structs.replace(self, first=self.first + start, table=table)


def read(stream: BinaryIO, reading: Reading) -> Iterator[RecordBatch]:
    """The rows of a stream that can be sought in.

    Raises:
        Refused: It is not Parquet, is broken, or has a column of a type that cannot be read.
    """
    for piece in parquet.pieces(stream, reading.origin):
        table = piece.table
        if not table.num_rows:
            continue
        batch = ParquetBatch(
            origin=reading.origin,
            first=piece.first,
            table=table,
            schema=piece.schema,
            each=table.nbytes // table.num_rows,
        )
        if table.nbytes <= reading.max_record_bytes:
            yield batch
        else:
            yield from _one_by_one(batch, reading.max_record_bytes)


def _one_by_one(batch: ParquetBatch, limit: int) -> Iterator[RecordBatch]:
    for place in range(len(batch)):
        row = batch.cut(place, place + 1)
        size = row.table.nbytes
        if size > limit:
            shown = Original(b"", size)
            yield LargeRecord(origin=batch.origin, begins=row.first, shown=shown, limit=limit)
        else:
            yield row


def _records(table: pa.RecordBatch, schema: pa.Schema) -> list[Row | Unread]:
    """The rows; those that cannot be read are found by halves."""
    names, count = schema.names, table.num_rows
    values, name = [], ""
    try:
        for column, field in zip(table.columns, schema, strict=True):
            name = field.name
            values.append(_values(column, field.type))
    except _UNFIT as error:
        if count == 1:
            return [Unread(Reason.VALUE, f"column `{named(name)}`: {_first_line(error)}")]
        half = count // 2
        return [*_records(table.slice(0, half), schema), *_records(table.slice(half), schema)]
    if not names:
        return [{} for _ in range(count)]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _values(column: pa.Array, wanted: pa.DataType) -> list[Any]:
    if column.type != wanted:
        column = column.cast(wanted)
    if wanted == TIMESTAMP:
        return _listed(column_text.text(column))
    if pa.types.is_float64(wanted):
        return _listed(pc.if_else(pc.is_finite(column), column, None))
    values = _listed(column)
    if any(is_it(wanted) for is_it in _JSON_ALREADY):
        return values
    return [_plain(value) for value in values]


def _listed(column: pa.Array) -> list[Any]:
    if not column.null_count and (code := _CODES.get(column.type)):
        data = memoryview(column.buffers()[1]).cast(code)
        return data[column.offset : column.offset + len(column)].tolist()
    if pa.types.is_string(column.type) and (texts := _texts(column)) is not None:
        return texts
    values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    return values


def _texts(column: pa.Array) -> list[Any] | None:
    """Strings, taken apart all at once; None where what shall part them stands in one."""
    joined = pc.binary_join_element_wise(pc.fill_null(column, ""), "", _PART)
    _, offsets, data = joined.buffers()
    bounds = memoryview(offsets).cast("i")
    start, end = bounds[joined.offset], bounds[joined.offset + len(joined)]
    texts: list[Any] = bytes(memoryview(data)[start:end]).decode().split(_PART)[:-1]
    if len(texts) != len(column):
        return None
    for place in pc.indices_nonzero(column.is_null()).to_pylist() if column.null_count else ():
        texts[place] = None
    return texts


def _plain(value: Any) -> Any:
    convert = _TO_JSON.get(type(value))
    return value if convert is None else convert(value)


_PART = "\x1f"
"""Separates units, as ASCII has it: what columns of text rarely hold."""

_CODES: dict[pa.DataType, Literal["q", "d"]] = {pa.int64(): "q", pa.float64(): "d"}
"""Types whose values lie in memory as Python can list them."""

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
