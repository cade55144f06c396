"""A few of many, picked from all of them, whose number is known only at the end."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Picked(msgspec.Struct, Generic[T], frozen=True):
    """One of many; the first has the number 1."""

    number: int
    item: T


class Spread(Generic[T]):
    """Picks of what is added at most `count`, 2 or more: the first, the last, and others at about equal distances.

    Of however many are added it holds about twice as many as it gives.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._step = 1
        self._kept: list[Picked[T]] = []
        self._last: Picked[T] | None = None
        self.total = 0

    def add(self, item: T) -> None:
        """The next of them."""
        self._last = Picked(self.total + 1, item)
        if self.total % self._step == 0:
            self._kept.append(self._last)
            if len(self._kept) > 2 * self._count:
                self._kept = self._kept[::2]
                self._step *= 2
        self.total += 1

    def picked(self) -> list[Picked[T]]:
        """Those that are picked, in their order."""
        some = list(self._kept)
        if self._last is not None and self._last.number != some[-1].number:
            some.append(self._last)
        if len(some) <= self._count:
            return some
        return [some[place * (len(some) - 1) // (self._count - 1)] for place in range(self._count)]
