import pytest

from functions.core.errors import Refused
from tests.formats.conversion import convert


def rows(content: bytes, **settings: object) -> bytes:
    return convert(content, "csv", "ndjson", input={"delimited": settings} if settings else {})


def written(content: bytes, **settings: object) -> bytes:
    return convert(content, "ndjson", "csv", delimited=settings)


@pytest.mark.parametrize(
    ("content", "settings", "expected"),
    [
        (b"a,b\n1,x\n", {}, b'{"a":"1","b":"x"}\n'),
        (b"a,b\r\n1,x\r\n", {}, b'{"a":"1","b":"x"}\n'),
        (b"a,b\n1,x", {}, b'{"a":"1","b":"x"}\n'),
        (b'a\n"x\r\ny"\n', {}, b'{"a":"x\\r\\ny"}\n'),
        (b'a,b\n"say ""hi""",\n', {}, b'{"a":"say \\"hi\\"","b":null}\n'),
        (b'a,b\n"",\n', {}, b'{"a":"","b":null}\n'),
        (b'a,b\n"NA",NA\n', {"null": "NA"}, b'{"a":"NA","b":null}\n'),
        (b"\xef\xbb\xbfa\n1\n", {}, b'{"a":"1"}\n'),
        ("a\né\n".encode("utf-16"), {}, '{"a":"é"}\n'.encode()),
        (b"\xfe\xff" + "a\né\n".encode("utf-16-be"), {"encoding": "utf-16"}, '{"a":"é"}\n'.encode()),
        (b"1,2\n", {"header": False}, b'{"column_1":"1","column_2":"2"}\n'),
        (b"a\n\n\nx\n", {}, b'{"a":null}\n{"a":null}\n{"a":"x"}\n'),
        (b'a,b\n"x\\"y",z\\,z\n', {"escape": "\\"}, b'{"a":"x\\"y","b":"z,z"}\n'),
        (b"a,b\n\\N,\\\\N\n", {"escape": "\\", "null": "\\N"}, b'{"a":null,"b":"\\\\N"}\n'),
        (b'a\n"x\n', {"quote": "none"}, b'{"a":"\\"x"}\n'),
        (b"n,a\n1,x\n", {"row_number": "n"}, b'{"a":"x"}\n'),
        (b"a\n", {}, b""),
        (b"", {}, b""),
        (b"a;b\n1;2\n", {"delimiter": ";"}, b'{"a":"1","b":"2"}\n'),
    ],
)
def test_cells_are_text_and_an_unquoted_null_text_is_null(
    content: bytes, settings: dict[str, object], expected: bytes
) -> None:
    assert rows(content, **settings) == expected


@pytest.mark.parametrize(
    ("content", "settings", "line", "what"),
    [
        (b"a,b\n1,2\n3\n", {}, 3, "this row has 1 cell, the header has 2"),
        (b'a,b\n"1\n2",2\n3,4,5\n', {}, 4, "this row has 3 cells, the header has 2"),
        (b"a,b\n\n", {}, 2, "this row has 1 cell"),
        (b"a,b,a\n", {}, 1, "the header names `a` more than once (columns 1, 3)"),
        (b"\n\na,b\n", {"header": False}, 3, "the first row has 1"),
        (b'a\nx"y\nz\n', {}, 2, "never closed"),
        (b'a\nx"y"\n', {}, 2, "a quote stands within a cell"),
        (b'a\n"x"y\n', {}, 2, "something follows the closing quote"),
        (b'a\nz\n"x\ny\n', {}, 3, "never closed"),
        (b"a\nx\ry\n", {}, 2, "carriage return"),
        (b"a\nx\xffy\n", {}, 2, "not UTF-8: invalid start byte at character 2"),
        (b"a\n\xed\xa0\x80\n", {}, 2, "not UTF-8"),
        (b"\xff\xfea\x00\n\x00\x00\xd8\n\x00", {}, 2, "not UTF-16"),
        (b"a\n1\n", {"encoding": "utf-16"}, 1, "no byte order mark"),
    ],
)
def test_a_broken_file_is_an_error_with_its_line(
    content: bytes, settings: dict[str, object], line: int, what: str
) -> None:
    with pytest.raises(Refused) as refused:
        rows(content, **settings)
    assert what in refused.value.text
    assert refused.value.faults[0].line == line
    assert refused.value.faults[0].path == "in0"


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("all", b'"n","t","z"\n"1","a b",""\n"-2.5","",""\n'),
        ("non_null", b'"n","t","z"\n"1","a b",\n"-2.5","",\n'),
        ("minimal", b'n,t,z\n1,a b,\n-2.5,"",\n'),
        ("non_numeric", b'"n","t","z"\n1,"a b",\n-2.5,"",\n'),
    ],
)
def test_each_mode_quotes_what_it_says(quote: str, expected: bytes) -> None:
    records = b'{"n":1,"t":"a b","z":null}\n{"n":-2.5,"t":"","z":null}\n'
    assert written(records, quote=quote) == expected


@pytest.mark.parametrize(
    ("record", "settings", "expected"),
    [
        (b'{"a":"x,y"}', {}, b'a\n"x,y"\n'),
        (b'{"a":"x\\"y"}', {}, b'a\n"x""y"\n'),
        (b'{"a":"x\\"y"}', {"escape": "\\"}, b'a\n"x\\"y"\n'),
        (b'{"a":"x\\r\\ny"}', {"line_ending": "crlf"}, b'a\r\n"x\r\ny"\r\n'),
        (b'{"a":"NA","b":null}', {"null": "NA"}, b'a,b\n"NA",NA\n'),
        (b'{"a":"x,\\"y"}', {"quote": "none", "escape": "\\"}, b'a\nx\\,\\"y\n'),
        (b'{"a":{"b":[1,null,"\xc3\xa9"]}}', {}, b'a\n"{""b"":[1,null,""\xc3\xa9""]}"\n'),
        (b'{"a":[]}', {}, b"a\n[]\n"),
        (b'{"a":true,"b":1e22}', {}, b"a,b\ntrue,1e+22\n"),
        (
            b'{"a":1234567890123456789012345678901234567890}',
            {},
            b"a\n1234567890123456789012345678901234567890\n",
        ),
        (b'{"a":0.12345678901234567890123}', {}, b"a\n0.12345678901234567890123\n"),
        (b'{"a":"=1+1","b":-1}', {"neutralize_formulas": True}, b"a,b\n'=1+1,-1\n"),
        (b'{"a":"x"}', {"row_number": True}, b"row_number,a\n1,x\n"),
        (b'{"a":"x"}', {"header": False}, b"x\n"),
        (b'{"a":"x"}', {"quote_char": "'", "delimiter": "\x01"}, b"a\nx\n"),
    ],
)
def test_a_value_as_a_cell(record: bytes, settings: dict[str, object], expected: bytes) -> None:
    assert written(record, **settings) == expected


@pytest.mark.parametrize("text", ["x,y", 'x\\"y', "x\\ny", "x\\ry", ""])
def test_what_no_quotes_cannot_hold_names_row_and_column(text: str) -> None:
    records = f'{{"a":1,"b":"fine"}}\n\n{{"a":2,"b":"{text}"}}\n'.encode()
    with pytest.raises(Refused, match="row 2, column `b`: ") as refused:
        written(records, quote="none")
    assert refused.value.faults[0].line == 3


def test_columns_are_those_of_all_rows_in_order_of_appearance() -> None:
    assert written(b'{"a":1}\n{"c":2,"a":3}\n{"b":4}\n') == b"a,c,b\n1,,\n3,2,\n,,4\n"


def test_several_inputs_are_one_dataset() -> None:
    assert convert([b"a,b\n1,2\n", b"b,c\n3,4\n"], "csv", "csv") == b"a,b,c\n1,2,\n,3,4\n"


def test_the_name_of_the_row_number_may_not_be_a_columns() -> None:
    with pytest.raises(Refused, match="also the name of the row-number column"):
        written(b'{"n":1}', row_number="n")


def test_a_header_that_begins_with_a_byte_order_mark_keeps_it() -> None:
    assert rows(written('{"\ufeffa":"x"}'.encode())) == '{"\ufeffa":"x"}\n'.encode()


@pytest.mark.parametrize("target", ["csv", "parquet"])
def test_rows_without_columns_are_an_error(target: str) -> None:
    with pytest.raises(Refused, match="without"):
        convert(b"{}\n{}\n", "ndjson", target)
