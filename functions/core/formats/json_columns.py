"""Rows of JSON as columns of Arrow, where those say exactly what the text says."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import msgspec
import pyarrow as pa

from functions.core.formats.rows import Batch, JsonBatch, Row


class JsonColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of JSON as columns, and the `sources` that they were parsed from; `renamed` if columns were chosen.

    A column is null, bool, int64, double, string, or a list or struct of such. Doubles may have been integers.
    """

    sources: tuple[JsonBatch, ...]
    table: pa.RecordBatch
    renamed: Mapping[str, str] | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def data_bytes(self) -> int:
        """The size of the columns."""
        return int(self.table.nbytes)

    @property
    def origin(self) -> str:
        """The name of the first input."""
        return self.sources[0].origin

    @property
    def lines(self) -> Sequence[int]:
        """Where each row begins in its input."""
        return list(itertools.chain.from_iterable(source.lines for source in self.sources))

    @property
    def columns(self) -> None:
        """Objects need not have the same members."""
        return

    def rows(self) -> list[Row]:
        """The rows as values."""
        return [row for source in self.apart() for row in source.rows()]

    def names(self) -> Iterable[str]:
        """The columns that any row has, or any before it had."""
        names: list[str] = self.table.schema.names
        return names

    def select(self, renamed: Mapping[str, str]) -> Self:
        """These columns alone."""
        given = dict(zip(self.table.schema.names, self.table.columns, strict=True))
        absent = pa.nulls(len(self))
        chosen = {new: given.get(old, absent) for new, old in renamed.items()}
        return msgspec.structs.replace(self, table=pa.RecordBatch.from_pydict(chosen), renamed=renamed)

    def apart(self) -> tuple[JsonBatch, ...]:
        """The same rows as they came, for whoever must look at each."""
        if self.renamed is None:
            return self.sources
        return tuple(source.select(self.renamed) for source in self.sources)

    def records(self) -> list[bytes]:
        """Each row's object as it came, its columns not renamed."""
        return [record for source in self.sources for record in source.records]

    def source_of(self, column: str) -> str:
        """The member that a column comes from."""
        return column if self.renamed is None else self.renamed[column]


def apart(batch: Batch) -> Sequence[Batch]:
    """The batches that a batch was made of, each of one input."""
    return batch.apart() if isinstance(batch, JsonColumns) else (batch,)
