"""The records of a file one by one, as an import reads them, and what is shown of them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

import msgspec

from functions.core.chunks import UNWRITABLE, UNWRITTEN
from functions.core.converter.rows import Passed, Reject, Rows
from functions.core.files.inputs import DataFile
from functions.core.formats.rows import Row
from functions.core.formats.tolerant import RecordBatch, Unread

ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Writes what records hold and become: no digit of a number is lost."""


class FileRecord(msgspec.Struct, frozen=True):
    """A record at its place in a batch, with its values, or why it has none."""

    batch: RecordBatch
    place: int
    values: Row | Unread

    @classmethod
    def only(cls, batch: RecordBatch) -> Self:
        """The record of a batch that has one."""
        [values] = batch.records()
        return cls(batch, 0, values)

    @property
    def line(self) -> int:
        """Its line, from 1, or in Parquet its row."""
        return self.batch.line(self.place)

    @property
    def shown(self) -> Any:
        """Its values, or where it has none, or they cannot be written, its text: of a large one the beginning."""
        if not isinstance(self.values, Unread):
            with suppress(*UNWRITTEN):
                return msgspec.Raw(ENCODER.encode(self.values))
        return self.batch.original(self.place).text.decode(errors="backslashreplace")


def file_records(file: DataFile) -> Iterator[FileRecord]:
    """All records of a file, in order.

    Raises:
        Refused: As `DataFile.records` says; the records before were given.
    """
    for batch in file.records():
        for place, values in enumerate(batch.records()):
            yield FileRecord(batch, place, values)


def become(record: FileRecord, rows: Rows, now: int) -> Row | Reject | Passed:
    """What an import makes of a record; `now` is its time in milliseconds.

    The reason of one that cannot be read says where it is wrong, too.
    """
    values = record.values
    if isinstance(values, Unread):
        return Reject(f"{values.reason}: {values.detail}" if values.detail else values.reason)
    row = rows.row(values, now)
    if isinstance(row, dict):
        try:
            ENCODER.encode(row)
        except UNWRITTEN:
            return UNWRITABLE
    return row
