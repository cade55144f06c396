"""What passes between formats: batches of rows, in the form that the reader had them in.

A row maps a column's name to its value, in order. A value is None, bool, int (of any size), float, Decimal (a
number that a double would change), str, datetime (with a zone), date, time, bytes, or a list or dict of values:
the union of what the formats hold, so that nothing is lost between two of them. Rows that came as JSON stay text
until somebody asks for their values, or they are made columns where that is exact; columns of Parquet stay columns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

import msgspec

from functions.core.formats import json_values

Row = dict[str, Any]
MEBIBYTE = 1024 * 1024
CHUNK = MEBIBYTE
"""Bytes that are read at once."""

MAX_RECORD_BYTES = 32 * MEBIBYTE
"""The largest record, unless somebody sets another limit."""


class Batch(Protocol):
    """Some consecutive rows of one input.

    `lines` says for each row where it begins in the input, from 1 (in Parquet its number); `columns` are the
    columns of all rows, where the format is one whose rows all have the same.
    """

    def __len__(self) -> int: ...

    @property
    def origin(self) -> str:
        """The input's name, for errors."""
        ...

    @property
    def lines(self) -> Sequence[int]:
        """Where each row begins."""
        ...

    @property
    def data_bytes(self) -> int:
        """About how much memory the rows take."""
        ...

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns that every row has."""
        ...

    def rows(self) -> list[Row]:
        """The rows as values."""
        ...

    def names(self) -> Iterable[str]:
        """The columns that any row has, in the order in which they first occur."""
        ...

    def select(self, renamed: Mapping[str, str]) -> Self:
        """The same rows with these columns alone, in this order: new name → old name; an absent one is null."""
        ...


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How an input is read, beside the settings of its format."""

    origin: str
    max_record_bytes: int = MAX_RECORD_BYTES


class ValueBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as values."""

    origin: str
    lines: Sequence[int]
    values: list[Row]
    columns: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def data_bytes(self) -> int:
        """What is read at once."""
        return CHUNK

    def rows(self) -> list[Row]:
        """The rows as values."""
        return self.values

    def names(self) -> Iterable[str]:
        """The columns that any row has."""
        return self.columns if self.columns is not None else _names(self.values)

    def select(self, renamed: Mapping[str, str]) -> Self:
        """These columns alone."""
        values = [{new: row.get(old) for new, old in renamed.items()} for row in self.values]
        columns = None if self.columns is None else tuple(renamed)
        return msgspec.structs.replace(self, values=values, columns=columns)


class JsonBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as JSON objects that have been checked and hold no space between their parts, each on a line."""

    origin: str
    lines: Sequence[int]
    data: bytes

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def data_bytes(self) -> int:
        """The length of the text."""
        return len(self.data)

    @classmethod
    def of(cls, origin: str, lines: Sequence[int], records: Iterable[bytes]) -> Self:
        """These objects."""
        return cls(
            origin=origin, lines=lines, data=b"".join(each for record in records for each in (record, b"\n"))
        )

    @property
    def records(self) -> list[bytes]:
        """The objects, each by itself."""
        return self.data.splitlines()

    def cut(self, most: int) -> Iterator[Self]:
        """The same rows in batches of at most so many."""
        if len(self) <= most:
            yield self
            return
        records = self.records
        for start in range(0, len(records), most):
            yield type(self).of(self.origin, self.lines[start : start + most], records[start : start + most])

    @property
    def columns(self) -> None:
        """Objects need not have the same members."""
        return

    def rows(self) -> list[Row]:
        """The rows as values."""
        return [
            json_values.decode(record, self.origin, line)
            for record, line in zip(self.records, self.lines, strict=True)
        ]

    def names(self) -> Iterable[str]:
        """The members that any object has."""
        return _names(json_values.members(record) for record in self.records)

    def select(self, renamed: Mapping[str, str]) -> Self:
        """These members alone; their values stay the text that they are."""
        records = []
        for record in self.records:
            members = json_values.members(record)
            chosen = {new: members.get(old) for new, old in renamed.items()}
            records.append(msgspec.json.encode(chosen))
        return type(self).of(self.origin, self.lines, records)


def _names(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for row in rows:
        seen.update(row)
    return seen
