"""What operations do to properties, and mutations to profiles."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.events.mutations import Mutation, MutationType, Stamp, State
from functions.core.events.mutations import apply as mutate
from functions.core.events.operations import OPERATIONS, apply

OPERATED: list[tuple[str, Any, Any, Any]] = [
    ("plain properties", {"a": 1, "b": 2}, {"a": None, "c": 3}, {"a": None, "b": 2, "c": 3}),
    ("$set", {"a": 1}, {"$set": {"a": 2}}, {"a": 2}),
    ("$setOnce of what is there", {"a": 1}, {"$setOnce": {"a": 2}}, {"a": 1}),
    ("$setOnce of what is not", {}, {"$setOnce": {"a": 2}}, {"a": 2}),
    ("$add", {"a": 1}, {"$add": {"a": 2.5}}, {"a": 3.5}),
    ("$add to nothing", {}, {"$add": {"a": 2}}, {"a": 2}),
    ("$add to text", {"a": "1"}, {"$add": {"a": 2}}, {"a": "1"}),
    ("$add to a boolean", {"a": True}, {"$add": {"a": 2}}, {"a": True}),
    ("$add beyond what a double holds", {"a": 1e308}, {"$add": {"a": 1.7e308}}, {"a": 1e308}),
    ("$append", {"a": [1]}, {"$append": {"a": 2}}, {"a": [1, 2]}),
    ("$append of a list", {"a": [1]}, {"$append": {"a": [1, 2]}}, {"a": [1, 1, 2]}),
    ("$append to a value", {"a": 1}, {"$append": {"a": 2}}, {"a": [1, 2]}),
    ("$append to nothing", {}, {"$append": {"a": 2}}, {"a": [2]}),
    ("$prepend", {"a": [1]}, {"$prepend": {"a": [2, 3]}}, {"a": [2, 3, 1]}),
    ("$unset", {"a": 1, "b": 2}, {"$unset": {"a": "-", "z": "-"}}, {"b": 2}),
    ("$postInsert", {"a": [1]}, {"$postInsert": {"a": [1, 2, 2]}}, {"a": [1, 2]}),
    ("$preInsert", {"a": [1]}, {"$preInsert": {"a": [2, 1, 3]}}, {"a": [2, 3, 1]}),
    ("$preInsert of true where 1 is", {"a": [1]}, {"$preInsert": {"a": True}}, {"a": [True, 1]}),
    ("$remove", {"a": [1, 2, 1]}, {"$remove": {"a": 1}}, {"a": [2]}),
    ("$remove of a list", {"a": [1, 2, 3]}, {"$remove": {"a": [1, 3]}}, {"a": [2]}),
    ("$remove from a value", {"a": 1}, {"$remove": {"a": 1}}, {"a": 1}),
    ("$remove from nothing", {}, {"$remove": {"a": 1}}, {}),
    ("in the order given", {}, {"$set": {"a": 1}, "$add": {"a": 2}, "$unset": {"b": 1}}, {"a": 3}),
]


@pytest.mark.parametrize(
    ("before", "operations", "after"), [pytest.param(*case[1:], id=case[0]) for case in OPERATED]
)
def test_an_operation(before: Any, operations: Any, after: Any) -> None:
    kept = repr(before)
    assert repr(apply(before, operations)) == repr(after)
    assert repr(before) == kept


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
PROPERTIES = st.dictionaries(st.sampled_from("abc"), VALUES)


@given(PROPERTIES, st.sampled_from(sorted(OPERATIONS)), PROPERTIES)
def test_no_operation_fails_or_changes_what_it_is_given(before: Any, operation: str, values: Any) -> None:
    kept = repr((before, values))
    once = apply(before, {operation: values} if operation != "$add" else {"$add": dict.fromkeys(values, 1)})
    assert repr((before, values)) == kept
    if operation in {"$set", "$setOnce", "$unset", "$remove", "$preInsert", "$postInsert"}:
        assert repr(apply(once, {operation: values})) == repr(once)


def stamp(modified: int, record: int = 1) -> Stamp:
    return Stamp(modified, "key", record)


INSERTED = Mutation(MutationType.INSERT, stamp(1), {"a": 1, "b": 1})
UPDATED = Mutation(MutationType.UPDATE, stamp(2), {"b": 2, "c": None})
DELETED = Mutation(MutationType.DELETE, stamp(3))
CREATED = Mutation(MutationType.UPDATE, stamp(4), {"d": 4})


def after(*mutations: Mutation) -> State:
    state = State()
    for mutation in mutations:
        state = mutate(state, mutation).state
    return state


def test_an_update_replaces_the_fields_that_it_carries() -> None:
    assert after(INSERTED, UPDATED).values() == {"a": 1, "b": 2, "c": None}
    assert after(UPDATED).exists


def test_a_deletion_takes_all_that_was_before() -> None:
    assert not after(INSERTED, UPDATED, DELETED).exists
    assert after(INSERTED, UPDATED, DELETED, CREATED).values() == {"d": 4}
    assert not mutate(State(), DELETED).existed
    assert mutate(after(INSERTED), DELETED).existed


def test_what_comes_late_changes_nothing_that_is_newer() -> None:
    assert mutate(after(DELETED), UPDATED).stale
    assert not after(DELETED, UPDATED).exists
    assert after(UPDATED, INSERTED).values() == {"a": 1, "b": 2, "c": None}


def test_the_order_of_processing_does_not_count() -> None:
    states = [after(*order) for order in permutations([INSERTED, UPDATED, DELETED, CREATED])]
    assert all(state == states[0] for state in states)


MUTATIONS = st.lists(
    st.builds(
        Mutation,
        st.sampled_from(MutationType),
        st.builds(Stamp, st.integers(0, 4), st.sampled_from("kl"), st.integers(1, 3)),
        st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)),
    ),
    max_size=6,
    unique_by=lambda mutation: mutation.stamp,
)


@given(MUTATIONS, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_gives_the_same(mutations: list[Mutation], random: Any) -> None:
    shuffled = mutations * 2
    random.shuffle(shuffled)
    assert after(*shuffled).values() == after(*mutations).values()
    assert after(*shuffled).exists == after(*mutations).exists
    assert after(*mutations, *mutations) == after(*mutations)
    in_order = after(*sorted(mutations, key=lambda mutation: mutation.stamp))
    assert after(*shuffled).values() == in_order.values()
