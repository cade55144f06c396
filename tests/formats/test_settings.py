from typing import Any

import pytest

from functions.core.errors import Refused
from functions.core.files.settings import parse_conversion
from functions.core.formats.settings import Delimited


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        ({}, {"format": "is missing"}),
        ({"format": "cvs"}, {"format": "must be one of"}),
        ({"format": "csv", "nam": 1}, {"nam": "is not a field"}),
        ({"format": "csv", "split": {"rows": 10}}, {"split.rows": "10 is below 50000"}),
        ({"format": "csv", "split": {"rows": 10_000_001}}, {"split.rows": "10000001 is above 10000000"}),
        ({"format": "csv", "split": {"megabytes": 0}}, {"split.megabytes": "0 is below 1"}),
        ({"format": "csv", "split": {"megabytes": 2001}}, {"split.megabytes": "2001 is above 2000"}),
        ({"format": "csv", "split": {"megabytes": "1"}}, {"split.megabytes": "must be a whole number"}),
        ({"format": "csv", "split": {"rows": True}}, {"split.rows": "must be a whole number"}),
        ({"format": "csv", "split": {}}, {"split": "either `rows` or `megabytes`"}),
        ({"format": "csv", "split": {"rows": 50_000, "megabytes": 1}}, {"split": "either `rows`"}),
        (
            {"format": "csv", "split": {"rows": 50_000, "file_name": "x.csv"}},
            {"split.file_name": "gives every file the same name"},
        ),
        (
            {"format": "csv", "split": {"rows": 50_000, "folder": "{{file_numbr}}"}},
            {"split.folder": "there is no token `file_numbr`"},
        ),
        ({"format": "csv", "file_name": "{{nwo}}"}, {"file_name": "there is no token `nwo`"}),
        ({"format": "json", "split": {"rows": 50_000}}, {"split": "does not apply to json"}),
        ({"format": "parquet", "split": {"megabytes": 1}}, {"split": "does not apply to parquet"}),
        (
            {"format": "json", "delimited": {"header": False, "quote": "all"}},
            {
                "delimited.header": "does not apply to json",
                "delimited.quote": "does not apply to json",
            },
        ),
        ({"format": "csv", "parquet": {"codec": "zstd"}}, {"parquet.codec": "does not apply to csv"}),
        ({"format": "parquet", "compression": "gzip"}, {"compression": "gzip does not apply to parquet"}),
        ({"format": "parquet", "compression": "zip"}, {"compression": "zip does not apply to parquet"}),
        ({"format": "parquet", "parquet": {"codec": "brotli"}}, {"parquet.codec": "must be one of"}),
        ({"format": "csv", "content_encoding": True}, {"content_encoding": "goes with `compression: gzip`"}),
        ({"format": "delimited"}, {"delimited.delimiter": "is missing"}),
        (
            {"format": "csv", "delimited": {"delimiter": "ab"}},
            {"delimited.delimiter": "must be exactly one character"},
        ),
        ({"format": "csv", "delimited": {"delimiter": "\n"}}, {"delimited.delimiter": "cannot be told"}),
        ({"format": "csv", "delimited": {"delimiter": '"'}}, {"delimited.quote_char": "is also the"}),
        ({"format": "csv", "delimited": {"escape": ","}}, {"delimited.escape": "is also the delimiter"}),
        ({"format": "csv", "delimited": {"null": "a,b"}}, {"delimited.null": "holds ','"}),
        ({"format": "csv", "delimited": {"quote": "some"}}, {"delimited.quote": "must be one of"}),
        (
            {"format": "csv", "delimited": {"row_number": "a b"}},
            {"delimited.row_number": "at most 1,027 letters"},
        ),
        ({"format": "csv", "delimited": {"row_number": "a" * 1028}}, {"delimited.row_number": "1,027"}),
        ({"format": "csv", "delimited": {"encoding": "utf-16"}}, {"delimited.encoding": "utf-16 is read"}),
        ({"format": "csv", "delimited": {"encoding": "latin-1"}}, {"delimited.encoding": "must be one of"}),
        ({"format": "csv", "delimited": []}, {"delimited": "must be a mapping"}),
        ({"format": "csv", "columns": []}, {"columns": "must be a list"}),
        ({"format": "csv", "columns": [{"as": "x"}]}, {"columns.0.name": "is missing"}),
        (
            {"format": "csv", "columns": [{"name": "a"}, {"name": "b", "as": "a"}, {"nam": 1}]},
            {
                "columns.1": "there are two columns `a`",
                "columns.2.nam": "is not a field",
                "columns.2.name": "is missing",
            },
        ),
        (
            {"format": "csv", "input": {"format": "json", "delimited": {"header": False}}},
            {"input.delimited": "does not apply to json"},
        ),
        (
            {"format": "csv", "input": {"format": "delimited"}},
            {"input.delimited.delimiter": "is missing"},
        ),
        (
            {"format": "csv", "input": {"format": "parquet", "compression": "gzip"}},
            {"input.compression": "does not apply to parquet"},
        ),
        ({"format": "csv", "input": {"delimited": {"quot": 1}}}, {"input.delimited.quot": "is not a field"}),
        (
            {"format": "csv", "success_file": "yes", "compression": "rar"},
            {"success_file": "must be true or false", "compression": "must be one of"},
        ),
    ],
)
def test_all_faults_are_told_with_their_paths(document: dict[str, Any], faults: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        parse_conversion(document)
    found = {fault.path: fault.message for fault in refused.value.faults}
    assert found.keys() == faults.keys()
    assert all(message in found[path] for path, message in faults.items())


def test_the_defaults_are_those_of_the_page() -> None:
    settings = parse_conversion({"format": "csv"}).files
    assert settings.shape.delimited == Delimited()
    assert settings.compression == "none"
    assert (settings.success_file, settings.manifest, settings.content_encoding) == (False, False, False)
    assert settings.shape.parquet.codec == "snappy"


@pytest.mark.parametrize(
    ("document", "extension"),
    [
        ({"format": "csv", "compression": "gzip"}, "csv.gz"),
        ({"format": "jsonl"}, "jsonl"),
        ({"format": "ndjson", "compression": "gzip"}, "jsonl.gz"),
        ({"format": "tsv", "compression": "tgz"}, "tsv.tgz"),
        ({"format": "psv", "compression": "zip"}, "psv.zip"),
        ({"format": "parquet"}, "parquet"),
        ({"format": "delimited", "delimited": {"delimiter": "§"}}, "txt"),
    ],
)
def test_the_extension_says_all(document: dict[str, Any], extension: str) -> None:
    assert parse_conversion(document).files.extension == extension


def test_yaml_may_name_the_null_setting_without_quotes() -> None:
    settings = parse_conversion({"format": "csv", "delimited": {None: "NA"}})
    assert settings.files.shape.delimited.null == "NA"
