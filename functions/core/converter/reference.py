"""The page of the documentation about converters, from the tables that the code itself goes by."""

import json
from typing import Any

import msgspec

from functions.core.converter.nodes import Operator
from functions.core.converter.operators import OPERATORS
from functions.core.events.fields import INPUTS, REQUIRED, Kind

_HEAD = """# Converters

A converter says how a record of a file (a JSON object, a row of delimited text or of Parquet) becomes one
output object. `sluice converter check FILE` tells all of its faults at once, each with its path; `sluice
converter run FILE --input FILE` shows what records become, and where a value that is required was lost.

```json
{"config_name": ["viewing"],
 "converterConfig": {
   "fileType": "json",
   "compressionType": "gzip",
   "ignoreEventFlag": "$ignore",
   "convertToAmplitudeFunc": {
     "user_id": "user",
     "event_type": ["any", "action", ["value", "unknown action"]],
     "time": ["iso_time_to_ms", "at"],
     "event_properties": {"business": "business_id"},
     "$ignore": ["eq", "kind", ["value", "test"]]}},
 "keyValidatorConfig": {"filterPattern": ".*\\\\.json\\\\.gz"}}
```

- `fileType`: `json` (an object a line), `csv` or `parquet`; `compressionType`: `none` (the default), `gzip`,
  `zip`, `tar` or `tgz`; not for Parquet, which is compressed within.
- `csvConfig`: the settings of delimited text (`delimiter`, `header`, `quote`, `quote_char`, `escape`, `null`,
  `encoding`, …), and `columns`, the names of the columns of a file without a header.
- `ignoreEventFlag`: a field of the output; where it is true the record is passed over and counted. It is no
  part of the event.
- `filterPattern`: RE2 syntax; it must match the whole of a key, or the whole of what follows the prefix.

A SOURCE is `"field"`, always a reference to a field of the record, whose dots are part of its name; or
`["operator", argument, …]`; or `{"k": SOURCE, …}`, the same as `["dict", "k", SOURCE, …]`. RAW arguments are
literal. `…` repeats the last group.

**No value** and **null** are different. No value: a missing field, an operand of a type that the operator
cannot use, a string that does not parse. It is never an error. Objects, arrays and the output leave out what
has no value and keep null; an operator gives no value from no value, unless its arguments are BOOLEANs.

A BOOLEAN is a SOURCE: true, false and the strings `true` and `false`; null and no value are false; anything
else is no value, and counts as false in `cond` and `ifelse`."""

_TIMES = """Times have the years that 64 bits of milliseconds hold, from -292275055 to 292278994; beyond four
digits a year has a sign. An event's own time lies within the years 1 to 9999."""


def converter_reference() -> str:
    """The page, in Markdown."""
    rows = list({id(row): row for row in OPERATORS.values()}.values())
    operators = ["| operator | arguments | gives | for example |", "|---|---|---|---|", *map(_row, rows)]
    fields = ["| field | holds |", "|---|---|", *(f"| {names} | {kind} |" for kind, names in _fields())]
    required = [f"- {kind}: {'; '.join(map(_either, needed))}" for kind, needed in REQUIRED.items()]
    parts = [
        _HEAD,
        "## Operators",
        "\n".join(operators),
        _TIMES,
        "## What rows require",
        "\n".join(required),
        "An `event_type` of `$identify` or `$groupidentify` makes a row of events one of user or group properties.",
        "## The fields of an event",
        "\n".join(fields),
    ]
    return "\n\n".join(parts) + "\n"


def _row(row: Operator) -> str:
    names = ", ".join(f"`{_cell(name)}`" for name in row.names)
    return f"| {names} | {row.signature()} | {row.doc} | {_example(row)} |"


def _example(row: Operator) -> str:
    example = row.example
    given = f" of `{_json(example.record)}`" if example.record else ""
    result = "no value" if example.result is msgspec.UNSET else f"`{_json(example.result)}`"
    return f"`{_json(example.source)}`{given}: {result}"


def _json(value: Any) -> str:
    return _cell(json.dumps(value, ensure_ascii=False))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _fields() -> list[tuple[str, str]]:
    return [
        (_HOLDS[kind], ", ".join(f"`{name}`" for name in sorted(INPUTS) if INPUTS[name] is kind))
        for kind in Kind
    ]


def _either(requirement: Any) -> str:
    return " or ".join(f"`{name}`" for name in requirement.fields)


_HOLDS = {
    Kind.TEXT: "text, cut to 1,024 characters; numbers become text",
    Kind.IDENTIFIER: "text of at least 5 characters (a setting), and none of what stands for no id",
    Kind.MILLISECONDS: "milliseconds since 1970, a number or digits",
    Kind.TIMESTAMP: "a timestamp in ISO 8601, with `T` or a space",
    Kind.INTEGER: "an integer of 64 bits, or its digits",
    Kind.NUMBER: "a number, or text that is one",
    Kind.FLOAT: "a number, or text that is one; kept as a double",
    Kind.BOOLEAN: "true or false, or these as text",
    Kind.DICTIONARY: "an object, nested at most 40 deep",
    Kind.PROPERTIES: "an object of properties, or of operations such as `$set`, not of both",
    Kind.GROUPS: "an object: group type → name or names; at most 5 types and 10 groups",
    Kind.CURRENCY: "three capitals",
    Kind.MUTATION: "`INSERT`, `UPDATE` or `DELETE`",
    Kind.JSON: "anything",
}
