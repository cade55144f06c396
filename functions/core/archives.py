"""Zip and tar: members in, members out, of no time and no owner, so that the same rows give the same bytes."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol, cast

import msgspec

from functions.core.errors import Code
from functions.core.formats.faults import broken
from functions.core.formats.streams import Sink, Source

BLOCK = 1024 * 1024
"""Bytes that are moved at once."""

_ZIP_LEVEL = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644
_UNIX = 3
_TAR_BLOCK = tarfile.BLOCKSIZE
_MOST_HEADERS = 1024 * 1024
"""Bytes before a member of a tar file: its header, long names, and what it reads ahead."""

_MOST_DIRECTORY = 8 * 1024 * 1024
"""Bytes of a zip file's directory: 80,000 members or so, of which each takes ten times as much memory."""


class Archive(Protocol):
    """An archive being written."""

    def add(self, name: str, source: BinaryIO, size: int) -> None:
        """Add a member of `size` bytes."""
        ...

    def close(self) -> None:
        """Write what an archive ends with."""
        ...


class ZipArchive:
    """A zip file; ZIP64 where a member or the whole needs it."""

    def __init__(self, target: BinaryIO) -> None:
        self._file = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_ZIP_LEVEL)

    def add(self, name: str, source: BinaryIO, size: int) -> None:
        """Add a member of `size` bytes."""
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = _UNIX
        info.external_attr = _MODE << 16
        # zipfile decides by the size whether the member needs ZIP64.
        info.file_size = size
        with self._file.open(info, "w") as member:
            while data := source.read(BLOCK):
                member.write(data)

    def close(self) -> None:
        """Write the directory."""
        self._file.close()


class TarArchive:
    """A tar file."""

    def __init__(self, target: Sink) -> None:
        self._file = tarfile.open(fileobj=cast("BinaryIO", target), mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by `close`

    def add(self, name: str, source: BinaryIO, size: int) -> None:
        """Add a member of `size` bytes."""
        info = tarfile.TarInfo(name)
        info.size = size
        info.mode = _MODE
        self._file.addfile(info, source)

    def close(self) -> None:
        """Write the end."""
        self._file.close()


class Member(msgspec.Struct, frozen=True):
    """A file within what was read; `name` is empty where there is no archive."""

    name: str
    stream: Source


_UNREADABLE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError)


@contextmanager
def _told(origin: str, what: str) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise broken(origin, f"this {what} file is damaged: {error}") from None


class _Told:
    """A member whose damage is told as every other."""

    def __init__(self, source: Source, origin: str, what: str) -> None:
        self._source = source
        self._where = (origin, what)

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""
        with _told(*self._where):
            return self._source.read(size)


class _Ending:
    """The source of a tar file, which remembers its end and bounds what is read."""

    def __init__(self, source: Source, origin: str) -> None:
        self._source = source
        self._origin = origin
        self._left: int | None = None
        self.last = b""

    @contextmanager
    def at_most(self, size: int) -> Iterator[None]:
        """Refuse to read more than so many bytes, of which tarfile would hold all that it takes for a header."""
        self._left = size
        yield
        self._left = None

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""
        data = self._source.read(size)
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise broken(self._origin, f"a header in this tar file has more than {_MOST_HEADERS} bytes")
        self.last = (self.last + data[-_TAR_BLOCK:])[-_TAR_BLOCK:]
        return data


class _Directed:
    """A zip file whose directory is not read if that would fill memory; zipfile reads nothing else as a whole."""

    def __init__(self, stream: BinaryIO, origin: str) -> None:
        self._origin = origin
        self._read = stream.read
        self.seek = stream.seek
        self.tell = stream.tell
        self.seekable = stream.seekable

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        if size > _MOST_DIRECTORY:
            message = f"this zip file has a directory of {size} bytes; the limit is {_MOST_DIRECTORY}"
            raise broken(self._origin, message, cure="have fewer members", code=Code.TOO_LARGE)
        return self._read(size)


def zip_members(stream: BinaryIO, origin: str) -> Iterator[Member]:
    """The files within a zip file, which must be one that can be sought in.

    Raises:
        Refused: It is damaged, or a member is encrypted.
    """
    with _told(origin, "zip"):
        file = zipfile.ZipFile(cast("BinaryIO", _Directed(stream, origin)))
    for info in file.infolist():
        if info.is_dir() or _hidden(info.filename):
            continue
        if info.flag_bits & 1:
            raise broken(
                origin, f"the member {info.filename} is encrypted", cure="give it without a password"
            )
        with _told(origin, "zip"):
            member = file.open(info)
        yield Member(info.filename, _Told(member, origin, "zip"))


def tar_members(stream: Source, origin: str) -> Iterator[Member]:
    """The files within a tar file, each to be read before the next.

    Raises:
        Refused: It is damaged or ends early, or a member is no file.
    """
    ending = _Ending(stream, origin)
    with _told(origin, "tar"), ending.at_most(_MOST_HEADERS):
        file = tarfile.open(fileobj=cast("BinaryIO", ending), mode="r|")  # noqa: SIM115 - it holds nothing to close
    while True:
        unread = max(0, file.offset - cast("BinaryIO", file.fileobj).tell())
        with _told(origin, "tar"), ending.at_most(unread + _MOST_HEADERS):
            info = file.next()
        # It keeps a list of all there have been, for nobody; until Python 3.13 there is no other way.
        file.members.clear()  # type: ignore[attr-defined] # which the library's types leave out
        if info is None:
            break
        if info.isdir() or _hidden(info.name):
            continue
        member = file.extractfile(info) if info.isfile() else None
        if member is None:
            raise broken(origin, f"the member {info.name} is no file")
        yield Member(info.name, _Told(member, origin, "tar"))
    if ending.last.strip(b"\0") or len(ending.last) < _TAR_BLOCK:
        raise broken(origin, "this tar file ends early: the mark of its end is missing")


def _hidden(name: str) -> bool:
    return name.rsplit("/", 1)[-1].startswith(("_", "."))
