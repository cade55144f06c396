"""Values that are looked up once and used for a while, by many threads."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Aging(Generic[K, V]):
    """A map whose values are made when they are first asked for, and made anew once they are too old.

    `make` gives a value and the seconds that it may be used. Threads that ask for the same key at the same
    time wait for one `make`; those that ask for others do not. An exception is not kept. Of more than `bound`
    keys the one that was asked for least recently is forgotten. The clock is the wall's: a monotonic one may
    stand still while Lambda has a function frozen.
    """

    def __init__(
        self,
        make: Callable[[K], tuple[V, float]],
        *,
        bound: int = 1000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._make = make
        self._bound = bound
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: OrderedDict[K, _Slot[V]] = OrderedDict()

    def get(self, key: K) -> V:
        """The value for this key, not older than it may be."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._bound:
                self._slots.popitem(last=False)
        with slot.lock:
            if not slot.filled or self._clock() >= slot.until:
                # Asked before, so that the time which `make` takes is not added to the value's life.
                asked = self._clock()
                slot.value, seconds = self._make(key)
                slot.until = asked + seconds
                slot.filled = True
            return slot.value


class _Slot(Generic[V]):
    value: V

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.filled = False
        self.until = 0.0
