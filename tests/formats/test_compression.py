import gzip
import io
import subprocess
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.compression import GzipReader, GzipWriter
from functions.core.errors import Refused
from tests.formats.conversion import convert, deliver

ROWS = b"".join(b'{"a":%d}\n' % number for number in range(2000))


def unpacked(content: bytes, compression: str = "gzip") -> bytes:
    return convert(content, "ndjson", "ndjson", input={"compression": compression})


def packed(compression: str, content: bytes = ROWS) -> bytes:
    return convert(content, "ndjson", "ndjson", compression=compression)


def test_gzip_is_one_member_without_name_and_time() -> None:
    content = packed("gzip")
    assert content[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    assert gzip.decompress(content) == ROWS
    assert subprocess.run(["gzip", "-t"], input=content, check=False).returncode == 0


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_gzip_of_the_same_bytes_is_the_same_however_they_come(pieces: list[bytes]) -> None:
    one, many = io.BytesIO(), io.BytesIO()
    writer = GzipWriter(one)
    writer.write(b"".join(pieces))
    writer.close()
    writer = GzipWriter(many)
    for piece in pieces:
        writer.write(piece)
    writer.close()
    assert one.getvalue() == many.getvalue()


def test_gzip_of_several_blocks_is_the_same_however_they_come() -> None:
    content = b"".join(b"%d,%d\n" % (number, number * number) for number in range(300_000))
    made = []
    for size in (len(content), 1000, 1_048_577):
        target = io.BytesIO()
        writer = GzipWriter(target)
        for start in range(0, len(content), size):
            writer.write(content[start : start + size])
        writer.close()
        made.append(target.getvalue())
    assert made[0] == made[1] == made[2]
    assert gzip.decompress(made[0]) == content


def test_several_members_are_read_whole() -> None:
    members = gzip.compress(ROWS) + packed("gzip") + b"\0" * 512 + gzip.compress(b"")
    assert unpacked(members) == ROWS * 2


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 500))
def test_reading_gives_what_was_compressed(content: bytes, size: int) -> None:
    reader = GzipReader(io.BytesIO(gzip.compress(content)), "x")
    assert b"".join(iter(lambda: reader.read(size), b"")) == content


@pytest.mark.parametrize("lost", [1, 4, 8, 9, 100])
def test_gzip_that_ends_early_is_an_error_with_its_byte(lost: int) -> None:
    content = gzip.compress(ROWS, mtime=0)
    with pytest.raises(Refused, match=f"ends early, after byte {len(content) - lost}"):
        unpacked(content[:-lost])


def test_a_second_member_that_ends_early_is_an_error_with_its_byte() -> None:
    content = gzip.compress(ROWS) * 2
    with pytest.raises(Refused, match=f"ends early, after byte {len(content) - 5}"):
        unpacked(content[:-5])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "ends early, after byte 0"),
        (ROWS, "this is no gzip file"),
        (gzip.compress(ROWS) + b"junk", "is no gzip"),
        (gzip.compress(ROWS)[:-8] + b"\0" * 8, "damaged"),
    ],
)
def test_what_is_no_gzip_is_an_error(content: bytes, what: str) -> None:
    with pytest.raises(Refused, match=what):
        unpacked(content)


@pytest.mark.parametrize("compression", ["zip", "tar", "tgz"])
def test_an_archive_is_read_and_written_and_always_the_same(compression: str) -> None:
    content = packed(compression)
    assert unpacked(content, compression) == ROWS
    assert packed(compression) == content


def test_members_have_a_name_and_no_time() -> None:
    zipped = zipfile.ZipFile(io.BytesIO(packed("zip")))
    assert [(info.filename, info.date_time) for info in zipped.infolist()] == [
        ("out.jsonl", (1980, 1, 1, 0, 0, 0))
    ]
    assert zipped.testzip() is None
    with tarfile.open(fileobj=io.BytesIO(packed("tgz"))) as tarred:
        assert [(info.name, info.mtime, info.uid) for info in tarred] == [("out.jsonl", 0, 0)]


@pytest.mark.parametrize("compression", ["zip", "tar", "tgz"])
def test_a_damaged_archive_is_an_error(compression: str) -> None:
    content = packed(compression)
    for broken in (b"", b"nonsense" * 100, content[: len(content) // 2]):
        with pytest.raises(Refused, match="file"):
            unpacked(broken, compression)


def test_a_tar_that_ends_between_blocks_is_an_error() -> None:
    content = packed("tar").rstrip(b"\0")
    content += b"\0" * (-len(content) % 512)
    with pytest.raises(Refused, match="the mark of its end is missing"):
        unpacked(content, "tar")


def test_all_members_are_one_dataset_but_hidden_ones() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("a.jsonl", "d/b.csv", "d/.DONE", "_manifest.json", "e/"):
            archive.writestr(name, {"a.jsonl": '{"a":"1"}\n', "d/b.csv": "a\n2\n"}.get(name, ""))
    objects, _ = deliver({"in.zip": stream.getvalue()}, format="ndjson")
    assert objects["out"] == b'{"a":"1"}\n{"a":"2"}\n'


def test_a_member_whose_name_does_not_tell_its_format_is_an_error() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.dat", "a\n1\n")
    with pytest.raises(Refused, match=r"in\.zip/a\.dat: its name does not tell its format"):
        deliver({"in.zip": stream.getvalue()}, format="ndjson")
