"""Local files as inputs, and what is wrong with them in words that name the file and the line."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from cli.run import Run
from functions.core.errors import Code, Fault, Refused
from functions.core.files.inputs import DataFile
from functions.core.files.settings import Input


def data_file(name: str, told: Input, limit: int, columns: tuple[str, ...] | None = None) -> DataFile:
    """A local file as an input; `limit` is that of a record, in bytes, `columns` are those in no header.

    Raises:
        Refused: It cannot be opened.
    """

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with translated(name), Path(name).open("rb") as stream:
            yield stream

    with opened():
        return DataFile(name=name, open=opened, told=told, columns=columns, max_record_bytes=limit)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Errors of the file system as faults."""
    try:
        yield
    except OSError as error:
        path = str(error.filename or name)
        raise Refused([Fault(code=Code.MISSING_FILE, path=path, message=str(error.strerror))]) from None
    except ValueError:
        raise Refused(
            [Fault(code=Code.MISSING_FILE, path=ascii(name), message="no file can be called so")]
        ) from None


@contextmanager
def placed(run: Run, document: str | None = None) -> Iterator[None]:
    """Faults as a person reads them: with the line, of the document or of the file that the fault names."""
    try:
        yield
    except Refused as refused:
        raise run.fail(with_lines(run, refused.faults, document)) from None


def with_lines(run: Run, faults: Iterable[Fault], document: str | None = None) -> list[Fault]:
    """Faults with the line where a person looks for it; in JSON it stands by itself."""
    return [fault if run.as_json else _with_line(fault, document) for fault in faults]


def _with_line(fault: Fault, document: str | None) -> Fault:
    if fault.line is None:
        return fault
    where = f"{document or fault.path}:{fault.line}"
    path = f"{where}: {fault.path}" if document and fault.path else where
    return msgspec.structs.replace(fault, path=path)
