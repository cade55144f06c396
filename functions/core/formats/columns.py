"""Rows as columns of Arrow, to a schema that was found before; what does not fit names its row and column."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from functions.core.errors import Code
from functions.core.formats import cells
from functions.core.formats.faults import BAD_INPUT, TOO_DEEP, Unheld, unheld
from functions.core.formats.rows import Batch, Row

_EXACT = 2**53
"""Up to here every integer is a double."""


Conform = Callable[[Any], Any]
"""Turns a value that is not null into one that a type takes, or raises `Unheld`."""


def widened(kind: pa.DataType) -> Conform | None:
    """What turns values of narrower kinds into this one; None where they are taken as they are."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text
    if pa.types.is_floating(kind):
        return _double
    if pa.types.is_decimal(kind):
        return _decimal
    if pa.types.is_struct(kind):
        return _members(kind)
    if pa.types.is_list(kind):
        inner = widened(kind.value_type)
        return inner and (lambda items: [None if item is None else inner(item) for item in items])
    return None


class Columns:
    """Turns batches of rows into batches of columns; what does not fit is refused with `code`."""

    def __init__(
        self,
        schema: pa.Schema,
        *,
        conformer: Callable[[pa.DataType], Conform | None] = widened,
        code: Code = BAD_INPUT,
    ) -> None:
        self._schema = schema
        self._known = frozenset(schema.names)
        self._conform = {field.name: conformer(field.type) for field in schema}
        self._code = code

    def of(self, batch: Batch, *, rows_before: int = 0) -> pa.RecordBatch:
        """The rows of a batch as columns; errors count rows from the one after `rows_before`.

        Raises:
            Refused: A row has a column that the file has not, or a value that its column cannot hold.
        """
        rows = batch.rows()
        self._refuse_unknown(batch, rows, rows_before)
        arrays = [self._column(batch, rows, field, rows_before) for field in self._schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _column(self, batch: Batch, rows: list[Row], field: pa.Field, before: int) -> pa.Array:
        values = [row.get(field.name) for row in rows]
        conform = self._conform[field.name]
        try:
            return _array(values, field.type, conform)
        except _UNFIT:
            for place, value in enumerate(values):
                try:
                    _array([value], field.type, conform)
                except _UNFIT as error:
                    why = _why(error, field.type)
                    line, row = batch.lines[place], before + place + 1
                    raise unheld(
                        batch.origin, line, row=row, column=field.name, why=why, code=self._code
                    ) from None
            raise

    def _refuse_unknown(self, batch: Batch, rows: list[Row], before: int) -> None:
        for place, row in enumerate(rows):
            if not row.keys() <= self._known:
                column = next(name for name in row if name not in self._known)
                why = "the file has no such column"
                line, number = batch.lines[place], before + place + 1
                raise unheld(batch.origin, line, row=number, column=column, why=why, code=self._code)


def fitted(table: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch | None:
    """The columns as this schema has them, without a look at rows; None where only that can tell.

    It turns nulls into any type, and integers and truth values into text or, up to 2^53, into doubles.
    """
    if table.schema == schema:
        return table
    given = dict(zip(table.schema.names, table.columns, strict=True))
    columns = [fitted_column(given.pop(field.name, pa.nulls(table.num_rows)), field.type) for field in schema]
    if given or any(column is None for column in columns):
        return None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def fitted_column(column: pa.Array, wanted: pa.DataType) -> pa.Array | None:
    """One column, as `fitted` has it."""
    given = column.type
    if given == wanted:
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column), wanted)
    if pa.types.is_string(wanted) and (pa.types.is_integer(given) or pa.types.is_boolean(given)):
        return column.cast(wanted)
    if pa.types.is_float64(wanted) and pa.types.is_integer(given) and _within(column, _EXACT):
        return column.cast(wanted)
    return None


def _within(column: pa.Array, bound: int) -> bool:
    bounds = pc.min_max(column).as_py()
    return bool(-bound <= bounds["min"] and bounds["max"] <= bound)


_UNFIT = (Unheld, pa.ArrowException, OverflowError, RecursionError, TypeError, ValueError)


def _why(error: Exception, kind: pa.DataType) -> str:
    if isinstance(error, RecursionError):
        return TOO_DEEP
    return str(error) if isinstance(error, Unheld) else f"does not fit into {kind}"


def _array(values: list[Any], kind: pa.DataType, conform: Conform | None) -> pa.Array:
    if conform is not None:
        values = [None if value is None else conform(value) for value in values]
    return pa.array(values, kind)


def _members(kind: pa.StructType) -> Conform:
    inner = {member.name: widened(member.type) for member in kind}

    def conform(value: dict[str, Any]) -> dict[str, Any]:
        conformed = {}
        for name, member in value.items():
            if name not in inner:
                raise Unheld(f"has a member `{name}` that the file has not")
            turn = inner[name]
            conformed[name] = member if turn is None or member is None else turn(member)
        return conformed

    return conform


def _text(value: Any) -> str:
    return value if type(value) is str else cells.text(value)


def _double(value: Any) -> float:
    if type(value) is int and not -_EXACT <= value <= _EXACT and int(float(value)) != value:
        raise Unheld("is an integer that a double would change, in a column with fractions")
    return float(value)


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value)
