"""A record of a source's file, and what stands where one cannot be read."""

from typing import Any

import msgspec


class SourceRecord(msgspec.Struct, frozen=True, gc=False):
    """A record and where it begins: its line, from 1, or in Parquet its row.

    `text` is what stood in the file, where that is text. Values are those of JSON, and `Decimal` from Parquet.
    """

    line: int
    values: dict[str, Any]
    text: str | bytes | None = None


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """What stands in the file instead of a record, and why it is none; `text` is None where it is too large."""

    line: int
    reason: str
    text: str | bytes | None = None
