"""A dataset becomes files: format, then compression or archive, then encryption; names and marks come last."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import msgspec

from functions.core import encryption
from functions.core.compression import ARCHIVES, BLOCK, COMPRESSIONS, GzipWriter
from functions.core.files.inputs import DataFile
from functions.core.files.names import DONE, MANIFEST, Names
from functions.core.files.parts import Part, parts
from functions.core.files.settings import FileSettings
from functions.core.files.store import Draft, Store
from functions.core.formats.faults import broken
from functions.core.formats.rows import Batch
from functions.core.formats.surveys import ColumnNames


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An object that was written; `checksum` is the SHA-256 of its bytes."""

    key: str
    bytes: int
    rows: int
    checksum: str
    content_type: str
    content_encoding: str | None = None


class Delivery:
    """One dataset on its way into files; inputs are read twice where all rows must be known beforehand.

    `progress` is told how many rows have been written.
    """

    def __init__(
        self,
        settings: FileSettings,
        inputs: Iterable[DataFile],
        *,
        store: Store,
        run: str,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._inputs = tuple(inputs)
        self._store = store
        self._run = run
        self._progress = progress

    def write(self, *, name: str, tokens: Mapping[str, Any]) -> list[Written]:
        """Write all files of the dataset, and when all are whole show them; the marks come last.

        Raises:
            Refused: An input is broken, or the format cannot hold a row; nothing is shown then.
            Permanent: A name cannot be an object's.
        """
        names = Names(self._settings, name=name, tokens=tokens)
        names.object(1, several=False)  # before the work: a name that cannot be
        made = self._packed(names) if self._settings.archive else self._compressed()
        whole = [self._whole(part) for part in made]
        several = len(whole) > 1
        written = []
        for number, (draft, what) in enumerate(whole, 1):
            written.append(msgspec.structs.replace(what, key=names.object(number, several=several)))
            self._store.publish(draft, written[-1].key)
        self._mark(names, written, several=several)
        return written

    def _compressed(self) -> Iterator[Part]:
        for part in self._parts():
            if isinstance(part.sink, GzipWriter):
                part.sink.close()
            yield part

    def _parts(self) -> Iterator[Part]:
        return parts(self._batches(), self._settings, self._survey(), self._begin)

    def _begin(self, number: int) -> Part:
        draft = self._store.draft()
        gzip = self._settings.compression == "gzip"
        return Part(number=number, draft=draft, sink=GzipWriter(draft.stream) if gzip else draft.stream)

    def _packed(self, names: Names) -> Iterator[Part]:
        """All files as one archive; each waits beside it until its size is known."""
        target = self._store.draft()
        rows = 0
        with closing(ARCHIVES[self._settings.compression](target.stream)) as archive:
            for part in self._parts():
                part.draft.stream.seek(0)
                archive.add(names.member(part.number), part.draft.stream, part.size)
                part.draft.discard()
                rows += part.rows
        yield Part(number=1, draft=target, sink=target.stream, rows=rows)

    def _whole(self, part: Part) -> tuple[Draft, Written]:
        """The file as it will be shown, but for its name; it is closed, since there may be thousands."""
        draft = self._encrypted(part.draft)
        written = self._written(part.rows, draft)
        draft.close()
        return draft, written

    def _encrypted(self, draft: Draft) -> Draft:
        draft.stream.flush()
        if self._settings.key is None:
            return draft
        encrypted = self._store.draft()
        self._settings.key.encrypt_file(draft.path, encrypted.path)
        draft.discard()
        return encrypted

    def _written(self, rows: int, draft: Draft) -> Written:
        digest, size = hashlib.sha256(), 0
        draft.stream.seek(0)
        while data := draft.stream.read(BLOCK):
            digest.update(data)
            size += len(data)
        content_type, content_encoding = self._content()
        return Written(
            key="",
            bytes=size,
            rows=rows,
            checksum=f"sha256:{digest.hexdigest()}",
            content_type=content_type,
            content_encoding=content_encoding,
        )

    def _content(self) -> tuple[str, str | None]:
        if self._settings.key:
            return encryption.CONTENT_TYPE, None
        if self._settings.content_encoding:
            return self._settings.format.content_type, "gzip"
        outer = COMPRESSIONS[self._settings.compression].content_type
        return outer or self._settings.format.content_type, None

    def _mark(self, names: Names, written: list[Written], *, several: bool) -> None:
        marks: list[tuple[str, Callable[[], bytes]]] = []
        if self._settings.manifest:
            marks.append((MANIFEST, lambda: self._manifest(written)))
        if self._settings.success_file:
            marks.append((DONE, lambda: b""))
        for name, content in marks:
            draft = self._store.draft()
            draft.stream.write(content())
            draft.close()
            self._store.publish(draft, names.beside(name, several=several))

    def _manifest(self, written: list[Written]) -> bytes:
        objects = [
            {name: getattr(each, name) for name in ("key", "bytes", "rows", "checksum")} for each in written
        ]
        manifest = {"run": self._run, "rows": sum(each.rows for each in written), "objects": objects}
        return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"

    def _batches(self) -> Iterator[Batch]:
        """All rows, with the columns that are wanted."""
        rows = 0
        for file in self._inputs:
            for table in file.tables():
                for batch in table.batches:
                    yield self._wanted(batch)
                    rows += len(batch.lines)
                    self._progress(rows)

    def _wanted(self, batch: Batch) -> Batch:
        columns = self._settings.columns
        return batch if columns is None else batch.select(columns)

    def _survey(self) -> Any:
        """What the format must know of all rows.

        Raises:
            Refused: A column that is asked for is in no row.
        """
        if self._settings.columns is None and not self._settings.format.shaped:
            return None
        survey, names = self._settings.format.survey(), ColumnNames()
        for file in self._inputs:
            for table in file.tables():
                for batch in table.batches:
                    if self._settings.columns is not None:
                        names.see(batch)
                    survey.see(self._wanted(batch))
                    if table.uniform:
                        break
        self._refuse_absent(names.found())
        return survey.found()

    def _refuse_absent(self, found: tuple[str, ...]) -> None:
        columns = self._settings.columns or {}
        absent = [name for name in columns.values() if name not in found]
        if absent and found:
            shown = ", ".join(f"`{name}`" for name in absent)
            raise broken("columns", f"no row has {shown}", cure=f"there are {', '.join(found[:20])}")
