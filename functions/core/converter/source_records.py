"""The records of a source's files: one that cannot be read is told, and the next one is read.

`functions.core.formats` reads the same formats for those to whom one broken record breaks the file.
"""

from collections.abc import Iterator
from typing import BinaryIO, cast

from functions.core.compression import members
from functions.core.converter import source_columns, source_lines
from functions.core.converter.source_record import SourceRecord, Unreadable
from functions.core.files.inputs import DataFile, told_by
from functions.core.formats.faults import broken
from functions.core.formats.rows import Reading
from functions.core.formats.table import FORMATS

Records = Iterator[SourceRecord | Unreadable]


def source_records(file: DataFile, columns: tuple[str, ...] | None = None) -> Records:
    """The records of a file, or of all members of an archive, in order.

    `columns` are the names of the columns of delimited text without a header.

    Raises:
        Refused: The format is not told, or the file as a whole is damaged; the records before were given.
    """
    compression = file.told.compression or told_by(file.name).compression or "none"
    with file.open() as stream:
        for member in members(stream, compression, file.name):
            origin = f"{file.name}/{member.name}" if member.name else file.name
            name = file.told.format or told_by(file.name).format or told_by(member.name).format
            if name is None:
                raise broken(origin, "its name does not tell its format", cure="say its format")
            reading = Reading(origin=origin, max_record_bytes=file.max_record_bytes)
            if FORMATS[name].delimited:
                settings = file.told.reading(name).delimited
                yield from source_lines.delimited_records(member.stream, reading, settings, columns)
            elif name == "parquet":
                if compression != "none":
                    message = f"parquet is not read from within {compression}"
                    raise broken(origin, message, cure="unpack it first")
                yield from source_columns.parquet_records(cast("BinaryIO", member.stream), reading)
            else:
                yield from source_lines.json_records(member.stream, reading)
