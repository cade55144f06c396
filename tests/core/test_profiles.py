"""Whom records change, what their changes make of it, and that no order and no repetition makes a difference."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core import profiles
from functions.core.chunks import Change
from functions.core.events import operations
from functions.core.events.fields import DataType
from functions.core.events.mutations import Mutation, MutationType, Stamp, State
from functions.core.profiles import Effect, Kept, Kind, Origin, Outcome, Subject, effects, fold

ORIGIN = Origin(project=7, key="users/1.json", modified=1_000)
USER = Subject(7, Kind.USER, "ada@example.com")
PROFILE = Subject(7, Kind.PROFILE, "ada@example.com")


def user_row(record: int, properties: dict[str, Any], **ids: Any) -> Change:
    given = ids or {"user_id": "ada@example.com"}
    return Change(record, DataType.USER_PROPERTIES, {**given, "user_properties": properties})


def profile_row(record: int, mutation: str, **row: Any) -> Change:
    return Change(record, DataType.PROFILE, {"user_id": "ada@example.com", "mutation_type": mutation, **row})


def folded(kept: Kept, deeds: list[Effect]) -> Kept:
    body = fold(kept, deeds).body
    return kept if body is None else profiles.decode(body)


# Whom a record changes


def test_a_row_changes_its_user_or_where_it_has_none_its_device() -> None:
    found = effects(
        [
            user_row(1, {"a": 1}, user_id="ada@example.com", device_id="phone-1"),
            user_row(2, {"a": 2}, user_id=None, device_id="phone-1"),
        ],
        ORIGIN,
    )
    assert list(found) == [USER, Subject(7, Kind.DEVICE, "phone-1")]


def test_properties_apply_to_every_group_and_once_to_one_that_is_named_twice() -> None:
    row = {
        "groups": {"org": ["acme", "globex", "acme"], "plan": "gold"},
        "group_properties": {"$add": {"n": 1}},
    }
    found = effects([Change(1, DataType.GROUP_PROPERTIES, row)], ORIGIN)
    groups = [("org", "acme"), ("org", "globex"), ("plan", "gold")]
    assert list(found) == [Subject(7, Kind.GROUP, name, kind) for kind, name in groups]
    assert all(deeds == [Effect(1, {"$add": {"n": 1}})] for deeds in found.values())


def test_a_profile_has_the_fields_and_the_properties_of_its_row() -> None:
    row = profile_row(5, "UPDATE", country="Peru", city=None, user_properties={"plan": "gold"})
    [(subject, [deed])] = effects([row], ORIGIN).items()
    stamp = Stamp(1_000, "users/1.json", 5)
    assert subject == PROFILE
    assert deed.does == Mutation(MutationType.UPDATE, stamp, {"country": "Peru", "plan": "gold"})


def test_a_deletion_carries_no_fields() -> None:
    [[deed]] = effects([profile_row(5, "DELETE", country="Peru")], ORIGIN).values()
    assert isinstance(deed.does, Mutation)
    assert deed.does.fields == {}


def test_subjects_that_are_written_alike_are_told_apart() -> None:
    names = [("", "orgacme"), ("o", "rgacme"), ("org", "acme"), ("orgacme", "")]
    digests = {Subject(7, Kind.GROUP, name, kind).digest for kind, name in names}
    assert len(digests) == len(names)
    assert len({Subject(7, kind, "ada").digest for kind in Kind}) == len(Kind)


# What changes make of it


def test_operations_are_carried_out_in_the_order_of_the_records() -> None:
    rows = [
        user_row(3, {"$append": {"seen": "c"}}),
        user_row(1, {"$append": {"seen": "a"}}),
        user_row(2, {"x": 1}),
    ]
    [(subject, deeds)] = effects(rows, ORIGIN).items()
    assert folded(Kept(subject), deeds).values() == {"seen": ["a", "c"], "x": 1}


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), (False, 0)])
def test_values_that_python_thinks_equal_are_other_values(before: Any, after: Any) -> None:
    kept = folded(Kept(USER, {"a": before}), [Effect(1, {"a": after})])
    assert repr(kept.values()) == repr({"a": after})


def test_what_changes_nothing_is_not_stored() -> None:
    assert fold(Kept(USER, {"a": 1}), [Effect(1, {"a": 1})]) == profiles.Folded(None, Outcome(changes=1))


def test_a_subject_that_would_become_too_large_stays_as_it_was() -> None:
    deeds = [Effect(1, {"small": 1}), Effect(2, {"text": ["x" * 1_000] * 420})]
    assert fold(Kept(USER), deeds) == profiles.Folded(None, Outcome(too_large=2))
    assert fold(Kept(USER), deeds[:1]).outcome == Outcome(changes=1)


def test_late_rows_and_deletions_of_nothing_are_counted() -> None:
    rows = [profile_row(1, "DELETE"), profile_row(2, "INSERT", country="Peru"), profile_row(3, "DELETE")]
    [deeds] = effects(rows, ORIGIN).values()
    kept = folded(Kept(PROFILE), deeds)
    assert fold(Kept(PROFILE), deeds).outcome == Outcome(changes=2, absent=1)
    [earlier] = effects(
        [profile_row(9, "UPDATE", country="Chile")], Origin(project=7, key="a", modified=1)
    ).values()
    assert fold(kept, earlier) == profiles.Folded(None, Outcome(stale=1))
    assert not kept.state.exists
    assert kept.values() == {}


# Laws

_NAMES = st.sampled_from("abc")
_VALUES = st.one_of(
    st.integers(-3, 3), st.booleans(), st.none(), st.sampled_from(["x", "y"]), st.floats(-2, 2)
)
_STAMPS = st.builds(Stamp, st.integers(0, 2), st.sampled_from("kl"), st.integers(1, 3))
_MUTATIONS = st.lists(
    st.builds(Mutation, st.sampled_from(MutationType), _STAMPS, st.dictionaries(_NAMES, _VALUES)),
    max_size=6,
    unique_by=lambda each: each.stamp,
)


@given(_MUTATIONS, st.data())
def test_a_profile_is_the_same_in_whatever_order_and_chunks_its_rows_come(
    rows: list[Mutation], data: st.DataObject
) -> None:
    deeds = [
        Effect(
            row.stamp.record,
            row if row.type is not MutationType.DELETE else msgspec.structs.replace(row, fields={}),
        )
        for row in rows
    ]
    at_once = folded(Kept(PROFILE), deeds)
    shuffled = data.draw(st.permutations(deeds)) + data.draw(
        st.lists(st.sampled_from(deeds)) if deeds else st.just([])
    )
    one_by_one = Kept(PROFILE)
    for deed in shuffled:
        one_by_one = folded(one_by_one, [deed])
    assert profiles.encode(at_once) == profiles.encode(one_by_one)


_OPERATIONS = st.one_of(
    st.dictionaries(_NAMES, _VALUES),
    st.builds(
        lambda name, values: {name: values},
        st.sampled_from(["$set", "$append", "$preInsert", "$unset"]),
        st.dictionaries(_NAMES, _VALUES),
    ),
    st.builds(lambda values: {"$add": values}, st.dictionaries(_NAMES, st.integers(-3, 3))),
)


@given(st.lists(_OPERATIONS, min_size=1, max_size=6), st.integers(0, 6))
def test_operations_are_the_same_however_records_are_cut_into_chunks(
    rows: list[dict[str, Any]], cut: int
) -> None:
    expected: dict[str, Any] = {}
    for row in rows:
        expected = operations.apply(expected, row)
    deeds = [Effect(record, row) for record, row in enumerate(rows)]
    kept = folded(Kept(USER), deeds[:cut])
    assert repr(folded(kept, deeds[cut:]).values()) == repr(expected)


@given(st.dictionaries(_NAMES, _VALUES), _MUTATIONS)
def test_what_is_stored_is_read_as_it_was(properties: dict[str, Any], rows: list[Mutation]) -> None:
    state = folded(Kept(PROFILE), [Effect(1, row) for row in rows]).state
    for kept in (Kept(USER, properties), Kept(PROFILE, {}, state), Kept(PROFILE, {}, State())):
        again = profiles.decode(profiles.encode(kept))
        assert repr(again) == repr(kept)


def test_numbers_keep_their_digits() -> None:
    text = '{"a":0.1000000000000000055511151231257827,"b":18446744073709551616123}'
    given = msgspec.json.decode(profiles.encode(Kept(USER)))
    body = json.dumps(given | {"properties": "HERE"}).replace('"HERE"', text).encode()
    assert text.encode() in profiles.encode(profiles.decode(body))
