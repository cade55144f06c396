import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.crew import Crew

LONG = 30.0


@given(st.lists(st.integers(), max_size=30), st.integers(1, 8))
def test_the_results_are_in_the_order_of_their_items(items: list[int], at_once: int) -> None:
    assert Crew(at_once).run(lambda item: item * 2, items, seconds=LONG) == [item * 2 for item in items]


def test_each_item_is_worked_on_once() -> None:
    seen: list[int] = []
    Crew(8).run(seen.append, range(500), seconds=LONG)
    assert sorted(seen) == list(range(500))


def test_no_more_than_so_many_are_worked_on_at_once() -> None:
    lock = threading.Lock()
    now, most = [0], [0]

    def work(_: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.002)
        with lock:
            now[0] -= 1

    Crew(4).run(work, range(40), seconds=LONG)
    assert 1 < most[0] <= 4


def test_nothing_is_begun_once_the_time_is_over() -> None:
    for seconds in (0.0, -5.0):
        assert Crew(4).run(pytest.fail, ["a", "b"], seconds=seconds) == [None, None]


class Gate:
    """Work that waits until it is let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.open = threading.Event()

    def __call__(self, item: str) -> str:
        self.begun.append(item)
        assert self.open.wait(LONG)
        return item


def test_what_is_not_finished_in_time_is_none_and_nothing_more_is_begun() -> None:
    gate = Gate()
    assert Crew(2).run(gate, ["a", "b", "c"], seconds=0.05) == [None, None, None]
    gate.open.set()
    time.sleep(0.05)
    assert sorted(gate.begun) == ["a", "b"]


def test_an_answer_that_was_given_does_not_change_afterwards() -> None:
    gate = Gate()
    results = Crew(1).run(gate, ["a"], seconds=0.05)
    gate.open.set()
    time.sleep(0.05)
    assert results == [None]


def test_what_is_finished_in_time_counts_beside_what_is_not() -> None:
    gate = Gate()

    def work(item: str) -> str:
        return gate(item) if item == "slow" else item

    assert Crew(2).run(work, ["a", "slow", "b"], seconds=0.6) == ["a", None, "b"]
    gate.open.set()


def test_a_batch_is_not_held_up_by_what_is_left_of_the_one_before() -> None:
    gate = Gate()
    crew = Crew(1)
    assert crew.run(gate, ["stuck"], seconds=0.05) == [None]
    assert crew.run(str.upper, ["a", "b"], seconds=LONG) == ["A", "B"]
    gate.open.set()


def test_an_item_whose_work_breaks_is_none_and_the_others_are_done() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise LookupError("unforeseen")
        return item

    for at_once in (1, 4):
        assert Crew(at_once).run(work, range(8), seconds=LONG) == [0, 1, 2, None, 4, 5, 6, 7]


def test_an_empty_batch_gives_nothing() -> None:
    work: Callable[[int], int] = abs
    assert Crew(4).run(work, [], seconds=LONG) == []
