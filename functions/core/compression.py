"""Gzip, zip, tar and tgz, as streams: the same bytes in give the same bytes out, whenever and by whom."""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

import msgspec
from isal import isal_zlib

from functions.core import archives
from functions.core.allowance import Allowance, Counted
from functions.core.formats.faults import broken
from functions.core.formats.streams import Sink, Source

BLOCK = archives.BLOCK
"""Bytes that are compressed at once. ISA-L's output depends on how its input is cut, so it is always cut here."""

_GZIP = 31
_DAMAGED = cast("type[Exception]", isal_zlib.IsalError)
"""The library's types call the class an instance."""

_INPUT = 256 * 1024
_LEVEL = 2


class Compression(msgspec.Struct, frozen=True):
    """What surrounds a file: its extension, the object's content type, and whether it holds several members."""

    extension: str
    content_type: str
    archive: bool = False


COMPRESSIONS = {
    "none": Compression("", ""),
    "gzip": Compression("gz", "application/gzip"),
    "zip": Compression("zip", "application/zip", archive=True),
    "tar": Compression("tar", "application/x-tar", archive=True),
    "tgz": Compression("tgz", "application/gzip", archive=True),
}
BY_EXTENSION = {"gz": "gzip", "zip": "zip", "tar": "tar", "tgz": "tgz"}
"""The compression of a file that is told by nothing but its name."""


class GzipWriter:
    """Gzip of one member, without a name and of no time; closing it ends the member and leaves `target` open."""

    def __init__(self, target: Sink) -> None:
        self._target = target
        self._member = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
        self._waiting = bytearray()

    def write(self, data: bytes | memoryview, /) -> int:
        """Compress some bytes."""
        given = memoryview(data)
        at = 0
        if self._waiting:
            at = BLOCK - len(self._waiting)
            self._waiting += given[:at]
            if len(self._waiting) < BLOCK:
                return len(given)
            self._compress(self._waiting)
            self._waiting = bytearray()
        while len(given) - at >= BLOCK:
            self._compress(given[at : at + BLOCK])
            at += BLOCK
        self._waiting += given[at:]
        return len(given)

    def _compress(self, block: bytearray | memoryview) -> None:
        self._target.write(self._member.compress(block))

    def close(self) -> None:
        """End the member."""
        self._target.write(self._member.compress(bytes(self._waiting)) + self._member.flush())


class GzipReader:
    """The bytes of all members of a gzip file."""

    def __init__(self, source: Source, origin: str) -> None:
        self._source = source
        self._origin = origin
        self._input = b""
        self._taken = 0
        self._members = 0
        self._member = _member()

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end.

        Raises:
            Refused: It is no gzip, is damaged or ends early; the byte at which is told.
        """
        while True:
            if self._member.eof and not self._next_member():
                return b""
            ended = not self._fill()
            data = self._decompressed(size)
            if data:
                return data
            if ended and not self._member.eof and not self._input:
                raise broken(self._origin, f"this gzip file ends early, after byte {self._taken}")

    def _decompressed(self, size: int) -> bytes:
        try:
            data = self._member.decompress(self._input, size)
        except _DAMAGED as error:
            at = self._taken - len(self._input)
            if self._members == 0 and at == 0 and not self._input.startswith(b"\x1f\x8b"):
                raise broken(self._origin, "this is no gzip file") from None
            raise broken(self._origin, f"this gzip file is damaged at or after byte {at}: {error}") from None
        self._input = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return bytes(data)

    def _next_member(self) -> bool:
        """Begin another member, if there is one; files may be padded with zeros."""
        self._members += 1
        while not (rest := self._input.lstrip(b"\0")):
            self._input = b""
            if not self._fill():
                return False
        self._input = rest
        if not rest.startswith(b"\x1f"):
            at = self._taken - len(rest)
            raise broken(self._origin, f"what follows byte {at} of this gzip file is no gzip")
        self._member = _member()
        return True

    def _fill(self) -> bool:
        """Have some input; false at the end."""
        if not self._input:
            self._input = self._source.read(_INPUT)
            self._taken += len(self._input)
        return bool(self._input)


def _member() -> Any:
    return isal_zlib.decompressobj(_GZIP)


class TgzArchive(archives.TarArchive):
    """A tar file within gzip."""

    def __init__(self, target: Sink) -> None:
        self._gzip = GzipWriter(target)
        super().__init__(self._gzip)

    def close(self) -> None:
        """Write the end of both."""
        super().close()
        self._gzip.close()


ARCHIVES: dict[str, Callable[[BinaryIO], archives.Archive]] = {
    "zip": archives.ZipArchive,
    "tar": archives.TarArchive,
    "tgz": TgzArchive,
}


def members(
    stream: BinaryIO, compression: str, origin: str, allowance: Allowance | None = None
) -> Iterator[archives.Member]:
    """The files within a stream, each to be read before the next; a zip's must be one that can be sought in.

    Members that are directories, or whose name begins with `_` or `.`, are left out, as in a folder. With an
    `allowance` no more is unpacked than it has.

    Raises:
        Refused: It is damaged, ends early, or unpacks to too much.
    """

    def counted(source: Source, allowance: Allowance | None) -> Source:
        return Counted(source, allowance) if allowance else source

    if compression == "none":
        yield archives.Member("", stream)
        return
    if compression == "gzip":
        yield archives.Member("", counted(GzipReader(stream, origin), allowance))
        return
    if compression == "zip":
        found = archives.zip_members(stream, origin)
    else:
        # Members that are left out are unpacked, too; those that are sparse have more than was unpacked.
        unpacked = GzipReader(stream, origin) if compression == "tgz" else stream
        found = archives.tar_members(counted(unpacked, allowance and allowance.again()), origin)
    for member in found:
        yield archives.Member(member.name, counted(member.stream, allowance))
