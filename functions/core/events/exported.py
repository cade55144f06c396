"""The exported record: what the event store holds of an event, one JSON object with all of its keys."""

from functools import lru_cache
from typing import Any

import msgspec

from functions.core.events import identities, timestamps
from functions.core.events.fields import COLUMN_OF, COLUMNS, OWN_DATA, Kind
from functions.core.events.stamps import Stamps, event_time, of_milliseconds

Record = dict[str, Any]

_EMPTY: Record = {
    name: {} if kind in {Kind.DICTIONARY, Kind.PROPERTIES, Kind.GROUPS} else None
    for name, kind in COLUMNS.items()
}
_OWN_DATA = frozenset(OWN_DATA)
_OURS = {"app", "client_upload_time", "processed_time", "server_received_time", "server_upload_time", "uuid"}
"""Columns that an event does not bring: what it brings under their names is what another part had."""

_NOT_NULL = {"library", "session_id"} | {name for name, value in _EMPTY.items() if value is not None}

_NO_SESSION = -1


class _Shape(msgspec.Struct, frozen=True):
    """What becomes of the fields of events that bring the same ones.

    `ours` are columns that they may not bring, `kept` columns that are not null without them, `data` what has no
    column but `data`, `gone` everything that is no column under its name.
    """

    gone: tuple[str, ...]
    ours: tuple[str, ...]
    kept: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    data: tuple[str, ...]


@lru_cache(maxsize=4096)
def _shape(names: tuple[str, ...]) -> _Shape:
    return _Shape(
        gone=tuple(name for name in names if name not in COLUMNS),
        ours=tuple(name for name in names if name in _OURS),
        kept=tuple(name for name in names if name in _NOT_NULL),
        renamed=tuple((name, COLUMN_OF[name]) for name in names if name in COLUMN_OF),
        data=tuple(name for name in names if name in _OWN_DATA),
    )


class Recorder:
    """Makes the records of one part: of one project, with the same stamps.

    `part` is the part's name: where an event has no insert id its `uuid` is one of the part and its line.
    """

    def __init__(self, project: int, stamps: Stamps, *, part: str, library: str | None = None) -> None:
        self._project = project
        self._part = part
        self._received = timestamps.text(stamps.server_received)
        self._skew = stamps.skew
        sent = stamps.server_received if stamps.client_upload is None else stamps.client_upload
        self._common = _EMPTY | {
            "app": project,
            "client_upload_time": timestamps.text(sent),
            "library": library,
            "processed_time": timestamps.text(stamps.processed),
            "server_received_time": self._received,
            "server_upload_time": timestamps.text(stamps.server_upload),
            "session_id": _NO_SESSION,
        }

    def record(self, event: Record, line: int) -> Record:
        """The record of an event that the rules have taken; `line` is its place in the part, from 1.

        Its keys are those of `COLUMNS`, in that order, and in a mirror `mutation_type` too, at its place. What
        the event brings counts, but for the stamps, the project and the uuid, which are always ours.
        """
        common = self._common
        # Nearly all events of a part bring the same fields: they are merged at once, and then put right.
        shape = _shape(tuple(event))
        record = common | event
        for name in shape.gone:
            del record[name]
        for name in shape.ours:
            record[name] = common[name]
        for name in shape.kept:
            if event[name] is None:
                record[name] = common[name]
        for name, column in shape.renamed:
            if event[name] is not None:
                record[column] = event[name]
        if shape.data:
            data = {name: event[name] for name in shape.data if event[name] is not None}
            record["data"] = data | record["data"] if data else record["data"]
        self._tell_times(event, record)
        record["amplitude_id"] = identities.amplitude_id(self._project, event)
        record["uuid"] = self._uuid(record, line)
        mutation = event.get("mutation_type")
        return record if mutation is None else dict(sorted({**record, "mutation_type": mutation}.items()))

    def _tell_times(self, event: Record, record: Record) -> None:
        told = record["client_event_time"]
        if told is None:
            when = event.get("time")
            told = self._received if when is None else of_milliseconds(when)
            record["client_event_time"] = told
        if record["event_time"] is None:
            record["event_time"] = event_time(told, self._skew) if self._skew else told

    def _uuid(self, record: Record, line: int) -> str:
        insert_id = record["$insert_id"]
        if insert_id is None:
            return identities.uuid5(f"part {line} {self._part}")
        return identities.event_uuid(self._project, record["device_id"], insert_id)
