"""From a record to the row that is taken: rejects name the field, and the operator at which its value was lost."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.converter.compiler import Compiled, evaluate
from functions.core.converter.definition import parse_converter
from functions.core.converter.nodes import Call
from functions.core.converter.operators import OPERATORS
from functions.core.converter.rows import FLAGGED, Passed, Reject, Rows
from functions.core.converter.sources import Sources
from functions.core.converter.values import NO_VALUE
from functions.core.events.fields import INPUTS, DataType
from functions.core.events.rules import MISSING, Refusal, Rules
from tests.converter.tree_walker import walk

NOW = 1_763_655_000_000
SOUND: dict[str, Any] = {"user_id": "user", "event_type": "type", "time": "at"}
RECORD: dict[str, Any] = {"user": "john.doe", "type": "watch", "at": "1645066434189"}
FUNCTIONS = "convertToAmplitudeFunc"


def rows(functions: dict[str, Any], rules: Rules | None = None, **config: Any) -> Rows:
    document = {"converterConfig": {"fileType": "json", FUNCTIONS: SOUND | functions, **config}}
    return Rows(parse_converter(document), rules or Rules())


def test_a_row() -> None:
    given = rows({"event_properties": {"a": "x", "b": "y"}}).row(RECORD | {"x": None, "zzz": 1}, NOW)
    assert given == {
        "user_id": "john.doe",
        "event_type": "watch",
        "time": 1645066434189,
        "event_properties": {"a": None},
    }
    assert list(given) == ["user_id", "event_type", "time", "event_properties"]


LOST: list[tuple[str, Any, dict[str, Any], str | None, str | None]] = [
    ("a field", "at", {}, None, None),
    ("the operator itself", ["iso_time_to_ms", "at"], {"at": "yesterday"}, "iso_time_to_ms", ""),
    ("under the name that it is given", ["+", "at"], {"at": "x"}, "+", ""),
    ("the inner of two", ["round", ["multiply", "at", ["int", 1000]]], {"at": "x"}, "multiply", ".1"),
    ("the outer of two", ["iso_time_to_ms", ["concat", "at"]], {"at": "x"}, "iso_time_to_ms", ""),
    ("a field below an operator", ["iso_time_to_ms", ["lower", "at"]], {}, None, None),
    ("a path", ["path", "at", "ms"], {"at": {}}, "path", ""),
    (
        "the beginning of a path",
        ["path", ["parse_json_object", "at"], "ms"],
        {"at": "{"},
        "parse_json_object",
        ".1",
    ),
    ("all of any", ["any", "at", "x"], {}, "any", ""),
    ("the branch that was taken", ["ifelse", "x", "at", ["round", "at"]], {"at": []}, "round", ".3"),
    ("no branch", ["cond", "x", "at"], {"at": 1}, "cond", ""),
    ("the branch of a condition", ["cond", ["bool", True], ["lower", "at"]], {"at": 1}, "lower", ".2"),
    ("the first of several", ["add", ["lower", "at"], ["round", "at"]], {"at": []}, "lower", ".1"),
    (
        "what was recovered is not told",
        ["round", ["any", ["lower", "at"], "y"]],
        {"at": 1, "y": "z"},
        "round",
        "",
    ),
    ("a boolean", ["not", "at"], {"at": 1}, "not", ""),
    ("null is not lost", ["value", None], {}, None, None),
    ("a format", ["parse_time_to_ms", "yyyy", "at"], {"at": "x"}, "parse_time_to_ms", ""),
    ("a pattern", ["replace_with", "a", "b", "at"], {"at": 1}, "replace_with", ""),
]


@pytest.mark.parametrize(
    ("source", "record", "operator", "path"), [pytest.param(*case[1:], id=case[0]) for case in LOST]
)
def test_where_a_value_was_lost(
    source: Any, record: dict[str, Any], operator: str | None, path: str | None
) -> None:
    given = rows({"time": source}).row({"user": "john.doe", "type": "watch"} | record, NOW)
    whole = None if path is None else f"{FUNCTIONS}.time{path}"
    assert given == Reject(MISSING, "time", operator, whole)


def test_a_value_that_its_field_cannot_have() -> None:
    given = rows({"session_id": "s", "price": "p"}).row(RECORD | {"s": 1, "p": [1]}, NOW)
    assert given == Reject("must be a number", "price")


@pytest.mark.parametrize(
    ("flag", "passed"), [(True, True), ("true", True), (False, False), (None, False), (1, False)]
)
def test_records_that_the_converter_passes_over(flag: Any, *, passed: bool) -> None:
    made = rows({"$ignore": "skip"}, ignoreEventFlag="$ignore")
    given = made.row(RECORD | {"skip": flag}, NOW)
    assert (given == FLAGGED) is passed
    # What is passed over need not be in order.
    assert made.row({"skip": True}, NOW) == FLAGGED
    assert "$ignore" not in (made.row(RECORD, NOW) if not passed else {})  # type: ignore[operator] # a row


def test_a_mirror_passes_over_what_has_no_user() -> None:
    given = rows({"device_id": "d"}, Rules(strategy="mirror")).row(
        RECORD | {"user": None, "d": "device"}, NOW
    )
    assert isinstance(given, Passed)


def test_a_record_that_is_nested_too_deeply() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    for source in (["concat", "deep"], ["eq", "deep", "deep"], "deep", {"a": "deep"}, ["array", "deep"]):
        given = rows({"event_properties": source}).row(RECORD | {"deep": deep}, NOW)
        assert isinstance(given, Reject | dict)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "",
            "true",
            "1",
            "-1.5",
            "1e400",
            "2020-01-01T00:00:00Z",
            "{}",
            "[1]",
            "9" * 5000,
            "\ud800",
            "x" * 1100,
        ]
    )
    | st.sampled_from([0, -1, 1645066434, 2**63, 10**400, 1e308, -0.0, Decimal("1E+6000")]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "0", "", "$set", "$add", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = ["a", "b", "0", "deep.er"]
RECORDS = st.dictionaries(st.sampled_from(FIELDS), JSON)
LEAVES: list[Any] = [
    *FIELDS,
    ["value", None],
    ["value", "x"],
    ["value", [1, {"a": 0}]],
    ["int", 7],
    ["bool", True],
    ["ms_time_now"],
    ["iso_time_now"],
    {},
]
RAW: dict[str, Any] = {
    "key": "a",
    "separator": ".",
    "string": "a",
    "replacement": "<$1>",
    "regex": "(a|.)",
    "format": "yyyy-MM-dd",
}


def used(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A use of any operator, its SOURCEs drawn."""

    def of(name: str) -> st.SearchStrategy[Any]:
        row = OPERATORS[name]
        kinds = row.fixed + row.repeated * 2
        return st.tuples(
            st.just(name), *(st.just(RAW[kind.label]) if kind.check else inner for kind in kinds)
        ).map(list)

    literals = {"value", "int", "bool"}
    return st.sampled_from([name for name in OPERATORS if name not in literals]).flatmap(of)


SOURCES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: used(inner) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(INPUTS)), SOURCES, max_size=5), st.lists(RECORDS, max_size=3))
def test_no_record_is_an_exception_and_every_way_gives_the_same(
    functions: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    document = {"converterConfig": {"fileType": "json", FUNCTIONS: SOUND | functions}}
    compiled = parse_converter(document).compiled
    made, rules = Rows(parse_converter(document), Rules()), Rules()
    for record in records:
        before = repr(record)
        row = made.row(record, NOW)
        assert repr(record) == before
        judged = rules.judge(compiled.convert(record, NOW) or {})
        if isinstance(judged, Refusal):
            assert isinstance(row, Reject)
            assert (row.field, row.reason) == (judged.field, judged.reason)
        else:
            assert repr(row) == repr(judged)
            assert repr(rules.judge(judged)) == repr(judged)
            if "\ud800" not in json.dumps(judged, default=str, ensure_ascii=False):
                msgspec.json.encode(judged)


@settings(max_examples=200, deadline=None)
@given(SOURCES, RECORDS)
def test_the_compiled_function_gives_what_a_walk_over_the_tree_gives(
    source: Any, record: dict[str, Any]
) -> None:
    sources = Sources()
    node = sources.read(source, "x")
    assert node is not None
    given, walked = evaluate(node, record, NOW), walk(source, record, NOW)
    assert repr(given) == repr(walked)
    lost = Compiled({"field": node}, None, {}).lost_at("field", record, NOW)
    assert (lost is None) == (given is not NO_VALUE)
    if isinstance(lost, Call) and not isinstance(source, str):
        assert f'["{lost.name}"'.replace('"', "'") in repr(source)


EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "examples"


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the examples are not part of the project")
def test_the_examples_give_the_events_beside_them() -> None:
    def lines(name: str) -> list[Any]:
        return [json.loads(line) for line in (EXAMPLES / name).read_text().splitlines()]

    made = Rows(parse_converter(json.loads((EXAMPLES / "viewing.converter.json").read_text())), Rules())
    results = [made.row(record, NOW) for record in lines("viewing.input.jsonl")]
    taken = [row for row in results if isinstance(row, dict)]
    assert json.dumps(taken) == json.dumps(lines("viewing.output.jsonl"))
    rejects = [
        {"line": line, "field": each.field, "reason": each.reason}
        for line, each in enumerate(results, 1)
        if isinstance(each, Reject)
    ]
    assert rejects == lines("viewing.rejects.jsonl")


def test_data_types_have_rows_of_their_own() -> None:
    document = {"converterConfig": {"fileType": "json", FUNCTIONS: {"groups": "g", "group_properties": "p"}}}
    converter = parse_converter(document, DataType.GROUP_PROPERTIES)
    made = Rows(converter, Rules(DataType.GROUP_PROPERTIES))
    assert made.row({"g": {"company": "acme"}, "p": {"size": 5}}, NOW) == {
        "groups": {"company": "acme"},
        "group_properties": {"size": 5},
    }
    assert made.row({"g": {"company": "acme"}}, NOW) == Reject(MISSING, "group_properties")
