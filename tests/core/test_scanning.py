"""Passes: a listing beside the ledger, and when a pass is begun, gone on with and over."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent
from functions.core.imports import FileState, Found, ImportFile, pinned, waiting
from functions.core.scanning import (
    Seen,
    asked_again,
    below,
    due,
    gone,
    left,
    merged,
    next_pass,
    noted,
    over,
    progressed,
    taken,
)
from functions.core.sealing import AGAIN_SECONDS, GRACE_SECONDS

KEYS = st.sets(st.text(min_size=1, max_size=4).filter(lambda text: text.isprintable()), max_size=12)


def found(key: str = "in/a", **changes: Any) -> Found:
    return msgspec.structs.replace(Found(key=key, etag="e1", size=1, modified=1_000), **changes)


def known(key: str = "in/a", **changes: Any) -> ImportFile:
    file = waiting(found(key), source="acme-in", bucket="b", now=50)
    return msgspec.structs.replace(file, **changes)


def in_order(keys: set[str]) -> list[str]:
    return sorted(keys, key=str.encode)


@given(listed=KEYS, stored=KEYS)
def test_every_key_comes_once_and_in_order(listed: set[str], stored: set[str]) -> None:
    pairs = list(merged(map(found, in_order(listed)), map(known, in_order(stored))))
    assert [pair.key for pair in pairs] == in_order(listed | stored)
    assert {pair.key for pair in pairs if pair.found} == listed
    assert {pair.key for pair in pairs if pair.known} == stored


@pytest.mark.parametrize("keys", [["b", "a"], ["a", "a"], ["é", "z"]])
def test_nothing_follows_from_a_listing_that_is_not_in_order(keys: list[str]) -> None:
    with pytest.raises(Permanent) as caught:
        list(merged(map(found, keys), [known("c")]))
    assert caught.value.code is Code.INVALID_BUCKET


def test_a_listing_that_breaks_off_says_nothing_of_what_comes_after() -> None:
    def listing() -> Any:
        yield found("a")
        raise Permanent(Code.MISSING_PERMISSION, "no more")

    pairs = merged(listing(), map(known, ["a", "b", "c"]))
    assert next(pairs).key == "a"
    with pytest.raises(Permanent):
        next(pairs)


def test_files_below_another_prefix_are_left_out() -> None:
    keys = ["a/1", "in", "in/", "in/1", "in/é", "in0", "z"]
    assert [file.key for file in below(map(known, keys), "in/")] == ["in/", "in/1", "in/é"]
    assert [file.key for file in below(map(known, keys), "")] == keys


def test_nothing_is_noted_of_what_is_as_it_was() -> None:
    assert noted(found(), known()) is None
    assert noted(found(version_id="v1"), known()) is None
    assert noted(found(modified=5), known(state=FileState.DONE)) is None


def test_a_file_that_nobody_has_opened_is_what_is_found() -> None:
    newer = found(etag="e2", size=2, modified=2_000)
    assert noted(newer, known()) == known(etag="e2", size=2, modified=2_000)
    opened = pinned(known(), version=1, now=0, records=1, size=1)
    assert noted(newer, opened) is None
    assert noted(newer, msgspec.structs.replace(opened, state=FileState.WAITING)) is None


@pytest.mark.parametrize("state", [FileState.DONE, FileState.FAILED, FileState.SKIPPED])
def test_a_change_after_the_import_is_noted_once(state: FileState) -> None:
    file = known(state=state, version=1)
    changed = noted(found(etag="e2", modified=2_000), file)
    assert changed == msgspec.structs.replace(file, changed_at=2_000)
    assert noted(found(etag="e2", modified=2_000), changed) is None
    assert noted(found(etag="e3", modified=3_000), changed) is not None
    assert noted(found(version_id="v2"), msgspec.structs.replace(file, version_id="v1")) is not None


def test_a_file_is_gone_unless_it_came_meanwhile_or_waits_still() -> None:
    done = known(state=FileState.DONE)
    assert gone(done, began=51)
    assert not gone(done, began=50)
    assert not gone(known(), began=51)


def test_a_pass_is_due_after_its_minutes_and_never_while_one_is_under_way() -> None:
    first = next_pass("acme-in", None, now=1_000)
    assert due(None, minutes=15, now=0)
    assert not due(first, minutes=15, now=10**9)
    ended = over(first, now=1_001)
    assert not due(ended, minutes=15, now=1_899)
    assert due(ended, minutes=15, now=1_900)
    second = next_pass("acme-in", msgspec.structs.replace(ended, revision=7, keys=5, after="z"), now=2_000)
    assert second == msgspec.structs.replace(first, began=2_000, look_at=2_000 + AGAIN_SECONDS, revision=7)


def test_a_pass_that_nobody_goes_on_with_is_asked_for_again() -> None:
    begun = next_pass("acme-in", None, now=0)
    assert asked_again(begun, now=AGAIN_SECONDS - 1) is None
    again = asked_again(begun, now=AGAIN_SECONDS)
    assert again is not None
    assert again.look_at == 2 * AGAIN_SECONDS
    mine = taken(begun, now=0, until=5_000)
    assert mine is not None
    assert asked_again(mine, now=5_000 + GRACE_SECONDS - 1) is None
    assert asked_again(mine, now=5_000 + GRACE_SECONDS) is not None
    assert asked_again(over(mine, now=1), now=10**9) is None


def test_one_at_a_time_has_a_pass() -> None:
    begun = next_pass("acme-in", None, now=0)
    mine = taken(begun, now=0, until=10)
    assert mine is not None
    assert taken(mine, now=10, until=20) is None
    assert taken(mine, now=10 + GRACE_SECONDS, until=200) is not None
    assert taken(left(mine, now=5), now=5, until=20) is not None
    assert taken(over(mine, now=5), now=500, until=600) is None


def test_a_pass_counts_what_it_saw() -> None:
    scan = progressed(next_pass("acme-in", None, now=0), Seen(keys=2, found=1), after="b")
    scan = progressed(scan, Seen(keys=3, changed=1, forgotten=4), after="e")
    assert (scan.after, scan.keys, scan.found, scan.changed, scan.forgotten) == ("e", 5, 1, 1, 4)
