"""`sluice convert`: local files through the file settings of a definition."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from cli.documents import read_text
from cli.run import Run, command
from functions.core.errors import Code, Fault, Refused
from functions.core.files.delivery import Delivery, Written
from functions.core.files.inputs import DataFile, told_by
from functions.core.files.settings import Conversion, parse_conversion
from functions.core.formats.rows import MEBIBYTE
from functions.core.instants import Instant


def add_to(app: typer.Typer) -> None:
    """Make `convert` a command of this application."""

    @command(app, example="sluice convert orders.jsonl --settings csv.yaml --out delivered")
    def convert(
        run: Run,
        inputs: Annotated[
            list[str], typer.Argument(metavar="INPUT...", help="The files of the dataset.", show_default=False)
        ],
        *,
        settings: Annotated[str, typer.Option(metavar="FILE", help="File settings, YAML or JSON.", show_default=False)],
        out: Annotated[str, typer.Option(metavar="DIR", help="Where the files go.", show_default=False)],
        max_record_mebibytes: Annotated[int, typer.Option(min=1, max=1024, help="The largest record.")] = 32,
    ) -> None:
        """Write all inputs as one dataset: transcode, rename columns, compress, split, encrypt.

        Nothing is shown in DIR before all of it is whole; `.DONE` comes last.
        """
        conversion = _settings(settings)
        files = [_file(name, conversion, max_record_mebibytes * MEBIBYTE) for name in inputs]
        with _Folder(out) as store:
            delivery = Delivery(conversion.files, files, store=store, run=_run_id(inputs))
            written = delivery.write(name=name, tokens=tokens)
        shown = [msgspec.to_builtins(each) for each in written]
        run.result({"objects": shown}, map(_line, written))
