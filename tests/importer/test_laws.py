"""Laws of an import: chunks and ends of processes change nothing of what a file becomes."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.errors import Transient
from functions.core.imports import Counters, FileState
from functions.core.profiles import Subject
from tests.importer.memory import SECONDS, ImportWorld, Killed

FIELDS = ("event_type", "user_id", "time", "insert_id", "event_properties", "user_properties")
CONVERTER = {
    "converterConfig": {"fileType": "json", "convertToAmplitudeFunc": {name: name for name in FIELDS}},
    "keyValidatorConfig": {"filterPattern": r"\w+\.json"},
}
LONGER_THAN_A_LEASE = 2 * SECONDS

_USERS = st.sampled_from(["user-1", "user-2"])
_INSERT_IDS = st.sampled_from([None, "i-1", "i-2", "i-3"])
_EVENTS = st.fixed_dictionaries(
    {
        "event_type": st.sampled_from(["watch", "watch", "watch", None]),
        "user_id": st.sampled_from(["user-1", "user-2", "u"]),
        "time": st.integers(0, 9),
        "insert_id": _INSERT_IDS,
        "event_properties": st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), max_size=2),
    }
)
_PROPERTIES = st.fixed_dictionaries(
    {
        "event_type": st.just("$identify"),
        "user_id": _USERS,
        "time": st.just(1),
        "user_properties": st.sampled_from([{"$add": {"n": 1}}, {"$append": {"l": "x"}}, {"$set": {"n": 5}}]),
    }
)
_LINES = st.one_of(
    _EVENTS.map(json.dumps),
    _EVENTS.map(json.dumps),
    _PROPERTIES.map(json.dumps),
    st.sampled_from(["{", "[]"]),
)
_FILES = st.lists(_LINES, max_size=12)

Became = tuple[list[dict[str, Any]], list[dict[str, Any]], dict[Subject, dict[str, Any]], Counters]


def world(lines: Sequence[str], **fields: Any) -> ImportWorld:
    return ImportWorld("\n".join(lines).encode(), converter=CONVERTER, **fields)


def became(done: ImportWorld) -> Became:
    assert done.file.state is FileState.DONE
    return done.records(), done.rejects(), done.properties(), done.file.counters


@given(_FILES, st.integers(1, 12))
def test_any_size_of_a_chunk_gives_the_same_events_rejects_and_properties(
    lines: list[str], size: int
) -> None:
    whole, chunked = world(lines), world(lines, chunk_records=size)
    whole.read()
    chunked.read()
    assert became(chunked) == became(whole)
    assert chunked.file.chunks == -(-len(lines) // size)


@given(_FILES, st.integers(1, 6), st.lists(st.integers(0, 40), min_size=1, max_size=2))
@settings(max_examples=300)
def test_a_process_may_end_between_any_two_steps(lines: list[str], size: int, kills: list[int]) -> None:
    undisturbed, killed = world(lines, chunk_records=size), world(lines, chunk_records=size, kills=kills)
    undisturbed.read()
    for _ in range(len(kills) + 1):
        try:
            killed.read()
        except Killed:
            killed.clock.now += LONGER_THAN_A_LEASE
        if killed.file.state is FileState.DONE:
            break
    assert became(killed) == became(undisturbed)


@given(_FILES, st.integers(1, 6), st.lists(st.integers(0, 40), max_size=1), st.sampled_from([0, 3600]))
def test_an_hour_that_is_sealed_meanwhile_takes_nothing_and_loses_nothing(
    lines: list[str], size: int, kills: list[int], seconds: int
) -> None:
    undisturbed, sealed = world(lines, chunk_records=size), world(lines, chunk_records=size, kills=kills)
    undisturbed.read()
    sealed.journal.before("commit", lambda: sealed.seal(seconds=seconds))
    for _ in range(4):
        try:
            sealed.read()
        except (Killed, Transient):
            sealed.clock.now += LONGER_THAN_A_LEASE
        if sealed.file.state is FileState.DONE:
            break
    assert became(sealed) == became(undisturbed)
    hours = {each.group for each in sealed.files.parts.values()}
    assert not hours & sealed.files.sealed or sealed.file.chunks > 1


def test_what_one_file_has_claimed_another_one_does_not_bring_again() -> None:
    lines = [json.dumps({"event_type": "x", "user_id": "user-1", "time": 1, "insert_id": "i-1"})]
    first, second = world(lines), world(lines, key="again.json")
    first.read()
    second.claims.held = first.claims.held
    second.read()
    assert (len(first.records()), second.records(), second.file.counters.duplicates) == (1, [], 1)


def test_nobody_reads_a_file_that_somebody_reads() -> None:
    killed = world(["{}"], kills=[1])
    with pytest.raises(Killed):
        killed.read()
    with pytest.raises(Transient, match="somebody else"):
        killed.read()
