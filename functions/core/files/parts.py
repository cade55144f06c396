"""Rows as files: one, or several where they are split."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from functions.core.files.settings import MEGABYTE, FileSettings, Split
from functions.core.files.store import Draft
from functions.core.formats.json_columns import apart
from functions.core.formats.json_lines import refuse_large
from functions.core.formats.parquet import ParquetWriter
from functions.core.formats.records import Records
from functions.core.formats.rows import Batch, JsonBatch
from functions.core.formats.streams import Sink
from functions.core.formats.table import Encoder


class Part(msgspec.Struct, kw_only=True):
    """A file being written: `sink` takes its bytes, which `size` counts before they are compressed."""

    number: int
    draft: Draft
    sink: Sink
    rows: int = 0
    size: int = 0

    def write(self, data: bytes | memoryview) -> None:
        """Take some bytes."""
        self.sink.write(data)
        self.size += len(data)


Begin = Callable[[], Part]
"""Makes the next part."""


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
    part = begin()
    with ParquetWriter(part.draft.stream, settings.shape.parquet, schema) as writer:
        for batch in batches:
            for each in apart(batch):
                if isinstance(each, JsonBatch):
                    refuse_large(each, settings.shape.max_record_bytes)
            part.rows += writer.write(batch)
    yield part


def _records(batches: Iterator[Batch], encoder: Encoder, split: Split, begin: Begin) -> Iterator[Part]:
    part = _begun(begin(), encoder)
    for batch in batches:
        records, start = encoder.encode(batch), 0
        while start < records.count:
            stop = _stop(part, records, start, encoder, split)
            if stop == start:
                part.write(encoder.tail)
                yield part
                part = _begun(begin(), encoder)
                continue
            piece = records.piece(start, stop)
            part.write(piece if part.rows else piece[len(encoder.lead) :])
            part.rows += stop - start
            start = stop
    part.write(encoder.tail)
    yield part


def _begun(part: Part, encoder: Encoder) -> Part:
    part.write(encoder.head)
    return part


def _stop(part: Part, records: Records, start: int, encoder: Encoder, split: Split) -> int:
    """Up to which record the part takes them; a file holds at least one, however large it is."""
    if split.rows is not None:
        return min(records.count, start + split.rows - part.rows)
    if split.megabytes is None:
        return records.count
    left = split.megabytes * MEGABYTE - part.size - len(encoder.tail)
    if len(records.data) <= left:
        return records.count
    return max(records.fitting(start, left), start if part.rows else start + 1)
