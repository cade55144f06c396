"""Which rows are taken, as what they are kept, and why others are not."""

from decimal import Decimal
from typing import Any

import pytest

from functions.core.events.fields import COLUMNS, INPUTS, DataType
from functions.core.events.rules import MISSING, Refusal, Rules

EVENT: dict[str, Any] = {"user_id": "john.doe", "event_type": "watch", "time": 1_645_066_434_189}
LONG = "x" * 1025


def judged(fields: dict[str, Any], rules: Rules | None = None) -> Any:
    return (rules or Rules()).judge(EVENT | fields)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


KEPT: list[tuple[str, Any, Any]] = [
    ("time", "1645066434189", 1645066434189),
    ("time", 1645066434189.0, 1645066434189),
    ("time", 1645066434, 1645066434),
    ("time", -1, -1),
    ("time", -62135596800000, -62135596800000),
    ("time", 253402300799999, 253402300799999),
    ("session_id", "1", 1),
    ("session_id", "-1", -1),
    ("session_id", 1.0, 1),
    ("event_id", 7, 7),
    ("event_id", None, None),
    ("price", "12.5", 12.5),
    ("price", "12", 12),
    ("price", "1e2", 100.0),
    ("revenue", -1, -1),
    ("revenue", Decimal("12.50"), 12.5),
    ("location_lat", "52.52", 52.52),
    ("location_lng", 13, 13.0),
    ("country", LONG, LONG[:1024]),
    ("country", "é" * 1025, "é" * 1024),
    ("country", "", ""),
    ("app_version", 1.5, "1.5"),
    ("app_version", 2, "2"),
    ("app_version", Decimal("1E+2"), "100"),
    ("device_id", 123456, "123456"),
    ("paying", "true", True),
    ("paying", False, False),
    ("currency", "EUR", "EUR"),
    ("plan", {"branch": LONG}, {"branch": LONG[:1024]}),
    ("event_properties", {"a": LONG, "b": [LONG, 1]}, {"a": LONG[:1024], "b": [LONG[:1024], 1]}),
    ("event_properties", nested(40), nested(40)),
    ("event_properties", {"$set": 1}, {"$set": 1}),
    ("user_properties", {"$add": {"n": 1}, "$set": {"a": None}}, {"$add": {"n": 1}, "$set": {"a": None}}),
    ("user_properties", {"$other": 1, "a": 2}, {"$other": 1, "a": 2}),
    ("groups", {"company": "acme", "team": ["a", 2]}, {"company": "acme", "team": ["a", "2"]}),
    ("groups", {"company": None}, {}),
    ("groups", {str(number): "a" for number in range(5)}, {str(number): "a" for number in range(5)}),
    ("mutation_type", "DELETE", "DELETE"),
    ("event_time", "2022-02-17T02:53:54.189Z", "2022-02-17 02:53:54.189000"),
    ("event_time", "2022-02-17 02:53:54.189001", "2022-02-17 02:53:54.189001"),
    ("client_event_time", "2022-02-17 03:53:54+01:00", "2022-02-17 02:53:54.000000"),
    ("amplitude_id", "9223372036854775807", 9223372036854775807),
]


@pytest.mark.parametrize(("field", "value", "kept"), KEPT)
def test_what_is_kept_of_a_value(field: str, value: Any, kept: Any) -> None:
    row = judged({field: value})
    assert (row[field], type(row[field])) == (kept, type(kept))
    # Rules that have been kept are kept again.
    assert Rules().judge(row) == row


UNFIT: list[tuple[str, Any, str]] = [
    ("time", "2022-02-17", "must be milliseconds"),
    ("time", "", "must be milliseconds"),
    ("time", True, "must be milliseconds"),
    ("time", {}, "must be milliseconds"),
    ("time", float("nan"), "must be milliseconds"),
    ("time", "١٢٣", "must be milliseconds"),
    ("time", -62167219200000, "outside the years 1 to 9999"),
    ("time", "9223372036854775807", "outside the years 1 to 9999"),
    ("time", 1e300, "outside the years 1 to 9999"),
    ("session_id", "1.5", "must be an integer"),
    ("session_id", 1.5, "must be an integer"),
    ("session_id", True, "must be an integer"),
    ("session_id", float("inf"), "must be an integer"),
    ("session_id", 2**63, "64 bits"),
    ("session_id", "9999999999999999999", "64 bits"),
    ("event_id", [1], "must be an integer"),
    ("price", "", "must be a number"),
    ("price", "nan", "must be a number"),
    ("price", "1_0", "must be a number"),
    ("price", "1e999", "must be a number"),
    ("price", float("inf"), "must be a number"),
    ("price", Decimal("1e400"), "must be a number that a double holds"),
    ("price", 10**400, "must be a number that a double holds"),
    ("event_id", Decimal("1e400"), "is an integer of more than 64 bits"),
    ("event_id", Decimal("1e-400"), "must be an integer"),
    ("price", False, "must be a number"),
    ("location_lat", 10**400, "a double"),
    ("country", ["DE"], "must be text"),
    ("country", True, "must be text"),
    ("user_id", {"id": 1}, "must be text"),
    ("paying", "yes", "must be true or false"),
    ("paying", 1, "must be true or false"),
    ("currency", "eur", "three capitals"),
    ("currency", "EURO", "three capitals"),
    ("currency", 978, "three capitals"),
    ("event_properties", "{}", "must be an object"),
    ("event_properties", [], "must be an object"),
    ("event_properties", nested(41), "nested deeper than 40"),
    ("event_properties", nested(5000), "nested deeper than 40"),
    ("event_properties", {"a": float("nan")}, "NaN"),
    ("event_properties", {"a": b"x"}, "bytes"),
    ("user_properties", {"$set": {}, "a": 1}, "mixes operations"),
    ("user_properties", {"$set": 1}, "`$set` must be an object"),
    ("user_properties", {"$add": {"a": "1"}}, "must be given numbers"),
    ("user_properties", {"$add": {"a": True}}, "must be given numbers"),
    ("groups", ["acme"], "must be an object"),
    ("groups", {"company": {}}, "must be text"),
    ("groups", {str(number): "a" for number in range(6)}, "more than 5 group types"),
    ("groups", {"a": list("abcdefghijk")}, "more than 10 groups"),
    ("mutation_type", "insert", "must be INSERT, UPDATE or DELETE"),
    ("mutation_type", ["INSERT"], "must be INSERT, UPDATE or DELETE"),
    ("event_time", "yesterday", "must be a timestamp"),
    ("event_time", 1645066434189, "must be a timestamp"),
]


@pytest.mark.parametrize(("field", "value", "reason"), UNFIT)
def test_what_a_field_cannot_be(field: str, value: Any, reason: str) -> None:
    refusal = judged({field: value})
    assert isinstance(refusal, Refusal)
    assert refusal.field == field
    assert reason in refusal.reason
    assert not refusal.missing


SHORTER = "shorter than 5 characters"
IDS: list[tuple[dict[str, Any], Any]] = [
    ({"user_id": "john", "device_id": "host1"}, {"device_id": "host1"}),
    ({"user_id": "john.doe", "device_id": "x"}, {"user_id": "john.doe"}),
    ({"user_id": "Anonymous", "device_id": "host1"}, {"device_id": "host1"}),
    ({"user_id": "LMY47D", "device_id": "host1"}, {"device_id": "host1"}),
    ({"user_id": None, "device_id": "host1"}, {"user_id": None, "device_id": "host1"}),
    ({"user_id": "joe", "device_id": "host"}, f"no id is left: both are {SHORTER}"),
    ({"user_id": "joe"}, f"no id is left: it is {SHORTER}"),
    ({"user_id": "", "device_id": None}, f"no id is left: it is {SHORTER}"),
    ({"user_id": "undefined"}, "no id is left: it is refused"),
    ({"device_id": "00000000-0000-0000-0000-000000000000"}, "no id is left: it is refused"),
    (
        {"user_id": "unknown", "device_id": "x"},
        f"no id is left: `user_id` is refused, `device_id` is {SHORTER}",
    ),
    ({"user_id": None}, f"{MISSING}, nor for `device_id`"),
    ({}, f"{MISSING}, nor for `device_id`"),
]


@pytest.mark.parametrize(("ids", "kept"), IDS)
def test_ids(ids: dict[str, Any], kept: Any) -> None:
    rest = {"event_type": "watch", "time": 1}
    row = Rules().judge(ids | rest)
    assert (row.reason if isinstance(row, Refusal) else row) == (
        kept if isinstance(kept, str) else kept | rest
    )


def test_a_row_of_groups_needs_nobody() -> None:
    row = {"groups": {"company": "acme"}, "group_properties": {"size": 5}}
    assert Rules(DataType.GROUP_PROPERTIES).judge({"user_id": "joe"} | row) == row


def test_how_short_an_id_may_be_is_a_setting() -> None:
    assert isinstance(judged({"user_id": "joe"}, Rules(min_id_length=3)), dict)
    assert isinstance(judged({"user_id": "nil"}, Rules(min_id_length=3)), Refusal)


TYPES: list[tuple[DataType, dict[str, Any], str | None]] = [
    (DataType.EVENT, {"user_id": "johnny", "event_type": "x"}, "time"),
    (DataType.EVENT, {"user_id": "johnny", "time": 1}, "event_type"),
    (DataType.EVENT, {"user_id": "johnny", "event_type": "", "time": 1}, "event_type"),
    (DataType.EVENT, {"user_id": "johnny", "event_type": "$identify"}, "user_properties"),
    (DataType.EVENT, {"user_id": "johnny", "event_type": "$identify", "user_properties": {}}, None),
    (DataType.EVENT, {"event_type": "$groupidentify", "groups": {"a": "b"}}, "group_properties"),
    (DataType.EVENT, {"event_type": "$groupidentify", "groups": {"a": "b"}, "group_properties": {}}, None),
    (DataType.USER_PROPERTIES, {"device_id": "device"}, "user_properties"),
    (DataType.USER_PROPERTIES, {"device_id": "device", "user_properties": {"a": 1}}, None),
    (DataType.GROUP_PROPERTIES, {"group_properties": {}}, "groups"),
    (DataType.GROUP_PROPERTIES, {"groups": {"a": "b"}, "group_properties": {}}, None),
    (DataType.PROFILE, {"user_id": "johnny"}, "mutation_type"),
    (DataType.PROFILE, {"user_id": "johnny", "mutation_type": "DELETE"}, None),
]


@pytest.mark.parametrize(("data_type", "row", "missing"), TYPES)
def test_what_a_data_type_requires(data_type: DataType, row: dict[str, Any], missing: str | None) -> None:
    given = Rules(data_type).judge(row)
    if missing is None:
        assert given == row
    else:
        assert given == Refusal(missing, MISSING, missing=True)


def test_a_mirror_passes_rows_over_that_have_no_user() -> None:
    given = Rules(DataType.EVENT, "mirror").judge({"device_id": "device", "event_type": "x", "time": 1})
    assert isinstance(given, Refusal)
    assert given.dropped
    assert isinstance(Rules(DataType.PROFILE).judge({"user_id": "joe", "mutation_type": "UPDATE"}), Refusal)


def test_fields_that_events_do_not_have_are_ignored() -> None:
    assert judged({"zzz": float("nan"), "user_ids": 1}) == EVENT


def test_every_column_of_an_export_may_come_back() -> None:
    assert set(COLUMNS) <= set(INPUTS)
    assert list(COLUMNS) == sorted(COLUMNS)
    assert len(COLUMNS) == 48


def test_what_a_row_says_by_saying_nothing() -> None:
    assert Rules().with_defaults(EVENT) == EVENT | {"$skip_user_properties_sync": True}
    said = EVENT | {"$skip_user_properties_sync": False, "mutation_type": None}
    assert Rules().with_defaults(said)["$skip_user_properties_sync"] is False
    assert Rules(strategy="mirror").with_defaults(said)["mutation_type"] == "UPDATE"
    assert (
        Rules(strategy="mirror").with_defaults(said | {"mutation_type": "DELETE"})["mutation_type"]
        == "DELETE"
    )
