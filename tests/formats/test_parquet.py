import datetime as dt
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.core.errors import Refused
from tests.formats.conversion import convert
from tests.formats.parquet_files import parquet, table

UTC_TIME = pa.timestamp("us", tz="UTC")


def inferred(*records: bytes) -> pa.Table:
    return table(convert(b"\n".join(records), "ndjson", "parquet"))


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([b"1", b"2"], pa.int64(), [1, 2]),
        ([b"1", b"1.5"], pa.float64(), [1.0, 1.5]),
        ([b"1.5", b"null", b"1"], pa.float64(), [1.5, None, 1.0]),
        ([b"1", b'"x"'], pa.string(), ["1", "x"]),
        ([b"1", b"1.5", b'"x"'], pa.string(), ["1", "1.5", "x"]),
        ([b"null"], pa.string(), [None]),
        ([b"true", b"null"], pa.bool_(), [True, None]),
        ([b"true", b"1"], pa.string(), ["true", "1"]),
        ([b"18446744073709551615"], pa.uint64(), [2**64 - 1]),
        ([b"-1", b"18446744073709551615"], pa.decimal128(20, 0), [Decimal(-1), Decimal(2**64 - 1)]),
        ([b"9" * 40], pa.decimal256(40, 0), [Decimal("9" * 40)]),
        ([b"0.12345678901234567890"], pa.decimal128(21, 20), [Decimal("0.12345678901234567890")]),
        ([b'{"x":1}', b'{"y":[1.5]}'], None, [{"x": 1, "y": None}, {"x": None, "y": [1.5]}]),
        ([b"{}", b"null"], pa.string(), ["{}", None]),
        ([b"[]", b"[1]", b"[null]"], pa.list_(pa.int64()), [[], [1], [None]]),
        ([b"[]"], pa.list_(pa.string()), [[]]),
        ([b"[1]", b'{"x":1}', b"2"], pa.string(), ["[1]", '{"x":1}', "2"]),
        ([b'[{"x":1},{"x":"a"}]'], None, [[{"x": "1"}, {"x": "a"}]]),
    ],
)
def test_a_column_gets_the_narrowest_type_that_holds_all_values(
    values: list[bytes], kind: pa.DataType | None, expected: list[object]
) -> None:
    found = inferred(*(b'{"a":' + value + b"}" for value in values))["a"]
    assert found.to_pylist() == expected
    assert kind is None or found.type == kind


def test_the_last_of_many_rows_counts_as_the_first() -> None:
    rows = [b'{"a":%d}' % number for number in range(200_000)]
    found = inferred(*rows, b'{"a":1.5}', b'{"a":"x"}')["a"]
    assert found.type == pa.string()
    assert found[0].as_py() == "0"
    assert found[-1].as_py() == "x"


def test_what_a_column_cannot_hold_names_row_and_column() -> None:
    with pytest.raises(Refused, match="row 1, column `a`: does not fit into decimal256"):
        inferred(b'{"a":' + b"9" * 100 + b"}")
    with pytest.raises(Refused, match="row 2, column `a`: is an integer that a double would change"):
        inferred(b'{"a":1.5}', b'{"a":9007199254740993}')


def test_timestamps_are_utc_with_microseconds() -> None:
    moment = dt.datetime(2026, 3, 8, 9, 30, 0, 123456, dt.UTC)
    content = parquet(
        pa.table(
            {
                "naive": pa.array([moment.replace(tzinfo=None)], pa.timestamp("us")),
                "far": pa.array([moment], pa.timestamp("us", tz="America/Los_Angeles")),
                "nano": pa.array([moment], pa.timestamp("ns", tz="UTC")),
                "nested": pa.array([[moment]], pa.list_(pa.timestamp("ms", tz="UTC"))),
            }
        )
    )
    text = convert(content, "parquet", "ndjson")
    assert text == (
        b'{"naive":"2026-03-08T09:30:00.123456Z","far":"2026-03-08T09:30:00.123456Z",'
        b'"nano":"2026-03-08T09:30:00.123456Z","nested":["2026-03-08T09:30:00.123000Z"]}\n'
    )
    found = table(convert(content, "parquet", "parquet"))
    assert [field.type for field in found.schema] == [UTC_TIME] * 3 + [pa.list_(UTC_TIME)]
    assert found["nano"].to_pylist() == [moment]


def test_nanoseconds_that_would_be_lost_are_an_error() -> None:
    content = parquet(pa.table({"a": pa.array([1_000, 1], pa.timestamp("ns"))}))
    with pytest.raises(Refused, match="row 2, column `a`: does not fit into timestamp"):
        convert(content, "parquet", "csv")


def test_types_survive_where_parquet_is_written_from_parquet() -> None:
    given = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "exact": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
            "day": pa.array([dt.date(2026, 3, 8), None]),
            "time": pa.array([dt.time(9, 30), None], pa.time64("us")),
            "raw": pa.array([b"\x00\xff", None]),
            "large": pa.array(["x", None], pa.large_string()),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "struct": pa.array([{"x": [1]}, None]),
        }
    )
    assert table(convert(parquet(given), "parquet", "parquet")).equals(given)
    assert convert(parquet(given.slice(0, 1)), "parquet", "csv") == (
        b"small,exact,day,time,raw,large,map,struct\n"
        b'1,1.50,2026-03-08,09:30:00,AP8=,x,"{""k"":1}","{""x"":[1]}"\n'
    )


def test_two_schemas_become_one_that_holds_both() -> None:
    first = parquet(pa.table({"a": pa.array([1], pa.int16()), "b": ["x"]}))
    second = parquet(pa.table({"a": [1.5], "c": [dt.date(2026, 3, 8)]}))
    found = table(convert([first, second], "parquet", "parquet"))
    assert found.to_pylist() == [
        {"a": 1.0, "b": "x", "c": None},
        {"a": 1.5, "b": None, "c": dt.date(2026, 3, 8)},
    ]


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "none"])
def test_the_codec_is_the_one_that_is_asked_for(codec: str) -> None:
    content = convert(b'{"a":1}', "ndjson", "parquet", parquet={"codec": codec})
    stored = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(0).compression
    assert stored == {"none": "UNCOMPRESSED"}.get(codec, codec.upper())


def test_an_empty_dataset_is_a_file_without_rows() -> None:
    assert table(convert(b"a,b\n", "csv", "parquet")).schema.names == ["a", "b"]
    assert table(convert(b"", "ndjson", "parquet")).num_rows == 0
    assert convert(convert(b"", "ndjson", "parquet"), "parquet", "csv") == b""
    assert convert(parquet(pa.table({"a": pa.array([], pa.int64())})), "parquet", "csv") == b"a\n"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"nonsense" * 10, parquet(pa.table({"a": [1]}))[:-10]])
def test_what_is_no_parquet_is_an_error(content: bytes) -> None:
    with pytest.raises(Refused, match="this Parquet file cannot be read"):
        convert(content, "parquet", "csv")


def test_what_no_other_format_could_hold_is_an_error() -> None:
    content = parquet(pa.table({"a": pa.array([1], pa.duration("s"))}))
    with pytest.raises(Refused, match="column `a` is of the type duration"):
        convert(content, "parquet", "csv")


def test_a_row_that_is_too_large_is_told() -> None:
    content = parquet(pa.table({"a": ["x", "y" * 33 * 1024 * 1024]}))
    with pytest.raises(Refused, match=r"the record at line 2 has 346030\d\d bytes"):
        convert(content, "parquet", "csv")


@pytest.mark.slow
def test_row_groups_have_at_most_128_megabytes() -> None:
    record = b'{"a":"' + b"x" * 1_000_000 + b'"}\n'
    content = convert(record * 150, "ndjson", "parquet", parquet={"codec": "snappy"})
    metadata = pq.ParquetFile(io.BytesIO(content)).metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    assert len(groups) > 1
    assert all(group.total_byte_size <= 128_000_000 for group in groups)
