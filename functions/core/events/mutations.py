"""Mutations of a mirror: what a profile or an event is, in whatever order its rows are processed.

Of two mutations the one with the later stamp wins, for each field by itself, and a deletion for all fields that
were written before it. The state is a join of its mutations: to apply one twice, or two in any order, gives the
same.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class MutationType(StrEnum):
    """What a row does."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Stamp(msgspec.Struct, frozen=True, order=True):
    """Where a row comes from: its file's `LastModified`, in milliseconds since 1970, its key, its number."""

    modified: int
    key: str
    record: int


class Mutation(msgspec.Struct, frozen=True):
    """One row of a mirror: an insertion or an update carries fields, a deletion none."""

    type: MutationType
    stamp: Stamp
    fields: Mapping[str, Any] = {}


class Stamped(msgspec.Struct, frozen=True):
    """A field's value, and the row that it was last written by."""

    value: Any
    stamp: Stamp


class State(msgspec.Struct, frozen=True):
    """All that is known of a profile: its fields, when it was last written, when it was last deleted.

    Fields that were written before it was deleted are forgotten.
    """

    fields: Mapping[str, Stamped] = {}
    written: Stamp | None = None
    deleted: Stamp | None = None

    @property
    def exists(self) -> bool:
        """Whether it was written after it was last deleted."""
        return self.written is not None and not _later(self.deleted, self.written)

    def values(self) -> dict[str, Any]:
        """Its fields as they now stand, by name."""
        return {name: self.fields[name].value for name in sorted(self.fields)}


class Applied(msgspec.Struct, frozen=True):
    """What a mutation has made of a state; `existed` says whether there was anything before.

    `stale`: a later row had already said otherwise, and nothing has changed.
    """

    state: State
    existed: bool
    stale: bool


def apply(state: State, mutation: Mutation) -> Applied:
    """The state after one more mutation; an update of what is not there creates it."""
    stamp = mutation.stamp
    if mutation.type is MutationType.DELETE:
        after = State(_after(state.fields, stamp), state.written, _latest(state.deleted, stamp))
    elif _later(state.deleted, stamp):
        after = state
    else:
        written = {name: Stamped(value, stamp) for name, value in mutation.fields.items()}
        kept = {
            name: each
            for name, each in state.fields.items()
            if name not in written or _later(each.stamp, stamp)
        }
        after = State({**written, **kept}, _latest(state.written, stamp), state.deleted)
    return Applied(after, state.exists, after == state)


def _after(fields: Mapping[str, Stamped], stamp: Stamp) -> dict[str, Stamped]:
    return {name: each for name, each in fields.items() if each.stamp > stamp}


def _later(one: Stamp | None, other: Stamp) -> bool:
    """Whether a stamp is there and not before the other."""
    return one is not None and one >= other


def _latest(one: Stamp | None, other: Stamp) -> Stamp:
    return other if one is None else max(one, other)
