"""Files in memory, through the whole of a delivery."""

import io
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from functions.core.files.dataset import Dataset
from functions.core.files.delivery import Delivery
from functions.core.files.inputs import DataFile
from functions.core.files.names import DatasetNames
from functions.core.files.settings import Input, parse_conversion
from functions.core.files.store import Draft, Written
from functions.core.formats.rows import MAX_RECORD_BYTES
from functions.core.instants import Instant

NOW = Instant.parse("2026-03-08T09:30:00Z")


class MemoryDraft:
    def __init__(self) -> None:
        self.stream: BinaryIO = io.BytesIO()
        self.path = ""

    def close(self) -> None:
        """Its bytes are in memory."""

    def discard(self) -> None:
        self.stream.close()


class MemoryStore:
    """What was published, in order."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def draft(self) -> MemoryDraft:
        return MemoryDraft()

    def publish(self, draft: Draft, written: Written) -> None:
        draft.stream.seek(0)
        self.objects[written.key] = draft.stream.read()

    def withdraw(self, name: str) -> None:
        self.objects.pop(name, None)


class FolderStore:
    """The same with drafts that have paths, which encryption needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects: dict[str, bytes] = {}
        self._drafts = 0

    def draft(self) -> Draft:
        self._drafts += 1
        return FolderDraft(self.folder / str(self._drafts))

    def publish(self, draft: Draft, written: Written) -> None:
        self.objects[written.key] = Path(draft.path).read_bytes()

    def withdraw(self, name: str) -> None:
        self.objects.pop(name, None)


class FolderDraft:
    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.stream: BinaryIO = path.open("w+b")

    def close(self) -> None:
        self.stream.close()

    def discard(self) -> None:
        self.stream.close()


def data_file(name: str, content: bytes, told: Input, limit: int = MAX_RECORD_BYTES) -> DataFile:
    return DataFile(
        name=name, open=lambda: nullcontext(io.BytesIO(content)), told=told, max_record_bytes=limit
    )


def deliver(
    inputs: Mapping[str, bytes],
    *,
    name: str = "out",
    limit: int = MAX_RECORD_BYTES,
    store: MemoryStore | FolderStore | None = None,
    **settings: Any,
) -> tuple[dict[str, bytes], list[Written]]:
    """The objects, in the order in which they were published, and what is said about them."""
    conversion = parse_conversion(settings)
    files = [data_file(each, content, conversion.input, limit) for each, content in inputs.items()]
    store = store or MemoryStore()
    tokens = {"now": NOW, "dataset_name": "data"}
    chosen = conversion.files.limited(limit)
    dataset = Dataset(DatasetNames(chosen, name=name, tokens=tokens), tuple(files))
    written = Delivery(chosen, [dataset], store=store, run="run").write()
    return store.objects, written


def convert(content: bytes | Iterable[bytes], source: str, target: str, **settings: Any) -> bytes:
    """One file of a format as one of another; `settings` may hold `input`."""
    told = {"format": source, **settings.pop("input", {})}
    contents = [content] if isinstance(content, bytes) else list(content)
    inputs = {f"in{number}": each for number, each in enumerate(contents)}
    objects, _ = deliver(inputs, format=target, input=told, **settings)
    [written] = objects.values()
    return written
