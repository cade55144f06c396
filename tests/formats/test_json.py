import math
import struct

import pyarrow as pa
import pytest

from functions.core.errors import Code, Refused
from tests.formats.conversion import convert, deliver
from tests.formats.parquet_files import parquet

MEBIBYTE = 1024 * 1024


def carried(content: bytes) -> bytes:
    return convert(content, "ndjson", "ndjson")


@pytest.mark.parametrize(
    "record",
    [
        b'{"a":9007199254740993}',
        b'{"a":123456789012345678901234567890123456789012}',
        b'{"b":1.10,"a":1e400}',
        b'{"a":"\\u00e9\xc3\xa9"}',
        b'{"a":{"b":[{},[],null,true]}}',
        b"{}",
    ],
)
def test_records_are_carried_as_they_are_written(record: bytes) -> None:
    assert carried(record) == record + b"\n"
    assert convert(convert(record, "ndjson", "json"), "json", "ndjson") == record + b"\n"


def test_spaces_between_parts_and_empty_lines_go() -> None:
    assert carried(b'\xef\xbb\xbf{ "a" : [ 1 , 2 ] }\r\n\n  \n{"b":" x "}') == b'{"a":[1,2]}\n{"b":" x "}\n'


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":[1, -Infinity]}', "-Infinity is not JSON"),
        (b'{"a":"\\ud83d"}', "half of a surrogate pair at byte 7"),
        (b'{"a":"x\\ude00"}', "half of a surrogate pair at byte 8"),
        (b'{"a":"\\ud83d\\u0041"}', "half of a surrogate pair at byte 7"),
        (b'{"\\ud83dx":1}', "half of a surrogate pair at byte 3"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 7"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8 at byte 7"),
        (b'{"a":1', "truncated"),
        (b'{"a":1} {"a":2}', "trailing"),
        (b"[1]", "not an object"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply"),
        (b'{"a":01}', "invalid number"),
        (b'{"a":"\x01"}', "invalid character"),
    ],
)
@pytest.mark.parametrize("target", ["ndjson", "csv"])
def test_what_is_no_json_object_is_an_error_with_its_line(record: bytes, what: str, target: str) -> None:
    with pytest.raises(Refused) as refused:
        convert(b'{"a":0}\n' + record + b"\n", "ndjson", target)
    assert what in refused.value.text
    assert refused.value.faults[0].line == 2


def test_utf_16_is_told() -> None:
    with pytest.raises(Refused, match="this is UTF-16; JSON is UTF-8"):
        carried('{"a":1}'.encode("utf-16"))


def test_an_array_is_read_object_by_object() -> None:
    content = b' [ {"a" : "]}\\"" } ,\n {"b":[{}]}\n]\n'
    assert convert(content, "json", "ndjson") == b'{"a":"]}\\""}\n{"b":[{}]}\n'


def test_an_empty_array_is_an_empty_dataset() -> None:
    assert convert(b"[]", "json", "ndjson") == b""
    assert convert(b"", "ndjson", "json") == b"[\n\n]\n"


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"", 1, "[ expected; the file ends here"),
        (b'{"a":1}', 1, "[ expected; '{' found"),
        (b'[{"a":1}\n', 2, ", or ] expected"),
        (b'[{"a":1},\n]', 2, "an object expected; ']' found"),
        (b"[\n1]", 2, "an object expected; '1' found"),
        (b'[\n{"a":1', 2, "the file ends within this object"),
        (b"[]\n[]", 2, "the end of the file expected; '[' found"),
        (b'[{"a":1},\n{"a":NaN}]', 2, "NaN is not JSON"),
        (b'[\n{"a":[}]}]', 2, "invalid character"),
    ],
)
def test_what_is_no_array_of_objects_is_an_error_with_its_line(content: bytes, line: int, what: str) -> None:
    with pytest.raises(Refused) as refused:
        convert(content, "json", "ndjson")
    assert what in refused.value.text
    assert refused.value.faults[0].line == line


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("target", ["ndjson", "json"])
def test_what_json_cannot_hold_names_row_and_column(value: float, target: str) -> None:
    content = parquet(pa.table({"a": [1.0, 2.0], "b": [0.0, value]}))
    with pytest.raises(Refused, match="row 2, column `b`: is NaN or infinite"):
        convert(content, "parquet", target)


@pytest.mark.parametrize("source", ["ndjson", "json", "csv"])
def test_a_record_that_is_too_large_is_told_with_line_and_size(source: str) -> None:
    large = b"x" * (33 * MEBIBYTE)
    content = {
        "ndjson": b'{"a":1}\n{"a":"' + large + b'"}\n{"a":2}\n',
        "json": b'[{"a":1},\n{"a":"' + large + b'"}, {"a":2}]',
        "csv": b'a\n"' + large + b'"\n1\n',
    }[source]
    size = len(large) + {"ndjson": 8, "json": 8, "csv": 2}[source]
    with pytest.raises(Refused, match=f"the record at line 2 has {size} bytes") as refused:
        convert(content, source, "ndjson")
    assert refused.value.code is Code.TOO_LARGE


def test_a_record_that_grows_too_large_when_it_is_written_is_told() -> None:
    content = b"a\nx\n" + b"\t" * 700_000 + b"\n"
    with pytest.raises(Refused, match="the record at line 3 has 1400008 bytes; the limit is 1000000"):
        deliver({"in.csv": content}, format="ndjson", limit=1_000_000)
    content = parquet(pa.table({"a": ["x", '"' * 700_000]}))
    with pytest.raises(Refused, match="the record at line 2 has 1400003 bytes; the limit is 1000000"):
        deliver({"in.parquet": content}, format="csv", limit=1_000_000)


def test_a_float_of_four_bytes_keeps_its_value() -> None:
    value = struct.unpack("f", struct.pack("f", 0.1))[0]
    content = parquet(pa.table({"a": pa.array([0.1], pa.float32())}))
    assert convert(content, "parquet", "ndjson") == f'{{"a":{value!r}}}\n'.encode()
