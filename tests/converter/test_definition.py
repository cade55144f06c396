"""A converter is checked as a whole before it is stored: all faults at once, each with its path."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.core.converter.definition import parse_converter
from functions.core.converter.operators import OPERATORS
from functions.core.converter.sources import MAX_DEPTH, MAX_PARTS
from functions.core.errors import Fault, Refused
from functions.core.events.fields import DataType

SOUND: dict[str, Any] = {"user_id": "user", "event_type": "type", "time": "at"}
IN_FUNCTIONS = "converterConfig.convertToAmplitudeFunc"


def document(functions: Any = None, **config: Any) -> dict[str, Any]:
    functions = SOUND if functions is None else functions
    return {"converterConfig": {"fileType": "json", "convertToAmplitudeFunc": functions, **config}}


def faults(given: Any, data_type: DataType = DataType.EVENT) -> list[Fault]:
    with pytest.raises(Refused) as refused:
        parse_converter(given, data_type)
    assert all(fault.code == "BAD_DEFINITION" for fault in refused.value.faults)
    return list(refused.value.faults)


SOURCES = [
    ("an unknown operator", ["lowr", "x"], ".0", "did you mean `lower`?"),
    ("one that is like nothing", ["zzzz", "x"], ".0", "there are path, any"),
    ("another case", ["LOWER", "x"], ".0", "did you mean `lower`?"),
    ("too few arguments", ["ifelse", "a", "b"], "", "its arguments are: BOOLEAN, SOURCE, SOURCE"),
    ("too many arguments", ["lower", "a", "b"], "", "`lower` cannot have 2 arguments"),
    ("half a pair", ["cond", "a", "b", "c"], "", "BOOLEAN, SOURCE, …"),
    ("no argument", ["any"], "", "`any` cannot have 0 arguments"),
    ("arguments of one that has none", ["ms_time_now", "a"], "", "its arguments are: none"),
    ("a literal that is none", ["lower", 5], ".1", 'a literal is written ["value", …]'),
    ("null", ["lower", None], ".1", "must be a field, an operator or an object, not null"),
    ("an operator that is no text", [["lower", "a"]], "", "must begin with the name of an operator"),
    ("an empty list", [], "", "must begin with the name of an operator"),
    ("an int that is text", ["int", "5"], ".1", "must be a whole number"),
    ("an int that is a float", ["int", 5.0], ".1", "must be a whole number"),
    ("an int that is a boolean", ["int", True], ".1", "must be a whole number"),
    ("a bool that is text", ["bool", "true"], ".1", "must be true or false"),
    ("a separator that is a number", ["split", 1, "a"], ".1", "must be text"),
    ("an empty separator", ["split", "", "a"], ".1", "must not be empty"),
    ("a part that is null", ["contains", None, "a"], ".1", "must be text"),
    ("an excluded key that is a number", ["exclude_keys", "a", "b", 1], ".3", "must be text"),
    ("a depth that is RAW", ["flatten_dict", ".", 1, "a"], ".2", "must be a field"),
    ("look-ahead", ["replace_with", "(?=a)", "", "a"], ".1", "RE2 has neither look-around"),
    ("a back-reference", ["replace_with", r"(a)\1", "", "a"], ".1", "RE2 has neither look-around"),
    ("a possessive quantifier", ["replace_with", "a++", "", "a"], ".1", "RE2 has neither look-around"),
    ("no regular expression", ["replace_with", "(", "", "a"], ".1", "missing )"),
    ("an expression that is too large", ["replace_with", "((a{100}){100}){100}", "", "a"], ".1", "RE2"),
    ("an expression that is too long", ["replace_with", "a" * 2001, "", "a"], ".1", "the limit is 2000"),
    ("half of a surrogate pair", ["replace_with", "\ud800", "", "a"], ".1", "surrogate"),
    ("an expression that is a number", ["replace_with", 1, "", "a"], ".1", "must be a regular expression"),
    ("a group that is not there", ["replace_with", "(a)", "$2", "a"], "", "names the group $2"),
    ("a replacement that is null", ["replace_with", "(a)", None, "a"], ".2", "must be text"),
    ("an unknown letter", ["parse_time_to_ms", "yyyy-QQ", "a"], ".1", "`Q` is no letter"),
    ("a quote that is open", ["parse_time_to_ms", "yyyy'T", "a"], ".1", "is not closed"),
    ("a letter twice", ["parse_time_to_ms", "yyyy y", "a"], ".1", "a second time"),
    ("a month twice", ["parse_time_to_ms", "M LLL", "a"], ".1", "a second time"),
    ("a format of no letter", ["parse_time_to_ms", "'at' -", "a"], ".1", "has no letter"),
    ("an empty format", ["parse_time_to_ms", "", "a"], ".1", "must be a date format"),
    ("a value that is no JSON", ["value", {"a": float("nan")}], ".1", "NaN"),
    ("a value with half of a pair", ["value", ["\udc00"]], ".1", "surrogate"),
    ("a field with half of a pair", "\udc00", "", "surrogate"),
    ("a key that is no text", ["dict", 1, "a"], ".1", "must be text"),
    ("a fault within an object", {"x": {"y": ["lower"]}}, ".x.y", "`lower` cannot have 0"),
    ("a fault within an operator", ["any", "a", ["lower", ["any"]]], ".2.1", "`any` cannot have 0"),
]


@pytest.mark.parametrize(
    ("source", "path", "words"), [pytest.param(*case[1:], id=case[0]) for case in SOURCES]
)
def test_a_faulty_source(source: Any, path: str, words: str) -> None:
    [fault] = faults(document(SOUND | {"city": source}))
    assert fault.path == f"{IN_FUNCTIONS}.city{path}"
    assert words in f"{fault.message}; {fault.cure}"


CONFIGS: list[tuple[str, Any, str, str]] = [
    ("an unknown file type", document(fileType="jsn"), "converterConfig.fileType", "did you mean json?"),
    ("an unknown compression", document(compressionType="gz"), "converterConfig.compressionType", "gzip"),
    (
        "compressed parquet",
        document(fileType="parquet", compressionType="gzip"),
        "converterConfig.compressionType",
        "parquet",
    ),
    (
        "settings of CSV for JSON",
        document(csvConfig={}),
        "converterConfig.csvConfig",
        "does not apply to json",
    ),
    (
        "an unknown setting of CSV",
        document(fileType="csv", csvConfig={"delim": ";"}),
        "converterConfig.csvConfig.delim",
        "delimiter",
    ),
    (
        "a long delimiter",
        document(fileType="csv", csvConfig={"delimiter": "::"}),
        "converterConfig.csvConfig.delimiter",
        "one character",
    ),
    (
        "columns that are none",
        document(fileType="csv", csvConfig={"columns": "a"}),
        "converterConfig.csvConfig.columns",
        "list",
    ),
    (
        "two equal columns",
        document(fileType="csv", csvConfig={"columns": ["a", "a"]}),
        "converterConfig.csvConfig.columns",
        "`a`",
    ),
    (
        "columns and a header",
        document(fileType="csv", csvConfig={"columns": ["a"], "header": True}),
        "converterConfig.csvConfig.columns",
        "header: false",
    ),
    (
        "a flag that is no output",
        document(ignoreEventFlag="$ignore"),
        "converterConfig.ignoreEventFlag",
        "`$ignore`",
    ),
    ("an unknown part", document(csvconfig={}), "converterConfig.csvconfig", "did you mean `csvConfig`?"),
    (
        "an output that is ignored",
        document(SOUND | {"user_ids": "x"}),
        f"{IN_FUNCTIONS}.user_ids",
        "did you mean `user_id`?",
    ),
    (
        "an output like no other",
        document(SOUND | {"zzz": "x"}),
        f"{IN_FUNCTIONS}.zzz",
        "put it under event_properties",
    ),
    ("no time", document({"user_id": "u", "event_type": "t"}), f"{IN_FUNCTIONS}.time", "is missing"),
    ("no id", document({"time": "t", "event_type": "t"}), f"{IN_FUNCTIONS}.user_id", "`device_id`"),
    ("no functions", document({}), IN_FUNCTIONS, "has no field"),
    ("functions that are none", document("x"), IN_FUNCTIONS, "must be an object"),
    ("no config", {}, "converterConfig", "is missing"),
    ("a list", [], "", "must be a mapping"),
    (
        "a bad pattern of keys",
        document() | {"keyValidatorConfig": {"filterPattern": "(?!x)"}},
        "keyValidatorConfig.filterPattern",
        "RE2",
    ),
]


@pytest.mark.parametrize(
    ("given", "path", "words"), [pytest.param(*case[1:], id=case[0]) for case in CONFIGS]
)
def test_a_faulty_document(given: Any, path: str, words: str) -> None:
    [fault] = faults(given)
    assert fault.path == path
    assert words in f"{fault.message}; {fault.cure}"


def test_all_faults_are_told_at_once() -> None:
    given = document(
        {"user_id": ["lowr", ["any"]], "zzz": ["lower", 1, ["foo"]], "event_type": 5},
        fileType="x",
        compressionType="y",
    ) | {"keyValidatorConfig": {"filterPattern": "("}, "other": 1}
    assert {fault.path for fault in faults(given)} == {
        "other",
        "keyValidatorConfig.filterPattern",
        "converterConfig.fileType",
        "converterConfig.compressionType",
        f"{IN_FUNCTIONS}.user_id.0",
        f"{IN_FUNCTIONS}.user_id.1",
        f"{IN_FUNCTIONS}.zzz",
        f"{IN_FUNCTIONS}.zzz.1",
        f"{IN_FUNCTIONS}.zzz.2.0",
        f"{IN_FUNCTIONS}.event_type",
        f"{IN_FUNCTIONS}.time",
    }


REQUIRED = [
    (DataType.USER_PROPERTIES, {"user_id": "u"}, ["user_properties"]),
    (DataType.GROUP_PROPERTIES, {"user_id": "u"}, ["groups", "group_properties"]),
    (DataType.PROFILE, {"device_id": "u"}, ["user_id", "mutation_type"]),
    (DataType.EVENT, {"device_id": "u"}, ["event_type", "time"]),
    (DataType.EVENT, {"device_id": "u", "event_type": ["value", "$identify"]}, ["user_properties"]),
]


@pytest.mark.parametrize(("data_type", "functions", "missing"), REQUIRED)
def test_what_a_data_type_needs(data_type: DataType, functions: Any, missing: list[str]) -> None:
    assert [fault.path for fault in faults(document(functions), data_type)] == [
        f"{IN_FUNCTIONS}.{name}" for name in missing
    ]
    parse_converter(document(functions | dict.fromkeys(missing, "x")), data_type)


def test_how_files_are_read() -> None:
    converter = parse_converter(
        document(fileType="CSV", compressionType="tgz", csvConfig={"delimiter": ";", "columns": ["a", "b"]})
        | {
            "config_name": ["name"],
            "keyValidatorConfig": {"filterPattern": r"\w+\_\d{4}-\d{2}-\d{2}.json.gz"},
        }
    )
    assert (converter.name, converter.columns, converter.input.format) == ("name", ("a", "b"), "csv")
    assert converter.input.compression == "tgz"
    assert converter.input.delimited == {"delimiter": ";", "header": False}
    assert converter.takes("in/x_2020-01-02.json.gz", "in/")
    assert converter.takes("x_2020-01-02.json.gz", "")
    assert not converter.takes("in/x_2020-01-02.json.gz", "out/")
    assert not converter.takes("in/x_2020-01-02.json.gz.old", "in/")
    assert parse_converter(document()).takes("anything", "any")


def nested(depth: int) -> Any:
    source: Any = "y"
    for _ in range(depth):
        source = ["cond", "x", source]
    return source


SHAPES: list[tuple[str, Callable[[], Any], str]] = [
    ("deep", lambda: nested(MAX_DEPTH), "nested deeper"),
    ("wide", lambda: ["any", *["x"] * MAX_PARTS], "at most"),
]


@pytest.mark.parametrize(("shape", "words"), [pytest.param(*case[1:], id=case[0]) for case in SHAPES])
def test_a_converter_that_is_too_large(shape: Callable[[], Any], words: str) -> None:
    assert words in faults(document(SOUND | {"city": shape()}))[0].message


def test_a_converter_that_doubles_and_doubles() -> None:
    source: Any = "x"
    value: Any = 1
    for _ in range(38):
        source, value = ["any", source, source], [value, value]
    assert "at most" in faults(document(SOUND | {"city": source}))[0].message
    assert "larger than" in faults(document(SOUND | {"city": ["value", value]}))[0].message


def test_a_converter_of_the_largest_size_is_compiled() -> None:
    sources = {"platform": nested(MAX_DEPTH - 1), "city": ["any", *["x"] * (MAX_PARTS - 200)]}
    compiled = parse_converter(document(SOUND | sources)).compiled
    assert compiled.convert({"x": "true", "y": "there"}, 0) == {"platform": "there", "city": "true"}
    assert compiled.lost_at("platform", {}, 0) is not None


@pytest.mark.parametrize("anything", [None, 5, "x", True, [1], {"a": {1: 2}}, {"converterConfig": {1: 2}}])
def test_anything_else_is_refused(anything: Any) -> None:
    assert faults(anything)


def test_all_operators_can_be_used_at_once() -> None:
    properties = {name: row.example.source for name, row in OPERATORS.items()}
    parse_converter(document(SOUND | {"event_properties": properties}))


EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "examples"


@pytest.mark.parametrize("name", ["viewing", "export"])
def test_the_examples_are_in_order(name: str) -> None:
    file = EXAMPLES / f"{name}.converter.json"
    if not file.exists():
        pytest.skip("the examples are not part of the project")
    parse_converter(json.loads(file.read_text()))
