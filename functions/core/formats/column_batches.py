"""Rows of Parquet: columns, and rows only for those who ask."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import msgspec
import pyarrow as pa

from functions.core.formats import column_text
from functions.core.formats.faults import unheld
from functions.core.formats.rows import Row


class ColumnBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as columns."""

    origin: str
    first: int
    table: pa.RecordBatch

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def data_bytes(self) -> int:
        """The size of the columns."""
        return int(self.table.nbytes)

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


def _python(column: pa.Array) -> list[Any]:
    values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    return values
