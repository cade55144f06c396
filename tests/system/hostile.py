"""What comes through the queue although nobody should send it, or nobody thought of it; and what must become of it.

In bodies, `§` stands for the name of the destination that the definition makes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.core.errors import Code

BY_ID: Mapping[str, Any] = {}
BY_KEY: Mapping[str, Any] = {"key_template": "data.key", "on_existing": "overwrite"}
BY_TIME: Mapping[str, Any] = {"key_template": "join('_', [time.rfc3339_nano, metadata.\"event-id\"])"}
PAYLOAD_ONLY: Mapping[str, Any] = {"body": "payload"}


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A message that becomes a failure: its code, and words of its text; `known` says whether anyone's."""

    name: str
    body: str
    code: Code
    text: str
    definition: Mapping[str, Any] = field(default_factory=dict)
    known: bool = True


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """A message that becomes an object: its name below the prefix, its bytes, some of its metadata."""

    name: str
    body: str
    key: str
    object: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, Any] = field(default_factory=dict)


def _unknown(name: str, body: str, text: str) -> Refused:
    return Refused(name=name, body=body, code=Code.BAD_MESSAGE, text=text, known=False)


def _field(name: str, fields: str, text: str) -> Refused:
    """A message for a destination that is there, whose destination cannot be told all the same."""
    return _unknown(name, f'{{"destination_id": "§", "data": {{}}, {fields}}}', text)


def _metadata(name: str, metadata: str, text: str) -> Refused:
    body = f'{{"destination_id": "§", "id": "x", "metadata": {metadata}, "data": {{}}}}'
    return Refused(name=name, body=body, code=Code.BAD_MESSAGE, text=text)


def _time(time: str, text: str) -> Refused:
    return _field(f"time {time}", f'"time": "{time}"', text)


def _no_key(name: str, key: str, text: str) -> Refused:
    body = f'{{"destination_id": "§", "data": {{"key": {key}}}}}'
    return Refused(name=name, body=body, code=Code.BAD_KEY, text=text, definition=BY_KEY)


DEEP = "[" * 100_000 + "]" * 100_000

REFUSED = [
    _unknown("no JSON", "neither JSON nor anything", "the body is not JSON"),
    _unknown("a space", " ", "the body is not JSON"),
    _unknown("half of an object", '{"destination_id": "§", "data": {', "the body is not JSON"),
    _unknown("two objects", '{"destination_id": "§", "data": {}} {}', "the body is not JSON"),
    _unknown("a byte order mark", '\ufeff{"destination_id": "§", "data": {}}', "the body is not JSON"),
    _unknown("a newline in a string", '{"destination_id": "§", "data": {"a": "\n"}}', "the body is not JSON"),
    _unknown("NaN", '{"destination_id": "§", "data": {"a": NaN}}', "the body is not JSON"),
    _unknown("null", "null", "got `null`"),
    _unknown("a number", "42", "got `int`"),
    _unknown("a string", '"text"', "got `str`"),
    _unknown("an empty object", "{}", "`destination_id`"),
    _unknown("a payload nested 100,000 deep", f'{{"destination_id": "§", "data": {{"a": {DEEP}}}}}', "deep"),
    _unknown("a body nested 100,000 deep", DEEP, "array"),
    _unknown("no payload", '{"destination_id": "§"}', "`data`"),
    _unknown(
        "a payload that is null", '{"destination_id": "§", "data": null}', "`data` is not a JSON object"
    ),
    _unknown(
        "a payload that is a list", '{"destination_id": "§", "data": []}', "`data` is not a JSON object"
    ),
    _unknown(
        "a payload that is text", '{"destination_id": "§", "data": "{}"}', "`data` is not a JSON object"
    ),
    _unknown("a destination that is a number", '{"destination_id": 5, "data": {}}', "`destination_id`"),
    _unknown("no such destination", '{"destination_id": "nobody", "data": {}}', "no destination `nobody`"),
    _unknown("a destination with a path", '{"destination_id": "../§", "data": {}}', "no destination"),
    _unknown("a destination without a name", '{"destination_id": "", "data": {}}', "no destination"),
    _unknown(
        "a destination that breaks lines",
        '{"destination_id": "a\\nb\\u0000", "data": {}}',
        r"no destination `a\\nb\\x00`",
    ),
    _unknown(
        "a destination of 100,000 letters",
        f'{{"destination_id": "{"d" * 100_000}", "data": {{}}}}',
        r"no destination `d{57}\.\.\.`",
    ),
    _field("an id that is a number", '"id": 5', "`id`"),
    _field("an empty id", '"id": ""', "`id` is empty"),
    _field("half of a surrogate pair in the id", r'"id": "\ud83d"', "JSON"),
    _field("a topic that is a list", '"topic": []', "`topic`"),
    _field("metadata that is a list", '"metadata": []', "`metadata`"),
    _field("metadata that holds a number", '"metadata": {"n": 1}', "metadata `n` is not a string"),
    _field("metadata that holds null", '"metadata": {"n": null}', "metadata `n` is not a string"),
    _field("a time that is a number", '"time": 1760410739', "`time`"),
    _time("yesterday", "RFC 3339"),
    _time("2025-10-14", "RFC 3339"),
    _time("2025-10-14T02:58:59", "RFC 3339"),
    _time("2025-10-14 02:58:59Z", "RFC 3339"),
    _time("2025-10-14T02:58:59.1234567890Z", "RFC 3339"),
    _time("2025-02-30T00:00:00Z", "a day that does not exist"),
    _time("2025-10-14T24:00:00Z", "a time of day that does not exist"),
    _time("2025-10-14T02:58:59+24:00", "a time of day that does not exist"),
    _time("0001-01-01T00:00:00+00:01", "outside the years"),
    _metadata("metadata of 3,000 bytes", f'{{"long": "{"x" * 3000}"}}', r"\d{4} bytes .* at most 2048"),
    _metadata(
        "metadata that is too large only as it is sent",
        f'{{"long": "{"é" * 700}"}}',
        r"bytes .* at most 2048",
    ),
    _metadata("metadata with CR LF", r'{"evil": "a\r\nx-amz-acl: public-read"}', r"`evil` holds .* U\+000D"),
    _metadata("metadata with NUL", r'{"evil": "\u0000"}', r"`evil` holds .* U\+0000"),
    _metadata("a name with CR LF", r'{"a\r\nx-amz-acl": "public-read"}', "is no HTTP token"),
    _metadata("a name with a space", '{"a b": ""}', "`a b` is no HTTP token"),
    _metadata("a name with a colon", '{"a:b": ""}', "`a:b` is no HTTP token"),
    _metadata("an empty name", '{"": ""}', "is no HTTP token"),
    _metadata("a name with an umlaut", '{"ü": ""}', "is no HTTP token"),
    _metadata("two names that differ by case", '{"a": "1", "A": "2"}', "differs from `a` only by case"),
    _no_key("a key that is null", "null", "gives null"),
    _no_key("a key that is a list", '["a"]', "gives a list"),
    _no_key("a key that is an object", "{}", "gives an object"),
    _no_key("a key that is empty", '""', "gives an empty string"),
    _no_key("a key that is too large a number", "1e400", "too large"),
    _no_key("a key of 5,000 digits", "9" * 5000, "digits"),
    _no_key("a key of too many bytes", f'"{"k" * 1025}"', r"has \d{4} bytes, S3 takes at most 1024"),
    _no_key("a key of too many bytes in few letters", f'"{"é" * 512}"', r"has \d{4} bytes"),
    _no_key("a key that leaves the prefix", '"../x"', r"a segment `\.\.`"),
    _no_key("a key that leaves the prefix later", '"a/../../x"', r"a segment `\.\.`"),
    _no_key("a key that ends in dots", '"a/.."', r"a segment `\.\.`"),
    _no_key("a key that is a dot", '"."', r"a segment `\.`"),
    _no_key("a key with NUL", r'"a\u0000b"', r"U\+0000"),
    _no_key("a key with a newline", r'"a\nb"', r"U\+000A"),
    _no_key("a key with a C1 character", r'"a\u0085b"', r"U\+0085"),
    _no_key("a key with half of a surrogate pair", r'"a\ud83d"', "half of a surrogate pair"),
    _unknown("a pointer's class without a pointer", '["software.amazon.payloadoffloading.X"]', "pointer"),
    _unknown("a list of two numbers", "[1, 2]", "pointer"),
    _unknown(
        "a pointer of an unknown class", '["x.Y", {"s3BucketName": "b", "s3Key": "payloads/x"}]', "pointer"
    ),
    _unknown(
        "a pointer without a key",
        '["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b"}]',
        "pointer",
    ),
]


def _carried(name: str, payload: str) -> Delivered:
    """A payload that nobody but its receiver has to understand."""
    body = f'{{"destination_id": "§", "id": "{name}", "data": {payload}}}'
    return Delivered(name=name, body=body, key=name, object=payload, definition=PAYLOAD_ONLY)


def _key(name: str, key: str, spelled: str | None = None) -> Delivered:
    quoted = spelled or '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return Delivered(
        name=name,
        body=f'{{"destination_id": "§", "data": {{"key": {quoted}}}}}',
        key=key,
        object=f'{{"data": {{"key": {quoted}}}}}',
        definition=BY_KEY,
    )


def _at(time: str, nano: str, seconds: str) -> Delivered:
    return Delivered(
        name=f"time {time}",
        body=f'{{"destination_id": "§", "id": "{time[-6:]}", "time": "{time}", "data": {{}}}}',
        key=f"{nano}_{time[-6:]}",
        metadata={"timestamp": seconds},
        definition=BY_TIME,
    )


def _told(name: str, metadata: str, expected: Mapping[str, str]) -> Delivered:
    body = f'{{"destination_id": "§", "id": "{name}", "metadata": {metadata}, "data": {{}}}}'
    return Delivered(name=name, body=body, key=name, metadata=expected, definition=BY_ID)


NUMBERS = (
    '{"a": 1e400, "b": -0.0, "c": 18446744073709551616, "d": 1.0, "e": 1E+05, "f": 0.1000, "g": 123e-999}'
)

DELIVERED = [
    _carried("numbers", NUMBERS),
    _carried("a number of 10,000 digits", f'{{"n": {"7" * 10_000}}}'),
    _carried("escapes", r'{"\u0061": "\/\u00e9\ud83c\udf89 é🎉"}'),
    _carried("half of a surrogate pair", r'{"cut": "\ud83d", "other": "\udf89"}'),
    _carried("NUL", r'{"nul": "\u0000"}'),
    _carried("white space", '{ "a"\t:\r\n [ 1 ,2 ]\n}'),
    _carried("a name twice", '{"a": 1, "a": 2}'),
    _carried("nested 500 deep", '{"a": ' + "[" * 500 + "]" * 500 + "}"),
    _carried("a payload without members", "{}"),
    _carried("script", '{"html": "</script><!--", "sep": "\u2028\ufeff"}'),
    Delivered(
        name="numbers seen by a template",
        body=f'{{"destination_id": "§", "data": {{"key": "numbers seen", "n": {NUMBERS}}}}}',
        key="numbers seen",
        object=f'{{"data": {{"key": "numbers seen", "n": {NUMBERS}}}}}',
        definition=BY_KEY,
    ),
    Delivered(
        name="half of a surrogate pair beside the key",
        body=r'{"destination_id": "§", "data": {"key": "beside", "cut": "\ud83d"}}',
        key="beside",
        object=r'{"data": {"key": "beside", "cut": "\ud83d"}}',
        definition=BY_KEY,
    ),
    Delivered(
        name="fields of others",
        body='{"tenant_id": 1, "destination_id": "§", "id": "others", "eligible_for_retry": [{}], "data": {}}',
        key="others",
        object='{"data": {}}',
    ),
    Delivered(
        name="fields that are null",
        body='{"destination_id": "§", "id": "nulls", "topic": null, "metadata": null, "data": {}}',
        key="nulls",
    ),
    _key("an empty segment", "a//b"),
    _key("a slash at the end", "a/"),
    _key("two slashes at the end", "a//"),
    _key("a slash at the beginning", "/a"),
    _key("spaces", " a  b "),
    _key("a plus", "a+b"),
    _key("a percent sign", "100%"),
    _key("what looks encoded", "a%2Fb%2e%2e%00"),
    _key("what looks like a query", "a?b=c&d#e"),
    _key("a backslash", "a\\b\\..\\c"),
    _key("quotes", "a'b\"c`d"),
    _key("brackets", "<a>[b]{c}(d)"),
    _key("signs", "~!@$^*_=|:;,"),
    _key("an emoji", "🎉/é"),
    _key("a letter in two parts", "e\u0301"),
    _key("other letters", "建設/Łukasz/ß"),
    _key("a zero-width character", "a\u200bb\ufeff"),
    _key("three dots", "..."),
    _key("dots that are no segment", "..a/a../.b/b."),
    _key("an integer", "18446744073709551616", "18446744073709551616"),
    _key("a float", "1.23456785e+07", "12345678.5"),
    _key("a float without fraction", "1", "1.0"),
    _key("minus zero", "-0", "-0.0"),
    _key("a boolean", "true", "true"),
    _at("2025-10-14T02:58:59.323405308Z", "2025-10-14T02:58:59.323405308Z", "2025-10-14T02:58:59Z"),
    _at("2025-10-14T02:58:59.320000000z", "2025-10-14T02:58:59.32Z", "2025-10-14T02:58:59Z"),
    _at("2025-10-14t02:58:59.5+02:00", "2025-10-14T00:58:59.5Z", "2025-10-14T00:58:59Z"),
    _at("2024-02-29T23:59:59-23:59", "2024-03-01T23:58:59Z", "2024-03-01T23:58:59Z"),
    _at("0001-01-01T00:00:00.000000001Z", "0001-01-01T00:00:00.000000001Z", "0001-01-01T00:00:00Z"),
    _at("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59Z"),
    _told(
        "names of properties",
        '{"content-type": "text/html", "Storage-Class": "x"}',
        {"content-type": "text/html"},
    ),
    _told("an emoji in metadata", '{"who": "Zoë 🎉"}', {"who": "Zoë 🎉"}),
    _told("a long text in metadata", f'{{"what": "{"設" * 300}"}}', {"what": "設" * 300}),
    _told("spaces around a value", '{"padded": "  a  b "}', {"padded": "  a  b "}),
    _told("an empty value", '{"nothing": "", "something": "x"}', {"something": "x"}),
    _told("a value that looks encoded", '{"odd": "=?utf-8?q?a?="}', {"odd": "=?utf-8?q?a?="}),
    _told("odd names", '{"a.b_c-D": "odd"}', {"a.b_c-d": "odd"}),
    _told("names of ours", '{"topic": "theirs", "destinationId": "theirs"}', {"topic": "theirs"}),
]
