import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import jmespath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from functions.core import messages
from functions.core.errors import Code, Permanent, Refused
from functions.core.instants import TIME_FIELDS, Instant
from functions.core.keys import object_key
from functions.core.templates.jmespath_keys import KeyTemplate
from functions.core.templates.jmespath_shapes import DEFAULT
from tests.cases import table
from tests.core.attempts import attempted
from tests.core.strategies import INSTANTS, METADATA

TIME = Instant.parse("2025-10-14T02:58:59.323405308Z")
SYSTEM = {"destinationId": "acme", "event-id": "evt-1", "timestamp": "2025-10-14T02:58:59Z"}
BODY: dict[str, Any] = {
    "destination_id": "acme",
    "id": "evt-1",
    "topic": "read",
    "time": "2025-10-14T02:58:59.323405308Z",
    "metadata": {"objectName": "contacts", "operationId": "op-1", "projectId": "p-message"},
    "data": {
        "installationId": "inst-9",
        "count": 42,
        "active": True,
        "list": ["a", "b", "c"],
        "nested": [["x", "y"], ["z"]],
        "people": [{"name": "Bob", "age": 30}, {"name": "Ann", "age": 31}],
        "none": [],
        "empty": "",
        "nothing": None,
        'odd " name': "odd",
        "größe": "XL",
    },
}
OWN = {"team": "billing", "projectId": "p-definition"}


def _rendered(template: str) -> str:
    message = messages.parse_message(json.dumps(BODY).encode(), message_id="m", sent=Instant(0))
    metadata = messages.object_metadata(message, own=OWN)
    return KeyTemplate.parse(template).render(metadata=metadata, time=message.time, data=message.data)


@pytest.mark.parametrize("case", table("key_templates"))
def test_a_template_gives_this_key_or_this_error_or_is_refused(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(Refused) as refused:
            KeyTemplate.parse(case["template"])
        faults = refused.value.faults
        assert len(faults) == len(case["refused"])
        for fault, (column, says) in zip(faults, case["refused"], strict=True):
            assert fault.code is Code.BAD_DEFINITION
            assert fault.column == column
            assert says in str(fault)
    elif "error" in case:
        with pytest.raises(Permanent) as raised:
            _rendered(case["template"])
        assert raised.value.code is Code.BAD_KEY
        assert case["error"] in raised.value.text
        assert "inst-9" not in raised.value.text
    else:
        assert _rendered(case["template"]) == case["key"]


def test_a_fault_points_at_its_place_with_a_caret() -> None:
    with pytest.raises(Refused) as refused:
        KeyTemplate.parse("join('/', [time.dat, metadata.x])")
    assert str(refused.value).splitlines()[1:] == [
        "    join('/', [time.dat, metadata.x])",
        "                    ^",
    ]


@pytest.mark.parametrize(
    ("template", "unique"),
    [
        (DEFAULT, True),
        ('metadata."event-id"', True),
        ("metadata.operationId", True),
        ('@.metadata."event-id"', True),
        ("metadata | operationId", True),
        ("metadata.absent || metadata.operationId", True),
        ("metadata.objectName", False),
        ("time.rfc3339_nano", False),
        ("data.operationId", False),
        ("data.metadata.operationId", False),
        ("'metadata.operationId'", False),
    ],
)
def test_a_template_is_unique_when_it_refers_to_what_is(template: str, *, unique: bool) -> None:
    assert KeyTemplate.parse(template).unique is unique


def _render(template: KeyTemplate, *, data: Any, metadata: Mapping[str, str] | None = None) -> str:
    return template.render(metadata=SYSTEM if metadata is None else metadata, time=TIME, data=lambda: data)


def test_the_payload_is_not_parsed_when_the_template_does_not_look_into_it() -> None:
    template = KeyTemplate.parse("join('', [time.date, metadata.\"event-id\"])")
    assert template.render(metadata={"event-id": "e"}, time=TIME, data=pytest.fail) == "2025-10-14e"


def test_a_value_of_the_payload_is_never_part_of_an_error() -> None:
    for template in (
        "abs(data.v)",
        "sum(data.v)",
        "join('/', [data.v[0]])",
        "data.v[0]",
        "to_number(data.v)",
    ):
        parsed = KeyTemplate.parse(template)
        for secret in ("s3cr3t", ["s3cr3t", 1], {"s3cr3t": "s3cr3t"}, [["s3cr3t"]]):
            data = {"v": secret}
            found = attempted(partial(_render, parsed, data=data))
            assert not isinstance(found, Permanent) or "s3cr3t" not in found.text


def test_a_key_is_the_same_in_every_process() -> None:
    code = (
        "from functions.core.templates.jmespath_keys import KeyTemplate\n"
        "from functions.core.instants import Instant\n"
        "for each in ('to_string(time)', 'keys(time)[0]', 'time.* | [0]', 'values(time)[1]'):\n"
        "    print(KeyTemplate.parse(each).render(metadata={}, time=Instant(0), data=dict))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


# Templates from a grammar: only names that there are, only functions with as many arguments as they take. What is
# drawn is what JMESPath can say about three namespaces, and not what gives a key.

STANDARD = (
    "abs",
    "avg",
    "ceil",
    "contains",
    "ends_with",
    "floor",
    "join",
    "keys",
    "length",
    "map",
    "max",
    "max_by",
    "merge",
    "min",
    "min_by",
    "not_null",
    "reverse",
    "sort",
    "sort_by",
    "starts_with",
    "sum",
    "to_array",
    "to_number",
    "to_string",
    "type",
    "values",
)
"""https://jmespath.org/specification.html#built-in-functions."""

_NAMES = st.sampled_from(["a", "b", "name", "year", "date", '"event-id"', "operationId", '"größe"'])
_ROOTS = st.one_of(
    st.sampled_from(["data", "metadata", "time", "@"]),
    st.sampled_from(sorted(TIME_FIELDS)).map("time.{}".format),
    _NAMES.map("metadata.{}".format),
    _NAMES.map("data.{}".format),
    st.tuples(_NAMES, _NAMES).map(lambda names: "data." + ".".join(names)),
)
_LITERALS = st.sampled_from(
    ["'x'", "''", "'..'", "`1`", "`1.5`", "`true`", "`null`", '`["x", "y"]`', '`{"a": "x"}`']
)
_SIMPLE = st.one_of(_ROOTS, _ROOTS, _LITERALS)


def _called(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.sampled_from(
        [name for name in STANDARD if name not in {"join", "map", "sort_by", "max_by", "min_by"}]
    )
    two = st.sampled_from(["contains", "starts_with", "ends_with", "not_null", "merge"])
    by = st.sampled_from(["sort_by", "max_by", "min_by"])
    return st.one_of(
        st.tuples(one, inner).map(lambda parts: "{}({})".format(*parts)),
        st.tuples(two, inner, inner).map(lambda parts: "{}({}, {})".format(*parts)),
        st.tuples(by, inner, _NAMES).map(lambda parts: "{}({}, &{})".format(*parts)),
        st.tuples(_NAMES, inner).map(lambda parts: "map(&{}, {})".format(*parts)),
        inner.map("join('/', {})".format),
    )


def _composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda both: "({} || {})".format(*both)),
        pairs.map(lambda both: "({} && {})".format(*both)),
        pairs.map(lambda both: "({} == {})".format(*both)),
        inner.map("!({})".format),
        st.tuples(inner, st.sampled_from(["[0]", "[-1]", "[*]", "[]", "[1:]", ".*"])).map(
            lambda parts: "({}){}".format(*parts)
        ),
        st.tuples(inner, st.sampled_from(["[*]", "[]", ".*"]), _NAMES).map(
            lambda parts: "(({}){}.{})".format(*parts)
        ),
        st.tuples(inner, _NAMES).map(lambda parts: "({} | [?{}])".format(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
        st.tuples(_NAMES, inner).map(lambda parts: "{{{}: {}}}".format(*parts)),
        st.tuples(inner, _NAMES).map(lambda parts: "({} | {{x: {}}}.x)".format(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: f"join('/', [{', '.join(each)}])"),
        _called(inner),
    )


TEMPLATES = st.recursive(_SIMPLE, _composed, max_leaves=5)

_DATA_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-9, 9),
        st.floats(-9, 9),
        st.sampled_from(["", "x", "../y", "é"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "name", "year", "größe"]), inner, max_size=3),
    ),
    max_leaves=6,
)
DATA = st.dictionaries(st.sampled_from(["a", "b", "name", "operationId", "größe"]), _DATA_VALUES, max_size=5)

# What a refusal may rest on although another branch of the template could give a key: the specification has these
# refused wherever they stand.
_REFUSED_ANYWHERE = (" must be ", "does not exist", "is not one of the namespaces")


def _evaluated(template: str, metadata: Mapping[str, str], data: Any) -> Any:
    """What jmespath itself makes of the template, with all that there is to see."""
    scope = {"metadata": metadata, "time": TIME.fields(TIME_FIELDS), "data": data}
    try:
        return jmespath.compile(template).search(scope)
    except (JMESPathError, ArithmeticError, TypeError, ValueError) as error:
        return error


@settings(max_examples=600)
@given(TEMPLATES, METADATA, DATA)
def test_a_template_is_refused_only_when_it_can_give_no_key(
    template: str, metadata: dict[str, str], data: dict[str, Any]
) -> None:
    value = _evaluated(template, SYSTEM | metadata, data)
    try:
        KeyTemplate.parse(template)
    except Refused as refused:
        assume(not all(any(why in str(fault) for why in _REFUSED_ANYWHERE) for fault in refused.faults))
        assert not isinstance(value, str | int | float), f"{template} gives {value!r}, and is refused"


@settings(max_examples=600)
@given(TEMPLATES, METADATA, DATA)
def test_what_is_rendered_is_what_jmespath_gives(
    template: str, metadata: dict[str, str], data: dict[str, Any]
) -> None:
    try:
        parsed = KeyTemplate.parse(template)
    except Refused:
        return
    value = _evaluated(template, SYSTEM | metadata, data)
    name = attempted(lambda: _render(parsed, metadata=SYSTEM | metadata, data=data))
    if isinstance(name, Permanent):
        assert name.code is Code.BAD_KEY
        assert value == "" or not isinstance(value, str | int | float), f"{template} gives {value!r}"
    else:
        assert isinstance(value, str | int | float), f"{template} gives {value!r}, rendered as {name!r}"
        assert not isinstance(value, str) or name == value


@given(TEMPLATES, METADATA, DATA, INSTANTS, st.sampled_from(["", "acme/", "acme/in"]))
def test_whatever_a_message_says_its_key_stays_below_the_prefix(
    template: str, metadata: dict[str, str], data: dict[str, Any], nanoseconds: int, prefix: str
) -> None:
    try:
        parsed = KeyTemplate.parse(template)
        name = parsed.render(metadata=SYSTEM | metadata, time=Instant(nanoseconds), data=lambda: data)
        key = object_key(prefix=prefix, name=name)
    except Permanent:
        return
    assert key.startswith(prefix)
    assert not {".", ".."} & set(key.split("/"))


@settings(max_examples=500)
@given(
    st.one_of(
        st.text(),
        st.text(alphabet="datmeion.,'\"`[]{}()|&@*?!=<>:-0 19", max_size=20),
        st.tuples(TEMPLATES, st.integers(0, 30), st.text(max_size=2)).map(
            lambda drawn: drawn[0][: drawn[1]] + drawn[2] + drawn[0][drawn[1] + 1 :]
        ),
    )
)
def test_no_text_crashes_the_checks_or_the_rendering(text: str) -> None:
    found = attempted(lambda: _render(KeyTemplate.parse(text), data={"a": {"b": ["x", 1, None]}}))
    if isinstance(found, Refused):
        assert str(found)
        assert all(fault.column is not None and 1 <= fault.column <= len(text) + 1 for fault in found.faults)
    elif isinstance(found, Permanent):
        assert found.code is Code.BAD_KEY


@pytest.mark.parametrize(
    "template",
    [
        "data" + "[0]" * 3_000,
        "(" * 3_000 + "data.x" + ")" * 3_000,
        "!" * 3_000 + "data.x",
        "data.x" + " || data.x" * 3_000,
        "data.x" + " | data.x" * 3_000,
        f"data.x[{'9' * 5_000}]",
        f"`{'9' * 5_000}`",
        "`" + "[" * 5_000 + "]" * 5_000 + "`",
    ],
    ids=lambda template: template[:12],
)
def test_a_template_without_measure_is_refused_or_renders_and_nothing_else(template: str) -> None:
    found = attempted(lambda: _render(KeyTemplate.parse(template), data={"x": "y"}))
    assert not isinstance(found, Permanent) or found.code in {Code.BAD_DEFINITION, Code.BAD_KEY}


def test_the_functions_are_the_standard_ones_and_no_more() -> None:
    with pytest.raises(Refused) as refused:
        KeyTemplate.parse("zzz(data)")
    listed = refused.value.faults[0].cure.removeprefix("known are ").split(", ")
    assert sorted(listed) == sorted(STANDARD)
