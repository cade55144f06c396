"""Parquet: columns in, columns out; rows only for those who ask."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, BinaryIO, Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from functions.core.formats import column_text
from functions.core.formats.columns import Columns, fitted
from functions.core.formats.faults import Unheld, broken, oversized, unheld
from functions.core.formats.json_columns import JsonColumns, apart
from functions.core.formats.kinds import Kind, normal
from functions.core.formats.rows import MEBIBYTE, Batch, Reading, Row
from functions.core.formats.settings import Parquet

_BATCH_BYTES = 8 * MEBIBYTE
_BATCH_ROWS = 65_536
_GROUP_BYTES = 64 * MEBIBYTE
"""Half of what a row group may have: Parquet's own count of bytes is not quite Arrow's."""


class ColumnBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as columns."""

    origin: str
    first: int
    table: pa.RecordBatch

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def lines(self) -> Sequence[int]:
        """The number of each row."""
        return range(self.first, self.first + self.table.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self.table.schema.names)

    def rows(self) -> list[Row]:
        """The rows as values.

        Raises:
            Refused: A timestamp lies outside the years 1 to 9999, or a map has two equal keys or none of text.
        """
        values = [self._values(name, column) for name, column in self._named()]
        return self._rows(values)

    def json_rows(self) -> list[Row]:
        """The rows in the types that JSON has.

        Raises:
            Unheld: A value is one that JSON does not have.
            ValueError, OverflowError: A time lies outside the years 1 to 9999.
        """
        values = [column_text.json_ready(column) for column in self.table.columns]
        return self._rows(values)

    def names(self) -> Iterable[str]:
        """The columns."""
        return self.columns

    def select(self, renamed: Mapping[str, str]) -> Self:
        """These columns alone."""
        columns, nulls = dict(self._named()), pa.nulls(self.table.num_rows, pa.string())
        chosen = {new: columns.get(old, nulls) for new, old in renamed.items()}
        return msgspec.structs.replace(self, table=pa.RecordBatch.from_pydict(chosen))

    def _rows(self, values: list[list[Any]]) -> list[Row]:
        names = self.columns
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]

    def _named(self) -> Iterator[tuple[str, pa.Array]]:
        return zip(self.columns, self.table.columns, strict=True)

    def _values(self, name: str, column: pa.Array) -> list[Any]:
        try:
            return _python(column)
        except (ValueError, OverflowError, KeyError, TypeError):
            for place in range(len(column)):
                try:
                    _python(column.slice(place, 1))
                except (ValueError, OverflowError, KeyError, TypeError) as error:
                    row = self.first + place
                    raise unheld(self.origin, row, row=row, column=name, why=str(error)) from None
            raise


def read(stream: BinaryIO, reading: Reading) -> Iterator[ColumnBatch]:
    """The rows of a stream that can be sought in; timestamps become UTC with microseconds.

    Raises:
        Refused: It is not Parquet, is broken, or holds what no other format could.
    """
    first = 1
    try:
        file = pq.ParquetFile(stream)
        schema = _carried(file.schema_arrow, reading.origin)
        yield ColumnBatch(origin=reading.origin, first=first, table=_empty(schema))
        for table in file.iter_batches(_rows_at_once(file.metadata)):
            batch = ColumnBatch(
                origin=reading.origin, first=first, table=_cast(table, schema, reading.origin, first)
            )
            _refuse_large(batch, reading)
            yield batch
            first += table.num_rows
    except (pa.ArrowException, OSError) as error:
        message = f"this Parquet file cannot be read: {str(error).splitlines()[0]}"
        raise broken(reading.origin, message, line=first) from None


class Schema:
    """The schema of all rows: that of the columns where all have the same, else the narrowest that holds all."""

    def __init__(self) -> None:
        self._schemas: list[pa.Schema] = []
        self._seen = Kind()
        self._rows = ""

    def see(self, batch: Batch) -> None:
        """Take these rows into account."""
        if isinstance(batch, ColumnBatch):
            if batch.table.schema not in self._schemas:
                self._schemas.append(batch.table.schema)
            return
        self._rows = self._rows or (batch.origin if len(batch) else "")
        if isinstance(batch, JsonColumns):
            self._seen.see_columns(batch.names(), batch.table.columns)
            return
        rows = batch.rows()
        # Columns that no row of a header has still are columns.
        self._seen.see_rows([dict.fromkeys(batch.columns or ())])
        self._seen.see_rows(rows)

    def found(self) -> pa.Schema:
        """The schema.

        Raises:
            Refused: There are rows, and no column.
        """
        if not self._seen.fields() and len(self._schemas) == 1:
            return self._schemas[0]
        for schema in self._schemas:
            self._seen.see_types(schema)
        fields = self._seen.fields()
        if not fields and self._rows:
            raise broken(self._rows, "no row has a column, and Parquet cannot hold rows without one")
        return pa.schema(fields)


class ParquetWriter:
    """A Parquet file being written: row groups of at most 128 MB."""

    def __init__(self, stream: BinaryIO, settings: Parquet, schema: pa.Schema) -> None:
        self._schema = schema
        self._columns = Columns(schema)
        self._file = pq.ParquetWriter(stream, schema, compression=settings.codec)
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


def _python(column: pa.Array) -> list[Any]:
    values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    return values


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
