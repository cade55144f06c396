"""Rows that are encoded: bytes one after another, which are taken apart only where a file is split."""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Self

import msgspec


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """Encoded rows; `ends` says where each ends in `data`, and is asked only if it must be known."""

    data: bytes | memoryview
    count: int
    ends: Callable[[], Sequence[int]]

    @classmethod
    def of(cls, records: Sequence[bytes]) -> Self:
        """These records."""
        return cls(data=b"".join(records), count=len(records), ends=lambda: _ends(records))

    @classmethod
    def lines(cls, data: bytes, count: int) -> Self:
        """Records that hold no line feed but the one that ends each."""
        return cls(data=data, count=count, ends=lambda: _ends(data.splitlines(keepends=True)))

    def piece(self, start: int, stop: int) -> bytes | memoryview:
        """The records from `start` up to `stop`."""
        if start == 0 and stop == self.count:
            return self.data
        ends = self.ends()
        return self.data[ends[start - 1] if start else 0 : ends[stop - 1]]

    def fitting(self, start: int, size: int) -> int:
        """Where to stop so that the records from `start` have at most `size` bytes."""
        ends = self.ends()
        return bisect_right(ends, (ends[start - 1] if start else 0) + size)

    def largest(self) -> int:
        """The size of the largest record."""
        ends = self.ends()
        return max((end - start for start, end in zip([0, *ends], ends, strict=False)), default=0)


def _ends(records: Iterable[bytes]) -> Sequence[int]:
    return list(itertools.accumulate(map(len, records)))
