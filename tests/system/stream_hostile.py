"""What comes through the queue of records although nobody should send it; and what must become of it.

In bodies, `§` stands for the name of the destination that the definition makes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.core.errors import Code

CSV: Mapping[str, Any] = {"format": "csv"}
NDJSON: Mapping[str, Any] = {"format": "ndjson"}
PARQUET: Mapping[str, Any] = {"format": "parquet"}
BY_IDS: Mapping[str, Any] = {"key_template": "{connection_id}/{stream_id}/{stream_run_id}_{part}"}
CONTINUOUS: Mapping[str, Any] = {"flush": {}}


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A message that is never staged: its code, and words of its text; `known` says whether anyone's."""

    name: str
    body: str
    code: Code = Code.BAD_MESSAGE
    text: str
    known: bool = False


@dataclass(frozen=True, kw_only=True)
class RunCase:
    """A run: `messages` are the records of each, as JSON; `fields` stand in every body of it.

    It becomes the `file` of the name `key`, or fails with `code` and words of `text`; with neither it waits.
    """

    name: str
    messages: tuple[str, ...] = ()
    definition: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    end: str = ""
    sequences: tuple[int, ...] = ()
    key: str | None = None
    file: bytes | None = None
    code: Code | None = None
    text: str = ""

    @property
    def run(self) -> str:
        """The JSON of its `stream_run_id`."""
        return self.fields.get("stream_run_id", f'"{self.name}"')

    def bodies(self, destination: str) -> list[str]:
        """Its messages, the end in their midst."""
        common = {
            "destination_id": f'"{destination}"',
            "connection_id": '"c"',
            "stream": '{"id": "s", "name": "s"}',
            "started_at": '"2025-04-14T11:23:45Z"',
            **self.fields,
            "stream_run_id": self.run,
        }
        head = ", ".join(f'"{name}": {value}' for name, value in common.items())
        numbers = self.sequences or tuple(range(len(self.messages)))
        said = [
            f'{{{head}, "sequence": {number}, "records": {records}}}'
            for number, records in zip(numbers, self.messages, strict=True)
        ]
        end = f'{{{head}, "end": true, {self.end or f"{chr(34)}batches{chr(34)}: {len(self.messages)}"}}}'
        return [*said[:1], end, *said[1:]]


def _body(
    name: str, fields: str, text: str, *, known: bool = False, code: Code = Code.BAD_MESSAGE
) -> Refused:
    """A body whose fields are the usual ones, but for these."""
    usual = {
        "destination_id": '"§"',
        "connection_id": '"c"',
        "stream": '{"id": "s", "name": "s"}',
        "stream_run_id": '"r"',
        "sequence": "0",
        "records": "[]",
    }
    changed = {part.partition(":")[0].strip(' "') for part in fields.split(";")}
    kept = [f'"{key}": {value}' for key, value in usual.items() if key not in changed]
    given = [part for part in fields.split(";") if ":" in part]
    return Refused(name=name, body="{" + ", ".join([*kept, *given]) + "}", text=text, known=known, code=code)


DEEP = "[" * 50_000 + "]" * 50_000
HALF = "half of a surrogate pair"

REFUSED = [
    Refused(name="no JSON", body="neither JSON nor anything", text="the body is not JSON"),
    Refused(name="null", body="null", text="not an object"),
    Refused(name="a list", body="[1, 2]", text="pointer"),
    Refused(name="an empty object", body="{}", text="`destination_id`"),
    Refused(
        name="a message of another kind", body='{"destination_id": "§", "data": {}}', text="`connection_id`"
    ),
    _body("NaN in a row", '"records": [{"n": NaN}]', "the body is not JSON"),
    _body("minus infinity in a row", '"records": [{"n": -Infinity}]', "the body is not JSON"),
    _body("half of a surrogate pair in a row", r'"records": [{"a": "\ud83d"}]', HALF),
    _body("half of a surrogate pair in the name of a column", r'"records": [{"\udf89": 1}]', HALF),
    _body("half of a surrogate pair in the run", r'"stream_run_id": "\ud83d"', HALF),
    _body("a row nested 50,000 deep", f'"records": [{{"a": {DEEP}}}]', "deep"),
    _body("a row that is null", '"records": [{}, null]', r"`records\[1\]` is not an object"),
    _body("a row that is a list", '"records": [[]]', r"`records\[0\]` is not an object"),
    _body("a row that is text that looks like one", '"records": ["{}"]', r"`records\[0\]` is not an object"),
    _body("records that are an object", '"records": {}', "`records`"),
    _body("no records", '"records": null', "`records` is missing"),
    _body("a sequence below 0", '"sequence": -1', "`sequence`"),
    _body("a sequence with a fraction", '"sequence": 1.5', "`sequence`"),
    _body("a sequence that is text", '"sequence": "0"', "`sequence`"),
    _body("a sequence beyond 2^53", '"sequence": 9007199254740992', "`sequence`"),
    _body("no sequence", '"sequence": null', "`sequence` is missing", known=True),
    _body("no run", '"stream_run_id": null', "`stream_run_id` is missing", known=True),
    _body("an empty run", '"stream_run_id": ""', "`stream_run_id`"),
    _body("a run of 1,025 letters", f'"stream_run_id": "{"r" * 1025}"', "`stream_run_id`"),
    _body("an end without a count", '"end": true; "records": null', "`batches`"),
    _body("an end with rows", '"end": true; "batches": 1; "records": [{}]', "no `records`"),
    _body("an end of minus one message", '"end": true; "batches": -1; "records": null', "`batches`"),
    _body("no stream", '"stream": null', "`stream`"),
    _body("a stream without an id", '"stream": {"name": "s"}', "`stream.id`|`id`"),
    _body("a schema that is a list", '"stream": {"id": "s", "name": "s", "schema": []}', "JSON Schema"),
    _body("a cursor in words", '"cursor": "yesterday"', "`cursor` .*RFC 3339"),
    _body("a beginning without a zone", '"started_at": "2025-04-14T11:23:45"', "`started_at` .*RFC 3339"),
    _body("no such destination", '"destination_id": "nobody"', "no destination `nobody`"),
    _body("a destination with a path", '"destination_id": "../§"', "no destination"),
    _body("a destination of 1,000 emoji", f'"destination_id": "{"🎉" * 1000}"', r"no destination .*\.\.\."),
    _body(
        "a destination that breaks lines", r'"destination_id": "a\nb\u0000"', r"no destination `a\\nb\\x00`"
    ),
]

BIG = "1234567890123456789012345678901234567890"
LONG = "é" * 500
"""1,000 bytes: in the name of a file, the most that S3 takes but for 24."""


def _named(name: str, run: str, *, text: str = "", key: str | None = None) -> RunCase:
    """A run of this name, given as JSON: its file bears the name, or cannot."""
    return RunCase(
        name=name,
        messages=('[{"a":1}]',),
        fields={"stream_run_id": run},
        key=key,
        file=b'{"a":1}\n' if key else None,
        code=None if key else Code.BAD_KEY,
        text=text,
    )


RUNS = [
    RunCase(
        name="ragged rows, columns in another order",
        messages=('[{"a":1},{"b":2}]', '[{"b":4,"a":3},{}]'),
        definition=CSV,
        file=b"a,b\n1,\n,2\n3,4\n,\n",
    ),
    RunCase(
        name="a name twice, names that need quotes, texts that do",
        messages=(r'[{"a":1,"a":2,"":3,"x,\"y\n":"= \"q\",\r\n"}]',),
        definition=CSV,
        file=b'a,"","x,""y\n"\n2,3,"= ""q"",\r\n"\n',
    ),
    RunCase(
        name="values that are no plain cells",
        messages=(
            f'[{{"n":{BIG},"o":{{"b":[1,"x"]}},"z":-0.0}}]',
            r'[{"n":1.5,"o":"","z":null},{"n":"x","o":null,"z":"\u0000\ud83c\udf89"}]',
        ),
        definition=CSV,
        file=f'n,o,z\n{BIG},"{{""b"":[1,""x""]}}",-0.0\n1.5,"",\nx,,\x00🎉\n'.encode(),
    ),
    RunCase(
        name="rows without columns",
        messages=("[{},{}]",),
        definition=CSV,
        code=Code.BAD_FILE,
        text="a row without columns cannot be told from an empty line",
    ),
    RunCase(name="an end and no rows", definition=CSV, file=b""),
    RunCase(
        name="an end, no rows, and a schema",
        fields={"stream": '{"id": "s", "name": "s", "schema": {"properties": {"a": {"type": "string"}}}}'},
        definition=CSV,
        file=b"a\n",
    ),
    RunCase(
        name="a column that the schema does not have",
        messages=('[{"a":"x"},{"a":"y","b":1}]',),
        fields={"stream": '{"id": "s", "name": "s", "schema": {"properties": {"a": {"type": "string"}}}}'},
        definition=CSV,
        code=Code.SCHEMA,
        text="`b`",
    ),
    RunCase(
        name="a column of 1,000 line breaks that the schema does not have",
        messages=('[{"%s":1}]' % (r"\n" * 1000),),
        fields={"stream": '{"id": "s", "name": "s", "schema": {"properties": {"a": {}}}}'},
        definition=CSV,
        code=Code.SCHEMA,
        text=r"`\\n\\n.*\.\.\.`",
    ),
    RunCase(
        name="a schema whose type is 1,000 line breaks",
        fields={
            "stream": '{"id": "s", "name": "s", "schema": {"properties": {"\\n": {"type": "%s"}}}}'
            % (r"\n" * 1000)
        },
        definition=CSV,
        code=Code.SCHEMA,
        text="is no type",
    ),
    RunCase(name="messages without rows", messages=("[]", "[]"), file=b""),
    RunCase(
        name="rows that are only carried",
        messages=(
            f'[{{"a":1,"a":{BIG}}}, {{ "b" : 1e400,\n"c":-0.0, "d":1.10, "e":"\\u0000\\ud83c\\udf89 é" }}]',
        ),
        file=f'{{"a":1,"a":{BIG}}}\n{{"b":1e400,"c":-0.0,"d":1.10,"e":"\\u0000\\ud83c\\udf89 é"}}\n'.encode(),
    ),
    RunCase(
        name="a sequence twice, with other rows",
        messages=('[{"first":0}]', '[{"n":1}]', '[{"second":0}]'),
        sequences=(0, 1, 0),
        end='"batches": 2',
        file=b'{"first":0}\n{"n":1}\n',
    ),
    RunCase(
        name="a sequence is missing",
        messages=('[{"n":0}]', '[{"n":2}]'),
        sequences=(0, 2),
        end='"batches": 3',
    ),
    RunCase(
        name="more messages than the end says",
        messages=('[{"n":0}]', '[{"n":1}]'),
        end='"batches": 1',
        code=Code.BAD_MESSAGE,
        text="says that the run has 1 messages; there are 2",
    ),
    RunCase(
        name="integers beyond every column",
        messages=('[{"n":1}]', f'[{{"n":{"9" * 100}}}]', '[{"n":"x"}]'),
        definition=PARQUET,
        file=b'{"n":"1"}\n{"n":"%s"}\n{"n":"x"}\n' % (b"9" * 100),
    ),
    RunCase(
        name="a column that turns from integers to fractions",
        messages=('[{"n":1}]', '[{"n":1.5,"o":null}]'),
        definition=PARQUET,
        file=b'{"n":1.0,"o":null}\n{"n":1.5,"o":null}\n',
    ),
    _named("a run that leaves the prefix", '"../../x"', text=r"segment `\.\.`"),
    _named("a run with NUL", r'"a\u0000b"', text=r"U\+0000"),
    _named("a run of 2,000 bytes", f'"{LONG}{LONG}"', text=r"has \d{4} bytes"),
    _named("a run with an emoji and a folder", '"🎉 %2F/b"', key="s/2025_04_14/🎉 %2F/b_0000001.jsonl"),
    RunCase(
        name="ids that leave the prefix",
        messages=('[{"a":1}]',),
        fields={"connection_id": '".."', "stream": '{"id": "/s", "name": "../"}'},
        definition=BY_IDS,
        code=Code.BAD_KEY,
        text=r"segment `\.\.`",
    ),
    RunCase(
        name="ids that begin with a slash",
        messages=('[{"a":1}]',),
        fields={"connection_id": '"/c"', "stream": '{"id": "s/", "name": "s"}', "stream_run_id": '"r"'},
        definition=BY_IDS,
        key="/c/s//r_0000001",
        file=b'{"a":1}\n',
    ),
]
