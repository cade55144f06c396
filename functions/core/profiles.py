"""Properties of users, groups and profiles: whom a record changes, and what all changes of a chunk make of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from functions.core.chunks import Change
from functions.core.digests import digest
from functions.core.events import mutations, operations
from functions.core.events.fields import DataType
from functions.core.events.mutations import Mutation, MutationType, Stamp, Stamped, State
from functions.core.events.rules import Row
from functions.core.formats.json_values import number

SCHEMA = 1
"""Of what is kept; a release reads its own and the one before."""

MAX_BYTES = 400 * 1024 - 2_048
"""Of what is kept of one subject: an item of DynamoDB has 400 KB, of which its keys and names take a part."""

_NO_FIELDS = frozenset({"user_id", "mutation_type", "user_properties", "$skip_user_properties_sync"})


class Kind(StrEnum):
    """A user is known by its id; a device stands for a user who is not known; a profile is a row of a mirror."""

    USER = "user"
    DEVICE = "device"
    GROUP = "group"
    PROFILE = "profile"


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom properties belong to; a group is known by its type, too."""

    project: int
    kind: Kind
    id: str
    group_type: str = ""

    @property
    def digest(self) -> str:
        """A name for the subject, whatever the length of its id: 32 hexadecimal digits."""
        return digest(str(self.project), self.kind, self.group_type, self.id)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where records come from: the project of the source; the file, and its `LastModified` in milliseconds."""

    project: int
    key: str
    modified: int


class Effect(msgspec.Struct, frozen=True):
    """What one record does to one subject: property operations, plain properties, or a mutation of a profile."""

    record: int
    does: Mapping[str, Any] | Mutation


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a subject: the properties of a user or a group; of a profile its state."""

    subject: Subject
    properties: Mapping[str, Any] = {}
    state: State = State()

    def values(self) -> dict[str, Any]:
        """Properties, or the fields of a profile, as they now stand."""
        return self.state.values() if self.subject.kind is Kind.PROFILE else dict(self.properties)


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many records of a chunk changed a subject, and how many could not.

    `stale`: a later row had already said otherwise; `absent`: deletions of what was not there; `too_large`: the
    subject would have become too large, so that none of them was applied.
    """

    changes: int = 0
    stale: int = 0
    absent: int = 0
    too_large: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )


class Folded(msgspec.Struct, frozen=True):
    """What records have made of a subject: as it is stored, None where it stays what it was."""

    body: bytes | None
    outcome: Outcome


def effects(changes: Iterable[Change], origin: Origin) -> dict[Subject, list[Effect]]:
    """What these records do, by subject; of each subject in the order of the records."""
    found: dict[Subject, list[Effect]] = defaultdict(list)
    for change in sorted(changes, key=lambda each: each.record):
        for subject in _subjects(change, origin.project):
            found[subject].append(Effect(change.record, _deed(change, origin)))
    return dict(found)


def fold(kept: Kept, deeds: Sequence[Effect]) -> Folded:
    """A subject after all that a chunk does to it, in this order."""
    properties, state = kept.properties, kept.state
    stale = absent = 0
    for deed in deeds:
        if isinstance(deed.does, Mutation):
            applied = mutations.apply(state, deed.does)
            state = applied.state
            stale += applied.stale
            absent += not applied.stale and not applied.existed and deed.does.type is MutationType.DELETE
        else:
            properties = operations.apply(properties, deed.does)
    # As bytes: to Python 1, 1.0 and true are the same.
    body = encode(Kept(kept.subject, properties, state))
    if len(body) > MAX_BYTES:
        return Folded(None, Outcome(too_large=len(deeds)))
    outcome = Outcome(changes=len(deeds) - stale - absent, stale=stale, absent=absent)
    return Folded(None if body == encode(kept) else body, outcome)


def _subjects(change: Change, project: int) -> Iterator[Subject]:
    row = change.row
    if change.kind is DataType.PROFILE:
        yield Subject(project, Kind.PROFILE, row["user_id"])
    elif change.kind is DataType.GROUP_PROPERTIES:
        for group_type, given in row["groups"].items():
            for name in dict.fromkeys(given if isinstance(given, list) else [given]):
                yield Subject(project, Kind.GROUP, name, group_type)
    elif row.get("user_id") is not None:
        yield Subject(project, Kind.USER, row["user_id"])
    else:
        yield Subject(project, Kind.DEVICE, row["device_id"])


def _deed(change: Change, origin: Origin) -> Mapping[str, Any] | Mutation:
    row = change.row
    if change.kind is not DataType.PROFILE:
        return row["group_properties" if change.kind is DataType.GROUP_PROPERTIES else "user_properties"]  # type: ignore[no-any-return] # the rules have made sure that it is an object
    kind = MutationType(row["mutation_type"])
    stamp = Stamp(origin.modified, origin.key, change.record)
    return Mutation(kind, stamp, {} if kind is MutationType.DELETE else _fields(row))


def _fields(row: Row) -> dict[str, Any]:
    """The fields of a profile: what its row has, and its properties; operations are as on a profile without any."""
    own = {name: value for name, value in row.items() if value is not None and name not in _NO_FIELDS}
    return own | operations.apply({}, row.get("user_properties") or {})


class _Stored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept, as it is stored: rows by their places in `stamps`, since their keys are long and few."""

    schema: int
    subject: Subject
    properties: Mapping[str, Any] = {}
    stamps: list[Stamp] = []
    fields: dict[str, tuple[Any, int]] = {}
    written: int | None = None
    deleted: int | None = None


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(_Stored, float_hook=number)


def encode(kept: Kept) -> bytes:
    """What is kept of a subject, as JSON; of a profile that is deleted, not when it was written.

    That would be known only if the row that wrote it came before the one that deleted it.
    """
    state = kept.state
    written = state.written if state.exists else None
    used = {each.stamp for each in state.fields.values()} | {written, state.deleted}
    stamps = sorted(stamp for stamp in used if stamp is not None)
    places = {stamp: place for place, stamp in enumerate(stamps)}
    return _ENCODER.encode(
        _Stored(
            schema=SCHEMA,
            subject=kept.subject,
            properties=kept.properties,
            stamps=stamps,
            fields={name: (each.value, places[each.stamp]) for name, each in sorted(state.fields.items())},
            written=None if written is None else places[written],
            deleted=None if state.deleted is None else places[state.deleted],
        )
    )


def decode(body: bytes) -> Kept:
    """What `encode` has encoded."""
    stored = _DECODER.decode(body)
    fields = {name: Stamped(value, stored.stamps[place]) for name, (value, place) in stored.fields.items()}
    state = State(
        fields,
        None if stored.written is None else stored.stamps[stored.written],
        None if stored.deleted is None else stored.stamps[stored.deleted],
    )
    return Kept(stored.subject, stored.properties, state)
