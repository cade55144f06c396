"""`sluice convert`: local files through the file settings of a definition."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli.documents import read_document
from cli.local_files import data_file, placed, translated
from cli.run import Run, command
from functions.adapters.drafts import FileDraft
from functions.core.files.dataset import Dataset
from functions.core.files.delivery import Delivery
from functions.core.files.inputs import DataFile, told_by
from functions.core.files.names import DatasetNames
from functions.core.files.settings import Conversion, parse_conversion
from functions.core.files.store import Draft, Written
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
        with placed(run, settings):
            conversion = read_document(settings, parse_conversion)
        with placed(run):
            limit = max_record_mebibytes * MEBIBYTE
            files = [data_file(name, conversion.input, limit) for name in inputs]
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
    settings = conversion.files.limited(limit)
    delivery = Delivery(
        settings,
        [Dataset(DatasetNames(settings, name=name, tokens=tokens), tuple(files))],
        store=store,
        run=str(uuid.uuid4()),
        progress=lambda rows: run.progress(f"{rows} rows"),
    )
    try:
        return delivery.write()
    finally:
        run.progress("")


class _Folder:
    """A local folder as a store; drafts lie in it, under a name with a dot, and move to where they belong."""

    def __init__(self, out: Path, drafts: str) -> None:
        self._out = out
        self._folder = drafts
        self._drafts: list[FileDraft] = []

    def draft(self) -> FileDraft:
        """An empty file."""
        self._drafts.append(FileDraft(self._folder))
        return self._drafts[-1]

    def close(self) -> None:
        """Close what nobody will read any more."""
        for draft in self._drafts:
            draft.close()

    def publish(self, draft: Draft, written: Written) -> None:
        """Move a whole file to its name."""
        target = self._out / written.key
        with translated(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(draft.path).chmod(0o644)
            Path(draft.path).replace(target)

    def withdraw(self, name: str) -> None:
        """Remove a file, if it is there."""
        with translated(name):
            (self._out / name).unlink(missing_ok=True)


@contextmanager
def _folder(out: str) -> Iterator[_Folder]:
    with translated(out):
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        drafts = tempfile.mkdtemp(prefix=".sluice-", dir=folder)
        store = _Folder(folder, drafts)
        try:
            yield store
        finally:
            store.close()
            shutil.rmtree(drafts)


def _line(out: str, written: Written) -> str:
    rows = "1 row" if written.rows == 1 else f"{written.rows} rows"
    return f"{Path(out, written.key)}: {rows}, {written.bytes} bytes"
