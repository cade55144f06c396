"""Blocks of JSON parsed into columns, where those say exactly what the text says."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import pyarrow as pa
import pyarrow.json as pj

from functions.core.errors import Refused
from functions.core.formats import json_numbers
from functions.core.formats.json_columns import JsonColumns
from functions.core.formats.rows import MEBIBYTE, Batch, JsonBatch

_BLOCK = MEBIBYTE // 2
"""Bytes that are parsed at once, at least: one parse costs as much as a hundred rows."""

_MOST_CELLS = 2**22
"""Of a block: names that come and go would fill memory with nulls. Rows that have so many stay apart, and few."""

_PATIENCE = 7
"""Blocks that are only tried as those before, once kinds of a column did not go together: they rarely do again."""

_LEAVES = frozenset({pa.null(), pa.bool_(), pa.int64(), pa.float64(), pa.string()})
_Unexpected = Literal["infer", "error"]


class JsonParser:
    """Parses blocks of rows, and remembers the types of columns, which rarely change."""

    def __init__(self) -> None:
        self._types: dict[str, pa.DataType] = {}
        self._members = _Members()
        self._apart = 0

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
        try:
            table = self._table(sources, data, count)
            fits = table is not None and table.num_rows == count and json_numbers.exact(table, data)
        except RecursionError:
            table, fits = None, False
        if table is None or not fits:
            most = _MOST_CELLS // max(1, self._members.count)
            return [part for source in sources for part in source.cut(max(1, most))]
        self._types = {field.name: field.type for field in table.schema}
        return (JsonColumns(sources=tuple(sources), table=table),)

    def _table(self, sources: list[JsonBatch], data: bytes, rows: int) -> pa.RecordBatch | None:
        """The rows with every text as text; None where kinds do not go together, or there are too many names."""
        known = pa.schema(self._types)
        # Where no column is nested, and no other is let through, there is one object a row.
        nested = any(pa.types.is_nested(kind) for kind in self._types.values())
        objects = data.count(b"{") if nested else rows
        if self._types and self._members.count * objects <= _MOST_CELLS:
            table = _parsed(data, known, "error")
            if table is not None:
                return table
        if self._apart:
            self._apart -= 1
            return None
        objects = data.count(b"{")
        if not self._members.saw(sources) or self._members.count * objects > _MOST_CELLS:
            return None
        settled = pa.schema([field for field in known if _is_settled(field.type)])
        table = _parsed(data, settled, "infer")
        table = table if table is not None else _parsed(data, pa.schema([]), "infer")
        self._apart = _PATIENCE if table is None else 0
        return table


class _Members:
    """The names that objects have had, at whatever depth; a list's items are one."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {}
        self.count = 0

    def saw(self, batches: Iterable[JsonBatch]) -> bool:
        """Count those of these rows, too; false where rows cannot be read, which whoever reads them says."""
        try:
            for batch in batches:
                for row in batch.rows():
                    self._see(self._names, row)
        except (Refused, RecursionError):
            return False
        return True

    def _see(self, names: dict[str, Any], value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                self._see(names, item)
        elif isinstance(value, dict):
            for name, member in value.items():
                if name not in names:
                    names[name] = {}
                    self.count += 1
                if isinstance(member, dict | list):
                    self._see(names[name], member)


def _parsed(data: bytes, known: pa.Schema, unexpected: _Unexpected) -> pa.RecordBatch | None:
    """The rows, where all values of a column go together; an `unexpected` column may be an error."""
    try:
        table = _read(data, known, unexpected)
        texts = pa.schema([(field.name, _text_for_times(field.type)) for field in table.schema])
        if not all(_is_carried(field.type) for field in texts):
            return None
        if table.schema != texts or not _is_whole(table):
            table = _read(data, texts, "error")
    except pa.ArrowException:
        return None
    if not _is_whole(table):
        return None
    return pa.RecordBatch.from_arrays([_array(each) for each in table.columns], table.schema.names)


def _read(data: bytes, known: pa.Schema, unexpected: _Unexpected) -> pa.Table:
    reading = pj.ReadOptions(use_threads=False, block_size=len(data) + 1)
    parsing = pj.ParseOptions(explicit_schema=known, unexpected_field_behavior=unexpected)
    return pj.read_json(pa.BufferReader(data), reading, parsing)


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


def _is_carried(given: pa.DataType) -> bool:
    """Whether columns say all: of an object without members they say nothing."""
    if pa.types.is_struct(given):
        return given.num_fields > 0 and all(_is_carried(member.type) for member in given)
    return _is_carried(given.value_type) if pa.types.is_list(given) else given in _LEAVES


def _is_settled(given: pa.DataType) -> bool:
    """Whether a type can be told the parser: a null may become anything."""
    if pa.types.is_struct(given):
        return all(_is_settled(member.type) for member in given)
    return _is_settled(given.value_type) if pa.types.is_list(given) else not pa.types.is_null(given)
