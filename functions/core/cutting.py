"""Where one chunk of a file ends and the next begins: by the records alone, never by how they were read."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from functions.core.formats.column_batches import ColumnBatch
from functions.core.formats.rows import Batch, JsonBatch, ValueBatch

_CELL_BYTES = 64
"""What a cell takes beside its text, once it is a value."""


def after(batches: Iterable[Batch], records: int) -> Iterator[Batch]:
    """The batches without so many of their first records."""
    left = records
    for batch in batches:
        size = len(batch.lines)
        if left >= size:
            left -= size
            continue
        yield cut(batch, left, size) if left else batch
        left = 0


def chunks(batches: Iterable[Batch], *, records: int, size: int) -> Iterator[list[Batch]]:
    """The batches in chunks of at most so many records and, but for a single larger one, so many bytes."""
    chunk: list[Batch] = []
    count = held = 0
    for batch in batches:
        start = 0
        sizes = _sizes(batch)
        for place, each in enumerate(sizes):
            if count and (count == records or held + each > size):
                yield [*chunk, *_some(batch, start, place)]
                chunk, start, count, held = [], place, 0, 0
            count += 1
            held += each
        chunk += _some(batch, start, len(sizes))
    if chunk:
        yield chunk


def cut(batch: Batch, start: int, end: int) -> Batch:
    """Some records of a batch."""
    lines = batch.lines[start:end]
    if isinstance(batch, JsonBatch):
        return JsonBatch.of(batch.origin, lines, batch.records[start:end])
    if isinstance(batch, ColumnBatch):
        table = batch.table.slice(start, end - start)
        return msgspec.structs.replace(batch, first=batch.first + start, table=table)
    values = list(islice(batch.rows(), start, end))
    return ValueBatch(origin=batch.origin, lines=lines, values=values, columns=batch.columns)


def _some(batch: Batch, start: int, end: int) -> list[Batch]:
    if start == end:
        return []
    return [batch] if (start, end) == (0, len(batch.lines)) else [cut(batch, start, end)]


def _sizes(batch: Batch) -> list[int]:
    """About how many bytes each record takes."""
    if isinstance(batch, JsonBatch):
        return list(map(len, batch.records))
    if isinstance(batch, ColumnBatch):
        each = batch.table.nbytes // max(1, batch.table.num_rows)
        return [each] * int(batch.table.num_rows)
    return [_size(row) for row in batch.rows()]


def _size(row: dict[str, Any]) -> int:
    text = sum(len(value) for value in row.values() if type(value) is str)
    return text + _CELL_BYTES * len(row)
