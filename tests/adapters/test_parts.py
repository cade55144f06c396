import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.objects import Bucket
from functions.adapters.parts import PREFIX, Parts
from functions.core.errors import Code, Permanent, SluiceError, Transient
from functions.core.runs import Part, Piece, Schema
from functions.core.streams import StreamContext
from tests.adapters.aws import Aws
from tests.adapters.stub_s3 import StubS3, refusal
from tests.memory import MemoryBucket

MEBIBYTE = 1024 * 1024
CONTEXT = StreamContext(stream_name="Orders")


class Asked(MemoryBucket):
    """A bucket that remembers which ranges were read."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges: list[tuple[str, int, int]] = []

    def get_range(self, key: str, *, start: int, length: int) -> bytes:
        self.ranges.append((key, start, length))
        return super().get_range(key, start=start, length=length)


def pieces(key: str, *places: tuple[int, int]) -> list[tuple[Part, Piece]]:
    """Pieces of one object, each from an offset and so long; their sequence is their place."""
    found = tuple(Piece(offset, length, 1, number, 0, "0") for number, (offset, length) in enumerate(places))
    part = Part(key=key, number=0, context=CONTEXT, pieces=found)
    return [(part, piece) for piece in found]


def test_names_are_new_and_fall_into_all_shards() -> None:
    parts = Parts(MemoryBucket())
    names = {parts.name() for _ in range(300)}
    assert len(names) == 300
    assert all(re.fullmatch(r"parts/[0-9a-f]{32}\.jsonl", name) for name in names)
    assert {name.removesuffix(".jsonl")[-1] for name in names} == set("0123456789abcdef")


def test_pieces_are_read_in_their_order_under_the_names_of_their_messages() -> None:
    bucket = MemoryBucket()
    parts = Parts(bucket)
    parts.put("parts/a", b"0123456789")
    parts.put("parts/b", b"abcdefghij")
    wanted = [*pieces("parts/a", (4, 2), (6, 4), (0, 4)), *pieces("parts/b", (0, 0), (9, 1))]
    assert list(parts.read(wanted)) == [
        ("sequence 0", b"45"),
        ("sequence 1", b"6789"),
        ("sequence 2", b"0123"),
        ("sequence 0", b""),
        ("sequence 1", b"j"),
    ]


def test_pieces_that_adjoin_are_one_request_up_to_its_limit() -> None:
    bucket = Asked()
    bucket.put("a", b"x" * 40 * MEBIBYTE)
    sizes = [3 * MEBIBYTE] * 4 + [8 * MEBIBYTE, 0, 5]
    places, offset = [], 0
    for size in sizes:
        places.append((offset, size))
        offset += size
    found = list(Parts(bucket).read(pieces("a", *places)))
    assert [len(data) for _, data in found] == sizes
    assert sorted(length for _, _, length in bucket.ranges) == [
        5,
        6 * MEBIBYTE,
        6 * MEBIBYTE,
        8 * MEBIBYTE,
    ]


def test_a_large_piece_is_read_a_request_at_a_time_and_cut_at_its_lines() -> None:
    bucket = Asked()
    lines = [b'{"n":%d,"x":"%s"}\n' % (number, b"y" * 3 * MEBIBYTE) for number in range(7)]
    whole = b"".join(lines)
    bucket.put("a", whole)
    found = list(Parts(bucket).read(pieces("a", (0, len(whole)), (0, 5))))
    assert b"".join(data for _, data in found[:-1]) == whole
    assert all(data.endswith(b"\n") for _, data in found[:-1])
    assert max(length for _, _, length in bucket.ranges) == 8 * MEBIBYTE
    assert found[-1][1] == whole[:5]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20), st.integers(0, 10)), max_size=10))
def test_whatever_is_asked_for_is_read(wanted: list[tuple[str, int, int]]) -> None:
    bucket = MemoryBucket()
    whole = {"a": bytes(range(30)), "b": bytes(range(30, 60))}
    for key, body in whole.items():
        bucket.put(key, body)
    asked = [each for key, start, length in wanted for each in pieces(key, (start, length))]
    found = [data for _, data in Parts(bucket).read(asked)]
    assert found == [whole[key][start : start + length] for key, start, length in wanted]


def test_a_piece_without_rows_needs_no_object() -> None:
    bucket = Asked()
    assert list(Parts(bucket).read(pieces("absent", (0, 0), (0, 0)))) == [
        ("sequence 0", b""),
        ("sequence 1", b""),
    ]
    assert bucket.ranges == []


def test_a_reader_that_stops_reads_little_ahead() -> None:
    bucket = Asked()
    bucket.put("a", b"x" * 100)
    reading = Parts(bucket).read(pieces("a", *((each * 2, 1) for each in range(40))))
    assert next(reading) == ("sequence 0", b"x")
    reading.close()  # type: ignore[attr-defined] # a generator, which the signature does not promise
    assert len(bucket.ranges) <= 6


def test_objects_are_written_and_read_in_s3(aws: Aws, opened: Callable[..., Bucket]) -> None:
    name = aws.bucket()
    parts = Parts(opened(name))
    key = parts.name()
    parts.put(key, b'{"properties":{}}\n{"n":1}\n{"n":2}\n')
    assert aws.client("s3").head_object(Bucket=name, Key=key)["ContentType"] == "application/x-ndjson"
    assert parts.schema(key, Schema(0, 17, "d")) == b'{"properties":{}}'
    assert [data for _, data in parts.read(pieces(key, (18, 8), (26, 8)))] == [b'{"n":1}\n', b'{"n":2}\n']
    with pytest.raises(Permanent) as raised:
        list(parts.read(pieces(f"{PREFIX}absent", (0, 1))))
    assert raised.value.code is Code.MISSING_FILE
    with pytest.raises(Permanent):
        parts.schema(f"{PREFIX}absent", Schema(0, 1, "d"))


_READ: Any = lambda parts: list(parts.read(pieces("parts/a", (0, 1))))  # noqa: E731 - one of two deeds
_PUT: Any = lambda parts: parts.put("parts/a", b"x")  # noqa: E731 - the other


@pytest.mark.parametrize(
    ("deed", "status", "code", "kind", "expected"),
    [
        (_READ, 404, "NoSuchKey", Permanent, Code.MISSING_FILE),
        (_READ, 403, "AccessDenied", Permanent, Code.MISSING_FILE),
        (_READ, 404, "NoSuchBucket", Transient, Code.INVALID_BUCKET),
        (_READ, 403, "InvalidAccessKeyId", Transient, Code.INVALID_CREDENTIALS),
        (_PUT, 403, "AccessDenied", Transient, Code.MISSING_PERMISSION),
        (_PUT, 404, "NoSuchBucket", Transient, Code.INVALID_BUCKET),
    ],
)
def test_what_our_own_bucket_refuses_may_go_right_later_but_rows_that_are_gone_are_gone(  # noqa: PLR0917 - a table's columns
    stub: StubS3,
    opened: Callable[..., Bucket],
    deed: Callable[[Parts], Any],
    status: int,
    code: str,
    kind: type[SluiceError],
    expected: Code,
) -> None:
    stub.answer = lambda _: refusal(status, code)
    with pytest.raises(kind) as raised:
        deed(Parts(opened("data", endpoint_url=stub.url)))
    assert raised.value.code is expected
