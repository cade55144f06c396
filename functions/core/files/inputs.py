"""Inputs: files whose format is told, by settings or by a name, and never guessed from what is in them."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

import msgspec

from functions.core.allowance import Allowance
from functions.core.compression import BY_EXTENSION as COMPRESSED_BY
from functions.core.compression import members
from functions.core.encryption import EXTENSION as ENCRYPTED
from functions.core.files.settings import Input
from functions.core.formats import json_lines
from functions.core.formats.faults import broken
from functions.core.formats.rows import Batch, Reading
from functions.core.formats.streams import Source
from functions.core.formats.table import BY_EXTENSION, FORMATS, Format, Shape
from functions.core.formats.tolerant import RecordBatch

_CURE = "say `input: {format: …}`"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that belong together; if they are `uniform`, the first batch shows the columns and kinds of all."""

    batches: Iterator[Batch]
    uniform: bool


class RowSource(Protocol):
    """An input: tables of rows, as often as they are asked for, each to be read before the next."""

    def tables(self) -> Iterator[Table]:
        """What is in the input.

        Raises:
            Refused: It cannot be read.
        """
        ...


class StagedRows(msgspec.Struct, frozen=True):
    """Rows that were staged: `open` gives their pieces, in order, as `json_lines.staged` takes them."""

    open: Callable[[], Iterable[tuple[str, bytes]]]

    def tables(self) -> Iterator[Table]:
        """All rows as one table."""
        yield Table(batches=json_lines.staged(self.open()), uniform=False)


class Told(msgspec.Struct, frozen=True):
    """What is told about a file by its name; `stem` is the name without what told it."""

    stem: str
    format: str | None
    compression: str | None


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """One input: where its bytes come from, as often as they are asked for, and what is told about it.

    `columns` are the names of columns that stand in no header, for `records`.
    """

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    told: Input = Input()
    columns: tuple[str, ...] | None = None
    max_record_bytes: int

    def tables(self) -> Iterator[Table]:
        """What is in the file: one table, or one for each member of an archive; each is read before the next.

        Raises:
            Refused: The format is not told, or the file is damaged.
        """
        with self.open() as stream:
            for each in self._contents(stream, None):
                batches = each.format.read(each.stream, each.reading, each.shape)
                yield Table(batches=batches, uniform=each.format.uniform)

    def records(self) -> Iterator[RecordBatch]:
        """The records of the file, or of all members of an archive, in order; one that cannot be read is one, too.

        Raises:
            Refused: The format is not told, the file is damaged, unpacks to too much, or holds archives.
        """
        with self.open() as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            for each in self._contents(stream, Allowance.of(size, self.name)):
                if each.member and told_by(each.member).compression:
                    raise broken(
                        each.reading.origin,
                        "an archive within an archive is not unpacked",
                        cure="unpack it first",
                    )
                yield from each.format.records(each.stream, each.reading, each.shape)

    def _contents(self, stream: BinaryIO, allowance: Allowance | None) -> Iterator["_Content"]:
        by_name = told_by(self.name)
        compression = self.told.compression or by_name.compression or "none"
        for member in members(stream, compression, self.name, allowance):
            origin = f"{self.name}/{member.name}" if member.name else self.name
            name = self.told.format or by_name.format or told_by(member.name).format
            if name is None:
                raise broken(origin, "its name does not tell its format", cure=_CURE)
            row = FORMATS[name]
            if not row.compressible and compression != "none":
                raise broken(origin, f"{name} is not read from within {compression}", cure="unpack it first")
            yield _Content(
                member=member.name,
                stream=member.stream,
                format=row,
                reading=Reading(origin=origin, max_record_bytes=self.max_record_bytes),
                shape=msgspec.structs.replace(self.told.reading(name), columns=self.columns),
            )


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """A file, or a member of an archive, and how it is read."""

    member: str
    stream: Source
    format: Format
    reading: Reading
    shape: Shape


def told_by(name: str) -> Told:
    """What the extensions of a name tell."""
    stem, _, last = name.rpartition("/")[2].rpartition(".")
    if last.lower() == ENCRYPTED and stem:
        message = "it is encrypted, and only its owner can read it"
        raise broken(name, message, cure="decrypt it first")
    compression = COMPRESSED_BY.get(last.lower()) if stem else None
    if compression:
        inner = told_by(stem)
        if compression == "gzip" and inner.compression == "tar":
            return Told(inner.stem, inner.format, "tgz")
        return Told(inner.stem, inner.format, compression)
    format_name = BY_EXTENSION.get(last.lower()) if stem else None
    if format_name:
        return Told(stem, format_name, None)
    return Told(name.rpartition("/")[2], None, None)
