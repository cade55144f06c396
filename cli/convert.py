"""`sluice convert`: local files through the file settings of a definition."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import msgspec
import typer

from cli.documents import read_document
from cli.run import Run, command
from functions.core.errors import Code, Fault, Refused
from functions.core.files.delivery import Delivery, Written
from functions.core.files.inputs import DataFile, told_by
from functions.core.files.settings import Conversion, parse_conversion
from functions.core.files.store import Draft
from functions.core.formats.rows import MEBIBYTE
from functions.core.instants import Instant


def add_to(app: typer.Typer) -> None:
    """Make `convert` a command of this application."""

    @command(app, example="sluice convert orders.jsonl --settings csv.yaml --out delivered")
    def convert(
        run: Run,
        inputs: Annotated[
            list[str],
            typer.Argument(metavar="INPUT...", help="The files of the dataset.", show_default=False),
        ],
        *,
        settings: Annotated[
            str, typer.Option(metavar="FILE", help="File settings, YAML or JSON.", show_default=False)
        ],
        out: Annotated[str, typer.Option(metavar="DIR", help="Where the files go.", show_default=False)],
        max_record_mebibytes: Annotated[
            int, typer.Option(min=1, max=1024, help="The largest record, in MiB.")
        ] = 32,
    ) -> None:
        """Write all inputs as one dataset: transcode, rename columns, compress, split, encrypt.

        Nothing is shown in DIR before all of it is whole; `.DONE` comes last.
        """
        with _placed(run, settings):
            conversion = read_document(settings, parse_conversion)
        with _placed(run):
            limit = max_record_mebibytes * MEBIBYTE
            files = [_data_file(name, conversion, limit) for name in inputs]
            with _folder(out) as store:
                written = _deliver(run, conversion, files, store, limit)
        shown = [{**msgspec.to_builtins(each), "path": str(Path(out, each.key))} for each in written]
        run.result({"objects": shown}, (_line(out, each) for each in written))


def _deliver(
    run: Run, conversion: Conversion, files: list[DataFile], store: "_Folder", limit: int
) -> list[Written]:
    now = Instant.from_milliseconds(int(datetime.now(UTC).timestamp() * 1000))
    stem = told_by(Path(files[0].name).name).stem
    tokens = {"now": now, "dataset_name": stem}
    template = conversion.file_name
    name = template.render(tokens) if template else f"{stem}.{conversion.files.extension}"
    delivery = Delivery(
        conversion.files.limited(limit),
        files,
        store=store,
        run=str(uuid.uuid4()),
        progress=lambda rows: run.progress(f"{rows} rows"),
    )
    try:
        return delivery.write(name=name, tokens=tokens)
    finally:
        run.progress("")


def _data_file(name: str, conversion: Conversion, limit: int) -> DataFile:
    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with _translated(name), Path(name).open("rb") as stream:
            yield stream

    with opened():
        return DataFile(name=name, open=opened, told=conversion.input, max_record_bytes=limit)


class _FileDraft:
    """A file in a folder that will be gone."""

    def __init__(self, folder: str) -> None:
        file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 - its store closes it
        self.stream = cast("BinaryIO", file)
        self.path = file.name

    def close(self) -> None:
        """Hold nothing but the bytes."""
        self.stream.close()

    def discard(self) -> None:
        """Forget it, and give its room back."""
        self.close()
        Path(self.path).unlink()


class _Folder:
    """A local folder as a store; drafts lie in it, under a name with a dot, and move to where they belong."""

    def __init__(self, out: Path, drafts: str) -> None:
        self._out = out
        self._folder = drafts
        self._drafts: list[_FileDraft] = []

    def draft(self) -> _FileDraft:
        """An empty file."""
        self._drafts.append(_FileDraft(self._folder))
        return self._drafts[-1]

    def close(self) -> None:
        """Close what nobody will read any more."""
        for draft in self._drafts:
            draft.close()

    def publish(self, draft: Draft, name: str) -> None:
        """Move a whole file to its name."""
        target = self._out / name
        with _translated(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(draft.path).chmod(0o644)
            Path(draft.path).replace(target)


@contextmanager
def _folder(out: str) -> Iterator[_Folder]:
    with _translated(out):
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        drafts = tempfile.mkdtemp(prefix=".sluice-", dir=folder)
        store = _Folder(folder, drafts)
        try:
            yield store
        finally:
            store.close()
            shutil.rmtree(drafts)


@contextmanager
def _translated(name: str) -> Iterator[None]:
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
def _placed(run: Run, document: str | None = None) -> Iterator[None]:
    """Faults as a person reads them: with the line, of the document or of the file that the fault names."""
    try:
        yield
    except Refused as refused:
        if run.as_json:
            raise
        raise run.fail([_with_line(fault, document) for fault in refused.faults]) from None


def _with_line(fault: Fault, document: str | None) -> Fault:
    if fault.line is None:
        return fault
    where = f"{document or fault.path}:{fault.line}"
    path = f"{where}: {fault.path}" if document and fault.path else where
    return msgspec.structs.replace(fault, path=path)


def _line(out: str, written: Written) -> str:
    rows = "1 row" if written.rows == 1 else f"{written.rows} rows"
    return f"{Path(out, written.key)}: {rows}, {written.bytes} bytes"
