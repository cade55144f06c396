"""An exported file imports again: the records are the same, but for the stamps and what follows from the part."""

import gzip
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from functions.core.events.exported import Recorder
from functions.core.events.fields import COLUMNS
from functions.core.events.stamps import Stamps
from tests.core.strategies import TEXT
from tests.importer.memory import STAMPS, ImportWorld

PROJECT = 187520
OTHERWISE = {*STAMPS, "uuid", "library"}
CONVERTER: dict[str, Any] = {
    "converterConfig": {
        "fileType": "json",
        "compressionType": "gzip",
        "convertToAmplitudeFunc": {
            "insert_id": "$insert_id",
            "user_id": ["ifelse", ["eq", "user_id", ["value", ""]], ["value", None], "user_id"],
            "device_id": ["ifelse", ["eq", "device_id", ["value", ""]], ["value", None], "device_id"],
            "event_type": "event_type",
            "time": ["iso_time_to_ms", "event_time"],
            **{
                name: name
                for name in (
                    *("event_properties", "user_properties", "groups", "group_properties", "adid", "idfa"),
                    *("city", "country", "region", "dma", "language", "device_brand"),
                    *("device_manufacturer", "device_model", "os_name", "os_version", "platform", "library"),
                    *("location_lat", "location_lng", "event_id", "session_id"),
                )
            },
            "carrier": "device_carrier",
            "ip": "ip_address",
            "app_version": "version_name",
        },
    },
    "keyValidatorConfig": {"filterPattern": ".*\\.json\\.gz"},
}

_ID = TEXT.map(lambda text: f"id-{text}-id")
_WORDS = st.none() | TEXT
_PROPERTIES = st.dictionaries(
    st.sampled_from(["a", "b", "$", "é"]),
    st.one_of(TEXT, st.integers(-5, 5), st.booleans(), st.none()),
    max_size=3,
)
_NAMES = (
    *("adid", "idfa", "city", "country", "region", "dma", "language", "device_brand", "device_manufacturer"),
    *("device_model", "carrier", "os_name", "os_version", "platform", "ip", "app_version"),
)
_DEGREES = st.none() | st.floats(-180, 180)
EVENTS = st.fixed_dictionaries(
    {
        "insert_id": _ID,
        "user_id": _ID,
        "event_type": st.sampled_from(["watch", "é"]),
        "time": st.integers(-(10**12), 10**13),
    },
    optional={
        **dict.fromkeys(_NAMES, _WORDS),
        "device_id": st.none() | _ID,
        "location_lat": _DEGREES,
        "location_lng": _DEGREES,
        "event_id": st.none() | st.integers(-5, 2**40),
        "session_id": st.none() | st.integers(-1, 2**40),
        "event_properties": _PROPERTIES,
        "user_properties": _PROPERTIES,
        "group_properties": _PROPERTIES,
        "groups": st.dictionaries(st.sampled_from(["org", "team"]), TEXT | st.lists(TEXT, max_size=3)),
    },
)


def exported(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records as an export has them, of a year before."""
    stamps = Stamps(server_received=1_728_000_000_000_000, server_upload=1, processed=2)
    recorder = Recorder(PROJECT, stamps, part="p", library="http/2.0")
    return [recorder.record(event, line) for line, event in enumerate(events, 1)]


def imported(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
    world = ImportWorld(gzip.compress(lines), key="export.json.gz", converter=CONVERTER)
    world.read()
    assert world.rejects() == []
    return world.records()


def the_same(records: list[dict[str, Any]]) -> list[Any]:
    """What an export and its import have in common, in an order of its own."""
    return sorted(
        msgspec.json.encode({name: value for name, value in record.items() if name not in OTHERWISE})
        for record in records
    )


@given(st.lists(EVENTS, max_size=4, unique_by=lambda event: event["insert_id"]))
def test_an_export_comes_back_whole(events: list[dict[str, Any]]) -> None:
    records = exported(events)
    assert the_same(imported(records)) == the_same(records)


def test_an_import_of_an_import_is_the_first_one() -> None:
    event = {"insert_id": "i-1", "user_id": "john.doe", "event_type": "x", "time": 1_645_066_434_189}
    once = imported(exported([event]))
    assert the_same(imported(once)) == the_same(once)
    assert once[0].keys() | STAMPS == COLUMNS.keys()


def test_empty_ids_are_none() -> None:
    event = {"insert_id": "i-1", "device_id": "host1", "event_type": "x", "time": 1}
    [record] = exported([event])
    [back] = imported([record | {"user_id": ""}])
    assert (back["user_id"], back["amplitude_id"]) == (None, record["amplitude_id"])
