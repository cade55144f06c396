from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from functions.core.spreading import Spread


@given(total=st.integers(0, 3_000), count=st.integers(2, 12))
def test_what_is_picked_is_spread_over_all(total: int, count: int) -> None:
    spread = Spread[int](count)
    for item in range(total):
        spread.add(item)
    picked = spread.picked()
    assert spread.total == total
    assert len(picked) == min(total, count)
    assert all(each.number == each.item + 1 for each in picked)
    numbers = [each.number for each in picked]
    if numbers:
        assert (numbers[0], numbers[-1]) == (1, total)
    gaps = [second - first for first, second in pairwise(numbers)]
    assert all(0 < gap <= 4 * total / count for gap in gaps)
