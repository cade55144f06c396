"""Where one chunk of a file ends and the next begins: by the records alone, never by how they were read."""

from collections.abc import Iterable, Iterator

from functions.core.formats.tolerant import RecordBatch


def after(batches: Iterable[RecordBatch], records: int) -> Iterator[RecordBatch]:
    """The batches without so many of their first records, which are not parsed."""
    left = records
    for batch in batches:
        size = len(batch)
        if left >= size:
            left -= size
            continue
        yield batch.cut(left, size) if left else batch
        left = 0


def chunks(batches: Iterable[RecordBatch], *, records: int, size: int) -> Iterator[list[RecordBatch]]:
    """The batches in chunks of at most so many records and, but for a single larger one, so many bytes."""
    chunk: list[RecordBatch] = []
    count = held = 0
    for batch in batches:
        sizes = batch.sizes()
        if count + len(sizes) <= records and held + sum(sizes) <= size:
            chunk.append(batch)
            count, held = count + len(sizes), held + sum(sizes)
            continue
        start = 0
        for place, each in enumerate(sizes):
            if count and (count == records or held + each > size):
                yield [*chunk, *_some(batch, start, place)]
                chunk, start, count, held = [], place, 0, 0
            count += 1
            held += each
        chunk += _some(batch, start, len(sizes))
    if chunk:
        yield chunk


def _some(batch: RecordBatch, start: int, end: int) -> list[RecordBatch]:
    if start == end:
        return []
    return [batch] if (start, end) == (0, len(batch)) else [batch.cut(start, end)]
