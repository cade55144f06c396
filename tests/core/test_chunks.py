"""What the records of a chunk become: events, changes, and rejects under the numbers that they have in the file."""

import gzip
import io
import zipfile
from typing import Any

import msgspec
import pytest

from functions.core.chunks import Chunk, Chunker, Conversion
from functions.core.converter.definition import parse_converter
from functions.core.converter.rows import Passed, Reject, Rows
from functions.core.events.rules import Row, Rules, Strategy
from functions.core.events.stamps import Stamps
from functions.core.files.inputs import DataFile
from functions.core.formats.tolerant import MOST_SHOWN

FIELDS = {
    "event_type": "type",
    "user_id": "user",
    "time": "at",
    "insert_id": "id",
    "event_properties": {"n": "n"},
    "user_properties": "of_user",
    "$skip_user_properties_sync": "skip",
}
STAMPS = Stamps(server_received=0, server_upload=3_600_000_000, processed=3_600_000_000)
GOOD = b'{"type":"t","user":"user1","at":1000,"id":"%d"}'


def chunk(
    content: bytes,
    name: str = "k.jsonl",
    *,
    first: int = 0,
    kind: type[Rows] = Rows,
    strategy: Strategy = "append",
) -> Chunk:
    rules = Rules(strategy=strategy)
    document = {"converterConfig": {"fileType": "json", "convertToAmplitudeFunc": FIELDS}}
    conversion = Conversion(project=1, rows=kind(parse_converter(document), rules), rules=rules)
    file = DataFile(name=name, open=lambda: io.BytesIO(content), max_record_bytes=40_000)
    chunker = Chunker(conversion, bucket="b", key="k", now=0)
    return chunker.convert(file.records(), id="c", first=first, stamps=STAMPS)


def unpacked(data: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in gzip.decompress(data).splitlines()]


def test_bad_records_are_rejects_under_their_numbers_and_the_others_events_under_theirs() -> None:
    lines = [GOOD % 1, b"", b"{", GOOD % 2, b'{"a":"' + b"x" * 50_000 + b'"}', b'{"type":"t"}', GOOD % 3]
    made = chunk(b"\n".join(lines), first=100)
    assert made.numbers == [101, 103, 106]
    assert [claim.record for claim in made.claims] == [101, 103, 106]
    assert (made.counters.records, made.counters.events, made.counters.rejected) == (6, 3, 3)
    assert made.counters.rejects == {
        "is no JSON": 1,
        "is larger than a record may be": 1,
        "user_id: required, and the record has no value for it, nor for `device_id`": 1,
    }
    cut, large, lacking = unpacked(made.rejects)
    assert cut == {
        "file": "k.jsonl",
        "record": 102,
        "line": 3,
        "text": "{",
        "field": None,
        "operator": None,
        "reason": "is no JSON",
        "detail": "Input data was truncated",
    }
    assert (large["record"], large["line"], large["text_bytes"]) == (104, 5, 50_008)
    assert large["text"] == '{"a":"' + "x" * (MOST_SHOWN - 6)
    assert large["detail"] == "it has 50008 bytes; the limit is 40000"
    assert (lacking["line"], lacking["text"], lacking["field"]) == (6, '{"type":"t"}', "user_id")
    assert "text_bytes" not in lacking


def test_bytes_that_are_no_text_are_shown_as_what_they_are() -> None:
    [reject] = unpacked(chunk(b'{"a":"\xff\xc3\xa9"}').rejects)
    assert (reject["text"], reject["reason"]) == ('{"a":"\\xffé"}', "is not Unicode")


def test_reasons_are_few_however_many_rejects_there_are() -> None:
    made = chunk(b"\n".join(b"x" * number for number in range(1, 999)))
    assert made.counters.rejects == {"is no JSON": 998}


def test_the_member_of_an_archive_is_named() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jsonl", GOOD % 1)
        archive.writestr("b.jsonl", b"\n[]")
    [reject] = unpacked(chunk(packed.getvalue(), "k.zip").rejects)
    assert (reject["file"], reject["record"], reject["line"]) == ("k.zip/b.jsonl", 2, 2)


class OddRows(Rows):
    """Rows of which the first cannot be JSON."""

    def row(self, record: dict[str, Any], now: int) -> Row | Reject | Passed:
        row = super().row(record, now)
        return row | {"platform": "\ud83d"} if isinstance(row, dict) and row["insert_id"] == "1" else row


def test_an_event_that_cannot_be_written_is_a_reject_and_claims_nothing() -> None:
    made = chunk(GOOD % 1 + b"\n" + GOOD % 2, kind=OddRows)
    assert made.counters.rejects == {"what it becomes cannot be written as JSON": 1}
    assert (made.numbers, [claim.record for claim in made.claims]) == ([2], [2])
    [event] = made.events()
    assert msgspec.json.decode(event)["$insert_id"] == "2"


@pytest.mark.parametrize(("strategy", "changes"), [("append", [2]), ("mirror", [])])
def test_user_properties_change_profiles_where_an_event_says_so_and_is_appended(
    strategy: Strategy, changes: list[int]
) -> None:
    lines = [GOOD % 1, GOOD % 2, GOOD % 3]
    told = [b',"of_user":{"a":1}}', b',"of_user":{"a":1},"skip":false}', b',"skip":false}']
    made = chunk(
        b"\n".join(line[:-1] + end for line, end in zip(lines, told, strict=True)), strategy=strategy
    )
    assert made.numbers == [1, 2, 3]
    assert [change.record for change in made.changes] == changes


def test_repeats_within_a_chunk_are_dropped_and_counted() -> None:
    made = chunk(b"\n".join([GOOD % 1, GOOD % 2, GOOD % 1]))
    assert (made.numbers, made.counters.duplicates) == ([1, 2], 1)
    fewer = made.without(frozenset({1}))
    assert (fewer.numbers, fewer.counters.events, fewer.counters.duplicates) == ([2], 1, 2)
    assert list(fewer.events()) == list(made.events())[1:]


def test_a_chunk_that_is_staged_anew_has_its_events_with_other_stamps() -> None:
    made = chunk(GOOD % 1)
    [event] = made.stamped(
        Stamps(server_received=0, server_upload=7_200_000_000, processed=7_200_000_000)
    ).events()
    [before] = made.events()
    changed = {
        name
        for name, value in msgspec.json.decode(event).items()
        if msgspec.json.decode(before)[name] != value
    }
    assert changed == {"server_upload_time", "processed_time"}
    assert msgspec.json.decode(event)["server_upload_time"] == "1970-01-01 02:00:00.000000"


def test_what_is_packed_is_the_same_however_it_was_read() -> None:
    content = b"\n".join(GOOD % number for number in range(5_000))
    assert chunk(content).lines == chunk(b"\n" * 700_000 + content).lines
