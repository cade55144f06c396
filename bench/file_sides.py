"""Who turns rows into files, each in fresh processes: ours, and the libraries that it is compared with."""

import hashlib
import shutil
import venv
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from bench import deployment, file_contents, processes
from bench.endpoint import Endpoint
from bench.file_peers import BUCKET
from bench.files_ours import Stages
from bench.processes import ROOT
from bench.usage import Usage

ENVIRONMENTS = ROOT / "build" / "bench"
"""Where the libraries are installed, each in an environment of its own, once."""


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """A peer: what is installed, and the script that uses it as its documentation shows."""

    name: str
    requirements: tuple[str, ...]
    module: str


AWSWRANGLER = Library(
    name="awswrangler",
    requirements=("awswrangler==3.17.1", "msgspec", "orjson"),
    module="bench.files_awswrangler",
)
DLT = Library(
    name="dlt", requirements=("dlt[filesystem,parquet,s3]==1.31.0", "msgspec"), module="bench.files_dlt"
)


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in messages; `sent` is what files of them must hold."""

    folder: Path
    count: int
    sent: pa.Table


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """The place where sides are measured; every measurement takes away what it has written.

    Each format has a folder of its own in the bucket: its files, of whatever side.
    """

    place: Endpoint

    def ours(
        self, format_name: str, rows: Rows, *, run: str, declared: bool = False, check: bool = False
    ) -> Stages:
        """What a run costs us; `check` compares the files with what was sent.

        Raises:
            ProcessError, ContentError: It failed, or wrote other rows.
        """
        load = ["--bodies", str(rows.folder), "--rows", str(rows.count)]
        arguments = [format_name, "--run", run, *load, *(["--declared"] if declared else [])]
        result = self._result(format_name, "-m", "bench.files_ours", *arguments)
        self._settle("ours", format_name, rows if check else None)
        return msgspec.json.decode(result, type=Stages)

    def library(self, library: Library, format_name: str, rows: Rows, *, tuned: bool = False) -> Usage:
        """What the same costs a library; its files are compared with what was sent.

        Raises:
            As `ours`.
        """
        load = ["--bodies", str(rows.folder), "--rows", str(rows.count)]
        arguments = ["-m", library.module, format_name, "--folder", format_name, *load]
        more = {"PEER_TUNED": "1"} if tuned else {}
        result = self._result(format_name, *arguments, interpreter=interpreter(library), more=more)
        self._settle(library.name, format_name, rows)
        return msgspec.json.decode(result, type=Usage)

    def writing(self, format_name: str, run: str, *, rows: int) -> Usage:
        """What the delivery of a run that is staged costs us; its rows are counted.

        Raises:
            As `ours`.
        """
        result = self._result(format_name, "-m", "bench.files_writing", run, "--rows", str(rows))
        found = sum(map(file_contents.count, self._files(format_name)))
        if found != rows:
            raise file_contents.ContentError(f"ours wrote {found} rows of {rows}")
        self._clear(format_name)
        return msgspec.json.decode(result, type=Usage)

    def _result(
        self,
        format_name: str,
        *arguments: str,
        interpreter: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> bytes:
        folder = self.place.folder
        result = folder / f"{format_name}.json"
        environment = deployment.environment(self.place.url, byte_code=folder / "byte_code", peer_checksum="")
        processes.python(
            *arguments,
            "--result",
            str(result),
            environment={**environment, **(more or {})},
            log=folder / f"{format_name}.log",
            interpreter=interpreter,
        )
        return result.read_bytes()

    def _settle(self, side: str, format_name: str, rows: Rows | None) -> None:
        files = self._files(format_name)
        if not files:
            raise file_contents.ContentError(f"{side} wrote no {format_name}")
        if rows:
            file_contents.check(f"{side}, {format_name}", files, rows.sent)
        self._clear(format_name)
        shutil.rmtree(self.place.folder / "objects" / deployment.DATA_BUCKET, ignore_errors=True)

    def _files(self, format_name: str) -> list[Path]:
        """Those of the stream: dlt writes some about itself beside it."""
        found = (self.place.folder / "objects" / BUCKET / format_name).rglob("*")
        return sorted(path for path in found if path.is_file() and "orders" in path.parts)

    def _clear(self, format_name: str) -> None:
        shutil.rmtree(self.place.folder / "objects" / BUCKET / format_name)


def interpreter(library: Library) -> Path:
    """The Python that has the library; it is installed if need be.

    Raises:
        ProcessError: It cannot be installed.
    """
    wanted = hashlib.sha256(" ".join(library.requirements).encode()).hexdigest()[:8]
    folder = ENVIRONMENTS / f"{library.name}-{wanted}"
    ready, python = folder / "ready", folder / "bin" / "python"
    if not ready.exists():
        venv.create(folder, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", *library.requirements]
        processes.python(*install, environment=None, log=folder / "pip.log", interpreter=python)
        ready.touch()
    return python
