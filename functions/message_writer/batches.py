"""A batch of messages, written by many threads at once, within the time that an invocation has."""

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def run(
    executor: Executor, work: Callable[[T], R], items: Sequence[T], *, at_once: int, seconds: float
) -> list[R | None]:
    """What `work` gives for each item, in their order; None for those not finished in time.

    Nothing is begun after the time is over. What is under way then is left to end by itself: it writes what its
    repetition will write again.
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
            results[number] = work(item)

    futures = [executor.submit(take) for _ in range(min(at_once, len(items)))]
    wait(futures, timeout=max(end - time.monotonic(), 0))
    # A copy: a thread that is still at work when the next invocation begins must not change this one's answer.
    return list(results)
