"""Parquet: columns in, columns out."""

from collections import Counter
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO, Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from functions.core.errors import Refused
from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.columns import Columns, fitted
from functions.core.formats.faults import Unheld, broken, oversized, unheld
from functions.core.formats.json_columns import JsonColumns, apart
from functions.core.formats.kinds import Kind, normal
from functions.core.formats.rows import MEBIBYTE, Batch, Reading
from functions.core.formats.settings import Parquet

_BATCH_BYTES = 8 * MEBIBYTE
_BATCH_ROWS = 65_536
_DICTIONARY_BYTES = 128 * 1024
"""A column with more different values is better off without a dictionary; a quarter of the time, and no larger."""

_GROUP_BYTES = 64 * MEBIBYTE
"""Half of what a row group may have: Parquet's own count of bytes is not quite Arrow's."""


def read(stream: BinaryIO, reading: Reading) -> Iterator[ColumnBatch]:
    """The rows of a stream that can be sought in; timestamps become UTC with microseconds.

    Raises:
        Refused: It is not Parquet, is broken, or holds what no other format could.
    """
    for piece in pieces(stream, reading.origin):
        table = _cast(piece.table, piece.schema, reading.origin, piece.first)
        batch = ColumnBatch(origin=reading.origin, first=piece.first, table=table)
        _refuse_large(batch, reading)
        yield batch


class Piece(msgspec.Struct, frozen=True):
    """Some rows, numbered from `first`, in the types that the file has, and the schema that they can be read as."""

    first: int
    table: pa.RecordBatch
    schema: pa.Schema


def pieces(stream: BinaryIO, origin: str) -> Iterator[Piece]:
    """The rows of a stream that can be sought in, as they are; first none of them, for the sake of their types.

    Raises:
        Refused: It is not Parquet, is broken, or has a column of a type that no other format could hold.
    """
    first = 1
    try:
        # Read by and by: else all that a row group has of a column is held.
        file = pq.ParquetFile(stream, buffer_size=MEBIBYTE)
        schema = _carried(file.schema_arrow, origin)
        yield Piece(first, _empty(file.schema_arrow), schema)
        for table in file.iter_batches(_rows_at_once(file.metadata)):
            yield Piece(first, table, schema)
            first += table.num_rows
    except (pa.ArrowException, OSError) as error:
        message = f"this Parquet file cannot be read: {str(error).splitlines()[0]}"
        raise broken(origin, message, line=first) from None


class Schema:
    """The schema of all rows: that of the columns where all have the same, else the narrowest that holds all."""

    def __init__(self) -> None:
        self._schemas: list[pa.Schema] = []
        self._seen = Kind()
        self._rows = ""

    def see(self, batch: Batch) -> None:
        """Take these rows into account.

        Raises:
            Refused: A value is nested too deeply.
        """
        if isinstance(batch, ColumnBatch):
            if batch.table.schema not in self._schemas:
                self._schemas.append(batch.table.schema)
            return
        self._rows = self._rows or (batch.origin if len(batch) else "")
        try:
            if isinstance(batch, JsonColumns):
                self._seen.see_columns(batch.names(), batch.table.columns)
                return
            # Columns that no row of a header has still are columns.
            self._seen.see_rows([dict.fromkeys(batch.columns or ())])
            self._seen.see_rows(batch.rows())
        except Unheld as error:
            raise _too_deep(batch, error) from None

    def found(self) -> pa.Schema:
        """The schema.

        Raises:
            Refused: There are rows, and no column.
        """
        if not self._seen.fields() and len(self._schemas) == 1:
            return self._schemas[0]
        try:
            for schema in self._schemas:
                self._seen.see_types(schema)
        except Unheld as error:
            raise broken("the schemas of the inputs", f"a column {error}") from None
        fields = self._seen.fields()
        if not fields and self._rows:
            raise broken(self._rows, "no row has a column, and Parquet cannot hold rows without one")
        return pa.schema(fields)


def _too_deep(batch: Batch, error: Unheld) -> Refused:
    """The error of the row that no kind can be found for."""
    for each in apart(batch):
        for line, row in zip(each.lines, each.rows(), strict=True):
            try:
                Kind().see_rows([row])
            except Unheld:
                return broken(each.origin, str(error), line=line)
    return broken(batch.origin, str(error))


class ParquetWriter:
    """A Parquet file being written: row groups of at most 128 MB."""

    def __init__(self, stream: BinaryIO, settings: Parquet, schema: pa.Schema) -> None:
        self._schema = schema
        self._columns = Columns(schema)
        self._file = pq.ParquetWriter(
            stream, schema, compression=settings.codec, dictionary_pagesize_limit=_DICTIONARY_BYTES
        )
        self._waiting: list[pa.RecordBatch] = []
        self._bytes = 0
        self._rows = 0

    def write(self, batch: Batch) -> int:
        """Add rows; how many.

        Raises:
            Refused: A value does not fit into its column.
        """
        for table in self._tables(batch):
            if table.num_rows:
                self._waiting.append(table)
                self._bytes += table.nbytes
            self._rows += table.num_rows
            if self._bytes >= _GROUP_BYTES:
                self._flush()
        return len(batch)

    def _tables(self, batch: Batch) -> Iterator[pa.RecordBatch]:
        if isinstance(batch, ColumnBatch | JsonColumns) and (fitting := fitted(batch.table, self._schema)):
            yield fitting
            return
        for each in apart(batch):
            yield self._columns.of(each, rows_before=self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what is left, and the footer; after an error nothing but the footer, for the library's sake."""
        if kind is None:
            self._flush()
        self._waiting = []
        self._file.close()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._file.write_table(table, row_group_size=table.num_rows)
        self._waiting, self._bytes = [], 0


def _carried(schema: pa.Schema, origin: str) -> pa.Schema:
    name, times = max(Counter(schema.names).items(), key=itemgetter(1), default=("", 1))
    if times > 1:
        raise broken(origin, f"the column `{name}` is there more than once")
    fields = []
    for field in schema:
        try:
            fields.append(pa.field(field.name, normal(field.type)))
        except Unheld as error:
            raise broken(origin, f"column `{field.name}` {error}") from None
    return pa.schema(fields)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _cast(table: pa.RecordBatch, schema: pa.Schema, origin: str, first: int) -> pa.RecordBatch:
    columns = []
    for column, field in zip(table.columns, schema, strict=True):
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except pa.ArrowException:
            row = first + _first_unfit(column, field.type)
            why = f"does not fit into {field.type}"
            raise unheld(origin, row, row=row, column=field.name, why=why) from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _first_unfit(column: pa.Array, wanted: pa.DataType) -> int:
    for place in range(len(column)):
        try:
            column.slice(place, 1).cast(wanted)
        except pa.ArrowException:
            return place
    return 0


def _rows_at_once(metadata: pq.FileMetaData) -> int:
    size: int = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    per_row = size // max(1, int(metadata.num_rows)) + 1
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // per_row))


def _refuse_large(batch: ColumnBatch, reading: Reading) -> None:
    if batch.table.nbytes <= reading.max_record_bytes:
        return
    for place in range(batch.table.num_rows):
        size = batch.table.slice(place, 1).nbytes
        if size > reading.max_record_bytes:
            line = batch.first + place
            raise oversized(reading.origin, line=line, size=size, limit=reading.max_record_bytes)
