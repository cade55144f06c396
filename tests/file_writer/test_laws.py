"""Whatever rows and schemas are sent: a run ends as files or as a failure, and never comes back for ever."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.errors import Code
from functions.core.outcomes import State
from tests.core.record_messages import end_body, rows_body
from tests.core.strategies import JSON_OBJECTS, JSON_VALUES
from tests.stream_world import World

_FORMATS: list[dict[str, Any]] = [
    {"format": "ndjson", "compression": "gzip"},
    {"format": "ndjson", "columns": [{"name": "a"}, {"name": "b", "as": "c"}]},
    {"format": "csv"},
    {"format": "csv", "delimited": {"quote": "none"}},
    {"format": "json", "compression": "zip"},
    {"format": "parquet"},
]
_OBJECTS = st.one_of(
    JSON_OBJECTS,
    st.dictionaries(st.sampled_from("abc"), JSON_VALUES, max_size=3).map(
        lambda members: "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"
    ),
)
_TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object", "s3cr3t"])
_SCHEMAS = st.recursive(
    st.one_of(
        st.booleans(),
        st.fixed_dictionaries({"type": st.one_of(_TYPES, st.lists(_TYPES, max_size=3))}),
        st.fixed_dictionaries({"$ref": st.sampled_from(["#", "#/properties/a", "http://x"])}),
        st.fixed_dictionaries(
            {"type": st.just("string"), "format": st.sampled_from(["date-time", "date", "time", "uuid"])}
        ),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, max_size=3)}),
    ),
    max_leaves=6,
)
_DECLARED = st.dictionaries(st.sampled_from("abc"), _SCHEMAS, max_size=3).map(
    lambda properties: {"type": "object", "properties": properties}
)


@settings(max_examples=200)
@given(
    st.sampled_from(_FORMATS),
    st.lists(st.lists(_OBJECTS, max_size=3), max_size=3),
    st.one_of(st.none(), _DECLARED),
)
def test_every_run_ends(form: dict[str, Any], messages: list[list[str]], schema: Any) -> None:
    world = World()
    world.definitions.add(**form)
    stream = {"id": "orders", "name": "Orders", "schema": schema}
    for number, records in enumerate(messages):
        world.stage(rows_body(number, "HERE", stream=stream).replace('"HERE"', f"[{','.join(records)}]"))
    staged = {
        piece.sequence
        for run in world.all_runs()
        for part in world.runs.parts(run.id)
        for piece in part.pieces
    }
    if staged != set(range(len(messages))):
        return  # some row held half of a surrogate pair
    world.stage(end_body(len(messages)))
    _ends(world)


@pytest.mark.parametrize("form", _FORMATS, ids=repr)
@pytest.mark.parametrize(
    "record",
    [
        '{"a":' * 900 + "1" + "}" * 900,
        '{"a":' + "[" * 900 + "]" * 900 + "}",
        '{"a":1,"a":2}',
        '{"":""}',
        '{"a\\u0000":"\\u0000"}',
        '{"a":1e999999999}',
        '{"a":' + "9" * 5_000 + "}",
        '{"a":-0.0,"b":123456789012345678901234567890.10}',
        '{"' + "x" * 100_000 + '":1}',
        "{" + ",".join(f'"c{number}":{number}' for number in range(5_000)) + "}",
    ],
    ids=lambda record: record[:12],
)
def test_a_hostile_row_ends_as_a_file_or_a_failure(form: dict[str, Any], record: str) -> None:
    world = World()
    world.definitions.add(**form)
    world.stage(rows_body(0, "HERE").replace('"HERE"', f'[{record},{{"b":1}}]'), end_body(1))
    _ends(world)


def _ends(world: World) -> None:
    outcome = world.deliver(world.run())
    assert outcome.state in {State.DELIVERED, State.FAILED}, outcome.text
    assert outcome.code in {None, Code.BAD_FILE, Code.SCHEMA}
    if outcome.state is State.FAILED:
        assert world.files() == {}
    else:
        assert len(world.files()) == 1
