import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.adapters.aging import Aging
from tests.fakes import Clock


class Maker:
    """Counts what it makes; each value is its key and a number, and may be used for ten seconds."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.before: Callable[[str], None] = lambda _: None

    def __call__(self, key: str) -> tuple[str, float]:
        self.made.append(key)
        self.before(key)
        return f"{key}{len(self.made)}", 10.0


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aging(maker: Maker, clock: Clock) -> Aging[str, str]:
    return Aging(maker, bound=2, clock=clock)


def test_a_value_is_made_once_while_it_may_be_used(aging: Aging[str, str], clock: Clock) -> None:
    assert aging.get("a") == "a1"
    clock.now += 9.999
    assert aging.get("a") == "a1"


def test_a_value_that_is_too_old_is_made_anew(aging: Aging[str, str], clock: Clock) -> None:
    aging.get("a")
    clock.now += 10
    assert aging.get("a") == "a2"


def test_the_time_that_making_takes_is_part_of_a_values_life(
    aging: Aging[str, str], maker: Maker, clock: Clock
) -> None:
    def slowly(_: str) -> None:
        clock.now += 6

    maker.before = slowly
    aging.get("a")
    clock.now += 4
    assert aging.get("a") == "a2"


def test_each_key_has_its_own_value(aging: Aging[str, str]) -> None:
    assert (aging.get("a"), aging.get("b"), aging.get("a")) == ("a1", "b2", "a1")


def test_beyond_the_bound_the_one_asked_for_least_recently_is_forgotten(aging: Aging[str, str]) -> None:
    aging.get("a")
    aging.get("b")
    aging.get("a")
    aging.get("c")
    assert aging.get("a") == "a1"
    assert aging.get("b") == "b4"


def test_an_exception_is_told_and_not_kept(aging: Aging[str, str], maker: Maker) -> None:
    def fail(_: str) -> None:
        raise LookupError("gone")

    maker.before = fail
    for _ in range(2):
        with pytest.raises(LookupError):
            aging.get("a")
    maker.before = lambda _: None
    assert aging.get("a") == "a3"


def test_an_old_value_is_not_used_when_it_cannot_be_made_anew(
    aging: Aging[str, str], maker: Maker, clock: Clock
) -> None:
    def fail(_: str) -> None:
        raise LookupError("gone")

    aging.get("a")
    clock.now += 10
    maker.before = fail
    with pytest.raises(LookupError):
        aging.get("a")


def test_threads_that_ask_for_the_same_key_wait_for_one_making(aging: Aging[str, str], maker: Maker) -> None:
    all_have_asked = threading.Event()
    maker.before = lambda _: pytest.fail("nobody asked") if not all_have_asked.wait(10) else None
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(aging.get, "a") for _ in range(8)]
        all_have_asked.set()
        assert {answer.result(10) for answer in answers} == {"a1"}
    assert maker.made == ["a"]


def test_a_thread_that_asks_for_another_key_does_not_wait(aging: Aging[str, str], maker: Maker) -> None:
    begun, ended = threading.Event(), threading.Event()

    def block(key: str) -> None:
        if key == "slow":
            begun.set()
            assert ended.wait(10)

    maker.before = block
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(aging.get, "slow")
        assert begun.wait(10)
        assert aging.get("quick") == "quick2"
        assert not slow.done()
        ended.set()
        assert slow.result(10).startswith("slow")


def test_while_one_thread_fails_the_next_tries_itself(aging: Aging[str, str], maker: Maker) -> None:
    def fail_first(_: str) -> None:
        if len(maker.made) == 1:
            raise LookupError("gone")

    maker.before = fail_first
    with pytest.raises(LookupError):
        aging.get("a")
    assert aging.get("a") == "a2"


def test_the_clock_is_the_walls_by_default(maker: Maker) -> None:
    aging: Aging[str, str] = Aging(maker)
    assert aging.get("a") == aging.get("a") == "a1"
