"""Rows of JSON as columns of Arrow, where those say exactly what the text says."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import msgspec
import pyarrow as pa
import pyarrow.json as pj

from functions.core.formats import json_numbers
from functions.core.formats.rows import MEBIBYTE, Batch, JsonBatch, Row

_BLOCK = MEBIBYTE // 2
"""Bytes that are parsed at once, at least: one parse costs as much as a hundred rows."""

_LEAVES = frozenset({pa.null(), pa.bool_(), pa.int64(), pa.float64(), pa.string()})


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


class JsonParser:
    """Parses blocks of rows, and remembers the types of columns, which rarely change."""

    def __init__(self) -> None:
        self._known: dict[str, pa.DataType] = {}

    def columns(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches with rows of JSON made columns wherever that is exact; others stay what they are."""
        waiting: list[JsonBatch] = []
        size = 0
        for batch in batches:
            if isinstance(batch, JsonBatch):
                waiting.append(batch)
                size += len(batch.data)
                if size < _BLOCK:
                    continue
            yield from self._block(waiting)
            waiting, size = [], 0
            if not isinstance(batch, JsonBatch):
                yield batch
        yield from self._block(waiting)

    def _block(self, sources: list[JsonBatch]) -> Iterable[Batch]:
        count = sum(len(source) for source in sources)
        if count == 0:
            return sources
        data = b"".join(source.data for source in sources) if len(sources) > 1 else sources[0].data
        table = self._table(data)
        if table is None or table.num_rows != count or not json_numbers.exact(table, data):
            return sources
        self._known = {field.name: field.type for field in table.schema if _settled(field.type)}
        return (JsonColumns(sources=tuple(sources), table=table),)

    def _table(self, data: bytes) -> pa.RecordBatch | None:
        """The rows with every text as text; None where kinds do not go together."""
        for known in (self._known, {}) if self._known else ({},):
            try:
                table = _read(data, pa.schema(known))
                texts = pa.schema([(field.name, _text_for_times(field.type)) for field in table.schema])
                if not all(_carried(field.type) for field in texts):
                    return None
                if table.schema != texts or not _is_whole(table):
                    table = _read(data, texts)
                if _is_whole(table):
                    return pa.RecordBatch.from_arrays(
                        [_array(each) for each in table.columns], table.schema.names
                    )
            except pa.ArrowException:
                continue
        return None


def _read(data: bytes, schema: pa.Schema) -> pa.Table:
    reading = pj.ReadOptions(use_threads=False, block_size=len(data) + 1)
    return pj.read_json(pa.BufferReader(data), reading, pj.ParseOptions(explicit_schema=schema))


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _is_whole(table: pa.Table) -> bool:
    """Whether lists have all their items.

    A list that begins with nulls before its type is known is too short, but not once the type is told:
    https://github.com/apache/arrow/issues/51305.
    """
    try:
        if any(pa.types.is_nested(field.type) for field in table.schema):
            table.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _text_for_times(given: pa.DataType) -> pa.DataType:
    """The type for text that was taken for times."""
    if pa.types.is_timestamp(given):
        return pa.string()
    if pa.types.is_struct(given):
        return pa.struct([member.with_type(_text_for_times(member.type)) for member in given])
    if pa.types.is_list(given):
        return pa.list_(_text_for_times(given.value_type))
    return given


def _carried(given: pa.DataType) -> bool:
    """Whether columns say all: of an object without members they say nothing."""
    if pa.types.is_struct(given):
        return given.num_fields > 0 and all(_carried(member.type) for member in given)
    return _carried(given.value_type) if pa.types.is_list(given) else given in _LEAVES


def _settled(given: pa.DataType) -> bool:
    """Whether a type can be told the parser: a null may become anything."""
    if pa.types.is_struct(given):
        return all(_settled(member.type) for member in given)
    return _settled(given.value_type) if pa.types.is_list(given) else not pa.types.is_null(given)
