"""A batch of messages, written by many threads at once, within the time that an invocation has."""

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Crew:
    """Threads that work on one batch after the other, `at_once` items at a time."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._executor = ThreadPoolExecutor(at_once)

    def run(self, work: Callable[[T], R], items: Sequence[T], *, seconds: float) -> list[R | None]:
        """What `work` gives for each item, in their order; None for those not finished, in time or at all.

        Nothing is begun after the time is over. What is under way then is left to end by itself: it writes what
        its repetition will write again, and its threads are not given to another batch.
        """
        results: list[R | None] = [None] * len(items)
        waiting: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
        for numbered in enumerate(items):
            waiting.put(numbered)
        end = time.monotonic() + seconds

        def take() -> None:
            while time.monotonic() < end:
                try:
                    number, item = waiting.get_nowait()
                except queue.Empty:
                    return
                # Work answers for its errors itself; where it breaks all the same, its item is not done.
                with suppress(Exception):
                    results[number] = work(item)

        futures = [self._executor.submit(take) for _ in range(min(self._at_once, len(items)))]
        _, unfinished = wait(futures, timeout=max(end - time.monotonic(), 0))
        if unfinished:
            self._executor.shutdown(wait=False)
            self._executor = ThreadPoolExecutor(self._at_once)
        # A copy: what is still under way must not change an answer that has been given.
        return list(results)
