"""The exported record: all of its keys, what they are derived from, and that exports come back whole."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.events.exported import Recorder
from functions.core.events.fields import COLUMNS, INPUTS
from functions.core.events.identities import claim, event_identity, insert_id, made_insert_id
from functions.core.events.rules import Rules
from functions.core.events.stamps import Stamps, of_milliseconds
from functions.core.events.timestamps import text

RECEIVED = 1_760_410_739_323_405
LATER = RECEIVED + 3_600_000_000
STAMPS = Stamps(server_received=RECEIVED, server_upload=RECEIVED + 1, processed=RECEIVED + 2)
EVENT: dict[str, Any] = {
    "user_id": "john.doe",
    "device_id": "host1",
    "event_type": "watch",
    "time": 1_645_066_434_189,
    "insert_id": "i-1",
    "app_version": "1.2",
    "carrier": "Acme",
    "ip": "127.0.0.1",
    "session_id": 5,
    "price": 12.5,
    "idfv": "v",
    "event_properties": {"a": 1},
}


def record(
    event: dict[str, Any], stamps: Stamps = STAMPS, line: int = 1, project: int = 187520
) -> dict[str, Any]:
    return Recorder(project, stamps, part="p", library="http/2.0").record(event, line)


def test_the_whole_record() -> None:
    assert record(EVENT) == dict.fromkeys(COLUMNS) | {
        "$insert_id": "i-1",
        "amplitude_id": record(EVENT)["amplitude_id"],
        "app": 187520,
        "client_event_time": "2022-02-17 02:53:54.189000",
        "client_upload_time": "2025-10-14 02:58:59.323405",
        "data": {"price": 12.5, "idfv": "v"},
        "device_carrier": "Acme",
        "device_id": "host1",
        "event_properties": {"a": 1},
        "event_time": "2022-02-17 02:53:54.189000",
        "event_type": "watch",
        "group_properties": {},
        "groups": {},
        "ip_address": "127.0.0.1",
        "library": "http/2.0",
        "processed_time": "2025-10-14 02:58:59.323407",
        "server_received_time": "2025-10-14 02:58:59.323405",
        "server_upload_time": "2025-10-14 02:58:59.323406",
        "session_id": 5,
        "user_id": "john.doe",
        "user_properties": {},
        "uuid": record(EVENT)["uuid"],
        "version_name": "1.2",
    }
    assert list(record(EVENT)) == sorted(COLUMNS)


def test_an_event_of_nearly_nothing() -> None:
    given = record({"device_id": "host1", "event_type": "x", "time": None, "country": None})
    assert list(given) == list(COLUMNS)
    assert given["session_id"] == -1
    assert given["client_event_time"] == given["event_time"] == given["server_received_time"]
    assert given["data"] == given["user_properties"] == {}


SKEWS = [(0, 0), (59_999_999, 0), (-59_999_999, 0), (60_000_000, 60), (-60_000_000, -60)]


@pytest.mark.parametrize(("microseconds", "seconds"), SKEWS)
def test_a_sender_whose_clock_is_wrong(microseconds: int, seconds: int) -> None:
    stamps = msgspec.structs.replace(STAMPS, client_upload=RECEIVED - microseconds)
    given = record(EVENT | {"time": 0}, stamps)
    assert given["client_upload_time"] == text(RECEIVED - microseconds)
    assert given["event_time"] == text(seconds * 1_000_000)
    assert given["client_event_time"] == "1970-01-01 00:00:00.000000"


def test_a_clock_so_wrong_that_there_is_no_such_time() -> None:
    stamps = msgspec.structs.replace(STAMPS, client_upload=0)
    given = record(EVENT | {"time": 253_402_300_799_999}, stamps)
    assert given["event_time"] == given["client_event_time"] == "9999-12-31 23:59:59.999000"


@pytest.mark.parametrize("milliseconds", [-62_135_596_800_000, -1, 0, 1_645_066_434_189, 253_402_300_799_999])
def test_timestamps_of_milliseconds(milliseconds: int) -> None:
    assert of_milliseconds(milliseconds) == text(milliseconds * 1000)


def test_ids_are_functions_of_what_they_are_ids_of() -> None:
    first = record(EVENT)
    assert (
        record(EVENT, msgspec.structs.replace(STAMPS, server_received=LATER), line=9)["uuid"] == first["uuid"]
    )
    others = [
        record(EVENT | {"insert_id": "i-2"}),
        record(EVENT | {"device_id": "host2"}),
        record(EVENT | {"device_id": None}),
        record(EVENT, project=1),
        record(EVENT | {"insert_id": None}),
        record(EVENT | {"insert_id": None}, line=2),
    ]
    uuids = {each["uuid"] for each in [first, *others]}
    assert len(uuids) == 7
    assert all(len(uuid) == 36 and uuid[14] == "5" and uuid[19] in "89ab" for uuid in uuids)


def test_the_amplitude_id_is_that_of_the_user_else_of_the_device() -> None:
    first = record(EVENT)["amplitude_id"]
    assert 0 <= first < 2**63
    assert record(EVENT | {"device_id": "other"})["amplitude_id"] == first
    assert record(EVENT | {"user_id": "other"})["amplitude_id"] != first
    assert record(EVENT, project=1)["amplitude_id"] != first
    device = record(EVENT | {"user_id": None})["amplitude_id"]
    assert device not in {first, record(EVENT | {"user_id": "host1", "device_id": None})["amplitude_id"]}
    assert record(EVENT | {"amplitude_id": 7})["amplitude_id"] == 7


def test_names_of_columns_count_less_than_names_of_fields() -> None:
    given = record(
        EVENT | {"$insert_id": "other", "version_name": "9", "device_carrier": "x", "ip_address": "y"}
    )
    assert [given[name] for name in ("$insert_id", "version_name", "device_carrier", "ip_address")] == [
        "i-1",
        "1.2",
        "Acme",
        "127.0.0.1",
    ]
    given = record({"device_id": "host1", "event_type": "x", "time": 0, "$insert_id": "i-3"})
    assert given["$insert_id"] == "i-3"
    assert insert_id({"$insert_id": "i-3"}) == "i-3"


def test_an_export_comes_back_whole() -> None:
    brought = EVENT | {
        "user_properties": {"plan": "pro"},
        "groups": {"company": ["acme"]},
        "event_time": "2022-02-17 02:55:00.123456",
        "client_event_time": "2022-02-17 02:54:00.000001",
        "$schema": "12",
        "amplitude_event_type": "x",
        "is_attribution_event": False,
        "data": {"path": "/batch"},
        "paying": True,
        "sample_rate": "1",
    }
    exported = record(brought)
    again = Rules().judge(exported | {"time": 1_645_066_434_189})
    assert isinstance(again, dict)
    stamps = Stamps(server_received=LATER, server_upload=LATER, processed=LATER)
    imported = Recorder(187520, stamps, part="q").record(again, 5)
    ours = {
        "server_received_time",
        "server_upload_time",
        "processed_time",
        "client_upload_time",
        "uuid",
        "library",
    }
    assert [name for name in COLUMNS if imported[name] != exported[name] and name not in ours] == []


def test_the_mutation_of_a_mirror_stands_at_its_place() -> None:
    given = record(EVENT | {"mutation_type": "DELETE"})
    assert list(given) == sorted({*COLUMNS, "mutation_type"})
    assert given["mutation_type"] == "DELETE"


def test_made_insert_ids() -> None:
    made = {made_insert_id(*name) for name in [("b", "k", 1), ("b", "k", 2), ("b", "k1", 1), ("c", "k", 1)]}
    assert len(made) == 4
    assert made_insert_id("b", "k", 1) in made


def test_what_claims_and_mirrors_go_by() -> None:
    assert claim(EVENT) == ("i-1", "host1")
    assert claim(EVENT | {"device_id": None}) == ("i-1", "john.doe")
    assert claim({"device_id": "host1"}) is None
    assert event_identity(EVENT) == ("john.doe", "i-1", 1_645_066_434_189)


def test_the_stamps_are_instants() -> None:
    assert text(RECEIVED) == datetime.fromtimestamp(RECEIVED / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.sampled_from(
        ["1", "true", "EUR", "DELETE", "2022-02-17T02:53:54Z", 253_402_300_799_999, -62_135_596_800_000]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(INPUTS)), VALUES), st.integers(-(2**45), 2**45))
def test_every_row_that_is_taken_becomes_a_whole_record(fields: dict[str, Any], skew: int) -> None:
    stamps = msgspec.structs.replace(STAMPS, client_upload=RECEIVED - skew)
    row = Rules().judge({"user_id": "john.doe", "event_type": "x", "time": 0} | fields)
    if isinstance(row, dict):
        before = repr(row)
        made = record(row, stamps)
        assert set(COLUMNS) == set(made) - {"mutation_type"}
        assert msgspec.json.decode(msgspec.json.encode(made)).keys() == made.keys()
        assert repr(row) == before
