"""Who turns files into events, each in fresh processes: ours, and the libraries that it is compared with."""

import itertools
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import deployment, import_contents, import_rows, processes
from bench.endpoint import Endpoint
from bench.file_sides import DLT, Library, interpreter
from bench.import_contents import Contents
from bench.usage import Usage
from functions.adapters.definitions import Definitions, Stored, What
from functions.core.settings import variables

PEERS = {
    "stdlib": None,
    "pandas": Library(
        name="pandas", requirements=("pandas==2.3.3", "msgspec"), module="bench.imports_pandas"
    ),
    "dlt": msgspec.structs.replace(DLT, module="bench.imports_dlt"),
}
"""The libraries, each in an environment of its own; what Python itself has needs none."""

_PROJECT = 187520
_MADE = "made-events"
_SETTINGS = variables(
    claims_table="claims",
    profiles_table="profiles",
    arrivals_queue_url="http://127.0.0.1/123456789012/arrivals",
    drop_bucket="drop-bucket",
)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a side took, and the files that it made."""

    usage: Usage
    files: list[Path]

    def contents(self) -> Contents:
        """What is in the files; all of it is looked at."""
        return import_contents.contents(self.files)


class Bench:
    """The place where sides are measured; what one has made is there until the next is measured."""

    def __init__(self, place: Endpoint) -> None:
        self._place = place
        self._numbers = itertools.count()
        dynamodb = deployment.client("dynamodb", place.services_url)
        self._definitions = Definitions(dynamodb, table=deployment.DEFINITIONS, what=What.SOURCE)

    def ours(self, kind: str, paths: Sequence[Path], *, objects: int, claims: bool = False) -> Made:
        """Have these files imported, each for the first time; `objects` is what the cost is divided by.

        Raises:
            ProcessError: They are not.
        """
        bucket = f"arrivals-{next(self._numbers)}"
        self._definitions.put(_source(bucket, kind, claims=claims))
        self._clear(deployment.DATA_BUCKET)
        self._arrive(bucket, paths)
        keys = self._place.folder / "keys"
        keys.write_text("\n".join(path.name for path in paths))
        usage = self._measured(
            "bench.imports_ours", objects, "--bucket", bucket, "--keys", str(keys), more=_SETTINGS
        )
        self._clear(bucket)
        return Made(usage=usage, files=self._files(deployment.DATA_BUCKET, "events"))

    def peer(self, name: str, path: Path, *, objects: int) -> Made:
        """Have one of the libraries make the same of a file.

        Raises:
            ProcessError: It failed, or cannot be installed.
        """
        self._clear(_MADE)
        bucket = f"arrivals-{next(self._numbers)}"
        self._arrive(bucket, [path])
        library, url = PEERS[name], self._place.url
        target = f"{url}/{_MADE}/" + ("dlt" if name == "dlt" else "events.jsonl.gz")
        usage = self._measured(
            f"bench.imports_{name}",
            objects,
            *("--source", f"{url}/{bucket}/{path.name}", "--target", target),
            interpreter=interpreter(library) if library else None,
        )
        self._clear(bucket)
        made = self._files(_MADE, "")
        return Made(usage=usage, files=[each for each in made if name != "dlt" or "events" in each.parts])

    def _measured(
        self,
        module: str,
        objects: int,
        *arguments: str,
        interpreter: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Usage:
        folder = self._place.folder
        result = folder / "result.json"
        environment = deployment.environment(
            self._place.url, byte_code=folder / "byte_code", peer_checksum=""
        )
        processes.python(
            *("-m", module, *arguments, "--objects", str(objects), "--result", str(result)),
            environment={**environment, **(more or {})},
            log=folder / "import.log",
            interpreter=interpreter,
        )
        return msgspec.json.decode(result.read_bytes(), type=Usage)

    def _arrive(self, bucket: str, paths: Sequence[Path]) -> None:
        folder = self._place.folder / "objects" / bucket
        folder.mkdir(parents=True)
        for path in paths:
            os.link(path, folder / path.name)

    def _files(self, bucket: str, below: str) -> list[Path]:
        found = (self._place.folder / "objects" / bucket / below).rglob("*")
        return sorted(path for path in found if path.is_file())

    def _clear(self, bucket: str) -> None:
        shutil.rmtree(self._place.folder / "objects" / bucket, ignore_errors=True)


def _source(bucket: str, kind: str, *, claims: bool) -> Stored:
    """A source of this bucket, called after it."""
    return Stored(
        name=bucket,
        version=1,
        document=document(bucket, kind, claims=claims),
        created_at="2025-10-14T00:00:00Z",
        external_id="sluice-bench",
    )


def document(bucket: str, kind: str, *, claims: bool = False) -> dict[str, Any]:
    """The definition of a source of this bucket, of files of this kind."""
    compression = {} if kind == "parquet" else {"compressionType": "gzip"}
    functions = {"convertToAmplitudeFunc": import_rows.FIELDS}
    return {
        "name": bucket,
        "kind": "files",
        "bucket": bucket,
        "credentials": {"role_arn": "arn:aws:iam::123456789012:role/sluice-bench"},
        "project_id": _PROJECT,
        "data_type": "event",
        "strategy": "append",
        "dedup": "insert_id" if claims else "none",
        "converter": {
            "converterConfig": {"fileType": kind, **compression, **functions},
            "keyValidatorConfig": {"filterPattern": ".*"},
        },
    }
