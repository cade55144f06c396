"""Files that are read on past records that cannot be read.

Batches hold records as they stand in the file, and parse them when they are asked: so a chunk takes no more memory
than its text, what is passed over costs nothing, and where a batch ends changes no record.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol, Self

import msgspec

from functions.core.formats.rows import Row

MOST_SHOWN = 32 * 1024
"""Bytes of a record that are kept for whoever must mend it: of a larger one its beginning."""

AT_ONCE = 500
"""Records that are parsed together, where it costs less than one by one: what they become stays in the cache."""


class Reason(StrEnum):
    """Why a record cannot be read: few, so that they can be counted."""

    CELLS = "has more or fewer cells than there are columns"
    LARGE = "is larger than a record may be"
    MALFORMED = "has a malformed cell"
    NO_JSON = "is no JSON"
    NO_OBJECT = "is JSON, but no object"
    NO_UNICODE = "is not Unicode"
    TOO_DEEP = "is nested too deeply"
    VALUE = "holds a value that cannot be read"


class Unread(msgspec.Struct, frozen=True, gc=False):
    """What stands in the place of a record that cannot be read; `detail` says where it is wrong, and how."""

    reason: Reason
    detail: str = ""


class Original(msgspec.Struct, frozen=True, gc=False):
    """A record as it stands in the file, or its first 32 KiB, and how many bytes it has there."""

    text: bytes
    size: int

    @classmethod
    def of(cls, text: bytes) -> Self:
        """This record."""
        return cls(text[:MOST_SHOWN], len(text))

    @property
    def whole(self) -> bool:
        """Whether the text is all of it."""
        return self.size == len(self.text)


class RecordBatch(Protocol):
    """Some consecutive records of one input, of which some may prove unreadable."""

    def __len__(self) -> int: ...

    @property
    def origin(self) -> str:
        """The input's name."""
        ...

    def line(self, place: int) -> int:
        """Where a record begins in the input, from 1: its line, in Parquet its number."""
        ...

    def sizes(self) -> Sequence[int]:
        """About how many bytes each takes: by the file alone, however it was read and the batch was cut."""
        ...

    def records(self) -> Iterable[Row | Unread]:
        """The records, one by one where that is sooner, in the types that JSON has, and `Decimal`."""
        ...

    def original(self, place: int) -> Original:
        """A record as it stands in the file."""
        ...

    def cut(self, start: int, end: int) -> "RecordBatch":
        """Some of the records."""
        ...


class LargeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of more bytes than are allowed, which were counted and not kept, but for the first of them."""

    origin: str
    begins: int
    shown: Original
    limit: int

    def __len__(self) -> int:
        return 1

    def line(self, place: int) -> int:  # noqa: ARG002 - there is one place
        """Where it begins."""
        return self.begins

    def sizes(self) -> Sequence[int]:
        """What is kept of it."""
        return (len(self.shown.text),)

    def records(self) -> list[Row | Unread]:
        """That it is too large."""
        return [Unread(Reason.LARGE, f"it has {self.shown.size} bytes; the limit is {self.limit}")]

    def original(self, place: int) -> Original:  # noqa: ARG002 - there is one place
        """Its beginning, and its size."""
        return self.shown

    def cut(self, start: int, end: int) -> "LargeRecord":  # noqa: ARG002 - one record cannot be cut
        """Itself."""
        return self
