"""What every operator gives, and where it gives no value."""

import json
from typing import Any

import msgspec
import pytest

from functions.core.converter.compiler import Compiled, evaluate
from functions.core.converter.nodes import Node, Operator
from functions.core.converter.operators import OPERATORS
from functions.core.converter.sources import Sources
from functions.core.converter.values import NO_VALUE
from tests.converter.cases import table

NOW = 1_763_655_000_000
ROWS = list({id(row): row for row in OPERATORS.values()}.values())


def read(source: Any) -> Node:
    sources = Sources()
    node = sources.read(source, "x")
    assert sources.faults == []
    assert node is not None
    return node


def check(source: Any, record: dict[str, Any], result: list[Any]) -> None:
    before = json.dumps(record)
    node = read(source)
    given = evaluate(node, record, NOW)
    if result:
        assert (json.dumps(given), type(given)) == (json.dumps(result[0]), type(result[0]))
    else:
        assert given is NO_VALUE
    assert json.dumps(record) == before
    # A field that has no value was lost somewhere; one that has a value was not.
    lost = Compiled({"field": node}, None, {}).lost_at("field", record, NOW)
    assert (lost is None) == bool(result)


@pytest.mark.parametrize(("source", "record", "result"), table("operators"))
def test_an_operator(source: Any, record: dict[str, Any], result: list[Any]) -> None:
    check(source, record, result)


@pytest.mark.parametrize(("source", "text", "result"), table("times"))
def test_a_time(source: Any, text: Any, result: list[Any]) -> None:
    check(source, {"t": text}, result)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.names[0])
def test_the_example_of_the_reference(row: Operator) -> None:
    example = row.example
    assert any(f'["{name}"' in json.dumps(example.source) for name in row.names)
    check(example.source, example.record, [] if example.result is msgspec.UNSET else [example.result])


def test_now_is_given() -> None:
    assert evaluate(read(["ms_time_now"]), {}, NOW) == NOW
    assert evaluate(read(["iso_time_now"]), {}, NOW) == "2025-11-20T16:10:00"


def test_all_operators_of_the_language_are_there() -> None:
    names = (
        "path any value dict array condition cond ifelse sample_md5 iso_time_to_ms ms_to_iso_time iso_time_now "
        "ms_time_now int96_time_to_ms parse_time_to_ms parse_json_element parse_json_object merge_dicts "
        "flatten_dict exclude_keys concat replace_with split lowercase lower typeof bool not ! and && or || equals "
        "eq = contains is_substring int round add + multiply * subtract - divide /"
    )
    assert " ".join(sorted(OPERATORS)) == " ".join(sorted(names.split()))


@pytest.mark.parametrize(
    "name", ["a'b", 'a"b', "a\\", "a\nb", "{}", "{0}", "%s", "é😀", "__class__", "record", "\x00"]
)
def test_no_name_becomes_code(name: str) -> None:
    record = {name: "there", "inner": {name: "here"}}
    assert evaluate(read(name), record, NOW) == "there"
    assert evaluate(read(["path", "inner", name]), record, NOW) == "here"
    assert evaluate(read({name: ["value", name]}), record, NOW) == {name: name}


def test_products_have_an_end() -> None:
    source: Any = "x"
    for _ in range(6):
        source = ["*", source, source, source]
    assert evaluate(read(source), {"x": 10**100}, NOW) is NO_VALUE


def test_a_pattern_that_backtracks_takes_no_time() -> None:
    source = ["replace_with", "(a*)*(a|a)*(a+)+b", "x", "t"]
    text = "a" * 100_000
    assert evaluate(read(source), {"t": text}, NOW) == text
    times = read(["parse_time_to_ms", "d'1'M'1'yyyy'1'H'1'm'1's", "t"])
    assert evaluate(times, {"t": "1" * 100_000}, NOW) is NO_VALUE
