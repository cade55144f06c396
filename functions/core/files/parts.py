"""Rows as files: one, or several where they are split."""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from functions.core.files.settings import MEGABYTE, FileSettings, Split
from functions.core.files.store import Draft
from functions.core.formats.parquet import ParquetWriter
from functions.core.formats.rows import Batch
from functions.core.formats.streams import Sink
from functions.core.formats.table import Encoder


class Part(msgspec.Struct, kw_only=True):
    """A file being written: `sink` takes its bytes, which `size` counts before they are compressed."""

    number: int
    draft: Draft
    sink: Sink
    rows: int = 0
    size: int = 0

    def write(self, data: bytes) -> None:
        """Take some bytes."""
        self.sink.write(data)
        self.size += len(data)


Begin = Callable[[int], Part]
"""Makes the part of a number."""


def parts(batches: Iterator[Batch], settings: FileSettings, found: Any, begin: Begin) -> Iterator[Part]:
    """The files that rows become, each when it is whole; `found` is what the format's survey found.

    Raises:
        Refused: The format cannot hold a row.
    """
    encoder = settings.format.encoder
    if encoder is None:
        return _columns(batches, settings, found, begin)
    return _records(batches, encoder(settings.shape, found), settings.split or Split(), begin)


def _columns(batches: Iterator[Batch], settings: FileSettings, schema: Any, begin: Begin) -> Iterator[Part]:
    part = begin(1)
    with ParquetWriter(part.draft.stream, settings.shape.parquet, schema) as writer:
        for batch in batches:
            part.rows += writer.write(batch)
    yield part


def _records(batches: Iterator[Batch], encoder: Encoder, split: Split, begin: Begin) -> Iterator[Part]:
    part = _begun(begin(1), encoder)
    for batch in batches:
        records = encoder.encode(batch)
        while records:
            room = _room(part, records, encoder, split)
            if room == 0:
                part.write(encoder.tail)
                yield part
                part = _begun(begin(part.number + 1), encoder)
                continue
            _add(part, records[:room], encoder.between)
            records = records[room:]
    part.write(encoder.tail)
    yield part


def _begun(part: Part, encoder: Encoder) -> Part:
    part.write(encoder.head)
    return part


def _add(part: Part, records: list[bytes], between: bytes) -> None:
    if part.rows:
        part.write(between)
    part.write(between.join(records))
    part.rows += len(records)


def _room(part: Part, records: list[bytes], encoder: Encoder, split: Split) -> int:
    """How many of the records the part still takes; a file holds at least one, however large it is."""
    if split.rows is not None:
        return min(len(records), split.rows - part.rows)
    if split.megabytes is None:
        return len(records)
    left = split.megabytes * MEGABYTE - part.size - len(encoder.tail)
    sizes = list(itertools.accumulate(len(record) for record in records))
    return max(bisect_right(sizes, left), 0 if part.rows else 1)
