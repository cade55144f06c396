"""Chunks: all of them are the file, and where they end follows from the file alone."""

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from functions.core import cutting
from functions.core.files.inputs import DataFile
from functions.core.formats.tolerant import RecordBatch
from tests.formats.test_tolerance import Trickle

LIMIT = 40
LINES = st.sampled_from(
    [b'{"a":1}', b'{"a":"xxxxxxxxxxxx"}', b"", b" \r", b"{", b"[1]", b'{"a":"\xff"}', b"x" * 41, b"y" * 99]
)
ROWS = st.sampled_from(
    [b"1,2", b"1,xxxxxxxxxxxx\r", b"1", b'5",', b'"1\n2",3', b"\xff,", b"x" * 41, b'"\n\n",' + b"y" * 99]
)
STEPS = st.sampled_from([1, 5, 32, 1000])


def batches(content: bytes, name: str, step: int) -> list[RecordBatch]:
    file = DataFile(name=name, open=lambda: Trickle(content, step), max_record_bytes=LIMIT)
    return list(file.records())


def told(some: Sequence[RecordBatch]) -> list[Any]:
    """Each record with its line, and what stands there."""
    return [
        (batch.line(place), record, batch.original(place))
        for batch in some
        for place, record in enumerate(batch.records())
    ]


def check(content: bytes, name: str, steps: tuple[int, int], records: int, size: int) -> None:
    given, other = (batches(content, name, step) for step in steps)
    chunks = [told(chunk) for chunk in cutting.chunks(given, records=records, size=size)]
    assert [each for chunk in chunks for each in chunk] == told(given)
    assert [told(chunk) for chunk in cutting.chunks(other, records=records, size=size)] == chunks
    assert all(0 < len(chunk) <= records for chunk in chunks)
    held = [
        sum(sum(batch.sizes()) for batch in chunk)
        for chunk in cutting.chunks(given, records=records, size=size)
    ]
    assert all(each <= size or len(chunk) == 1 for each, chunk in zip(held, chunks, strict=True))
    # Whoever goes on after a chunk makes the chunks that would have come.
    done = len(chunks) // 2
    left = cutting.after(other, sum(map(len, chunks[:done])))
    assert [told(chunk) for chunk in cutting.chunks(left, records=records, size=size)] == chunks[done:]


@given(st.lists(LINES), st.tuples(STEPS, STEPS), st.integers(1, 9), st.integers(1, 99))
def test_chunks_of_json_lines(lines: list[bytes], steps: tuple[int, int], records: int, size: int) -> None:
    check(b"\n".join(lines), "x.jsonl", steps, records, size)


@given(st.lists(ROWS), st.tuples(STEPS, STEPS), st.integers(1, 9), st.integers(1, 99))
def test_chunks_of_rows(rows: list[bytes], steps: tuple[int, int], records: int, size: int) -> None:
    check(b"\n".join([b"a,b", *rows]), "x.csv", steps, records, size)


def test_chunks_of_parquet() -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"a": range(100)}), content, row_group_size=30)
    file = DataFile(name="x.parquet", open=lambda: io.BytesIO(content.getvalue()), max_record_bytes=LIMIT)
    chunks = [told(chunk) for chunk in cutting.chunks(file.records(), records=7, size=40)]
    assert {len(chunk) for chunk in chunks} == {5}
    assert [record["a"] for chunk in chunks for _, record, _ in chunk] == list(range(100))
    left = cutting.after(file.records(), 35)
    assert [told(chunk) for chunk in cutting.chunks(left, records=7, size=40)] == chunks[7:]


def test_of_nothing_there_are_no_chunks() -> None:
    assert list(cutting.chunks(batches(b"\n\n", "x.jsonl", 1), records=5, size=5)) == []
