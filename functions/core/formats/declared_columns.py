"""Rows as the columns that were declared of them: a column at a time where that is exact, else value by value."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from functions.core.errors import Code
from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.column_text import json_cell_columns, within_years
from functions.core.formats.columns import Columns, fitted_column
from functions.core.formats.declared import Declared
from functions.core.formats.declared_values import conformer
from functions.core.formats.faults import Unheld
from functions.core.formats.json_columns import JsonColumns, apart
from functions.core.formats.kinds import TIMESTAMP
from functions.core.formats.rows import Batch

_DAY = r"^(?:[1-9]\d{3}|0[1-9]\d{2}|00[1-9]\d|000[1-9])-\d{2}-\d{2}"
_WRITTEN = {
    TIMESTAMP: _DAY + r"T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$",
    pa.date32(): _DAY + "$",
}
"""How texts are written that Arrow reads as they are meant; all others are looked at one by one."""


class DeclaredColumns:
    """Turns batches of rows into columns of the declared types."""

    def __init__(self, declared: Declared) -> None:
        self._schema = declared.schema
        self._columns = Columns(declared.schema, conformer=conformer, code=Code.SCHEMA)

    def of(self, batches: Iterable[Batch]) -> Iterator[ColumnBatch]:
        """The rows of all batches; the first batch is empty, and shows the columns of a run without rows.

        Raises:
            Refused: `SCHEMA`; a row has a column that is not declared, or a value that is not of its kind.
        """
        rows = 0
        none = pa.RecordBatch.from_pylist([], schema=self._schema)
        yield ColumnBatch(origin="the declared schema", first=1, table=none)
        for batch in batches:
            for table in self._tables(batch, rows):
                yield ColumnBatch(origin=batch.origin, first=rows + 1, table=table)
                rows += table.num_rows

    def _tables(self, batch: Batch, rows: int) -> Iterator[pa.RecordBatch]:
        table = _at_once(batch, self._schema) if isinstance(batch, JsonColumns) else None
        if table is not None:
            yield table
            return
        for each in apart(batch):
            yield self._columns.of(each, rows_before=rows)
            rows += len(each)


def _at_once(batch: JsonColumns, schema: pa.Schema) -> pa.RecordBatch | None:
    """The columns, if all are declared and of kinds that are turned a column at a time."""
    given = dict(zip(batch.table.schema.names, batch.table.columns, strict=True))
    if not given.keys() <= set(schema.names):
        return None
    columns = []
    for field in schema:
        made = fitted_column(given.get(field.name, pa.nulls(len(batch))), field.type)
        made = made if made is not None else _turned(batch, given[field.name], field)
        if made is None:
            return None
        columns.append(made)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _turned(batch: JsonColumns, column: pa.Array, wanted: pa.Field) -> pa.Array | None:
    try:
        if pa.types.is_string(wanted.type):
            chosen = batch.select({wanted.name: wanted.name})
            return json_cell_columns(chosen)[wanted.name].text
        written = _WRITTEN.get(wanted.type)
        if not written or not pa.types.is_string(column.type):
            return None
        if not pc.all(pc.match_substring_regex(column, written)).as_py():
            return None
        made = column.cast(wanted.type)
    except (pa.ArrowException, Unheld, RecursionError):
        return None
    return made if wanted.type != TIMESTAMP or within_years(made) else None
