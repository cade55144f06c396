"""One attempt at the files of a dataset: format, then compression or archive, then encryption, all in drafts."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, cast

import msgspec

from functions.core import encryption
from functions.core.compression import ARCHIVES, BLOCK, COMPRESSIONS, GzipWriter
from functions.core.files.names import Names
from functions.core.files.parts import Part, parts
from functions.core.files.settings import FileSettings
from functions.core.files.store import Draft, Store, Written
from functions.core.formats.rows import Batch
from functions.core.formats.streams import Sink


class Whole(msgspec.Struct, frozen=True):
    """A file as it will be shown, but for its name."""

    draft: Draft
    written: Written


class Attempt:
    """Makes the files of a dataset, numbered after those before; `progress` is told the rows of this attempt."""

    def __init__(
        self,
        settings: FileSettings,
        names: Names,
        *,
        store: Store,
        files_before: int,
        progress: Callable[[int], None],
    ) -> None:
        self._settings = settings
        self._names = names
        self._store = store
        self._files_before = files_before
        self._progress = progress
        self._drafts: list[Draft] = []
        self.files = 0

    def made(self, batches: Iterator[Batch], found: Any) -> list[Whole]:
        """The files that the rows become; `found` is what the format must know of all of them.

        Raises:
            Refused: The format cannot hold a row.
        """
        made = parts(self._counted(batches), self._settings, found, self._begin)
        return [self._whole(part) for part in (self._packed(made) if self._settings.archive else made)]

    def discard(self) -> None:
        """Forget all that was made."""
        while self._drafts:
            self._drafts.pop().discard()

    def _counted(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        rows = 0
        for batch in batches:
            yield batch
            rows += len(batch)
            self._progress(rows)

    def _draft(self) -> Draft:
        self._drafts.append(self._store.draft())
        return self._drafts[-1]

    def _begin(self) -> Part:
        self.files += 1
        draft = self._draft()
        gzip = self._settings.compression == "gzip"
        sink = GzipWriter(draft.stream) if gzip else cast("Sink", draft.stream)
        return Part(number=self._files_before + self.files, draft=draft, sink=sink)

    def _packed(self, made: Iterator[Part]) -> Iterator[Part]:
        """All files as one archive; each waits beside it until its size is known."""
        target = self._draft()
        rows = 0
        with closing(ARCHIVES[self._settings.compression](target.stream)) as archive:
            for part in made:
                part.draft.stream.seek(0)
                archive.add(self._names.member(part.number), part.draft.stream, part.size)
                self._forget(part.draft)
                rows += part.rows
        yield Part(number=1, draft=target, sink=cast("Sink", target.stream), rows=rows)

    def _whole(self, part: Part) -> Whole:
        if isinstance(part.sink, GzipWriter):
            part.sink.close()
        draft = self._encrypted(part.draft)
        content_type, content_encoding = _content(self._settings)
        written = described(draft, rows=part.rows, content_type=content_type)
        return Whole(draft, msgspec.structs.replace(written, content_encoding=content_encoding))

    def _encrypted(self, draft: Draft) -> Draft:
        draft.stream.flush()
        if self._settings.key is None:
            return draft
        encrypted = self._draft()
        self._settings.key.encrypt_file(draft.path, encrypted.path)
        self._forget(draft)
        return encrypted

    def _forget(self, draft: Draft) -> None:
        self._drafts.remove(draft)
        draft.discard()


def described(draft: Draft, *, rows: int, content_type: str) -> Written:
    """What there is to say about a file that has no name yet; it is closed, since there may be thousands."""
    digest, size = hashlib.sha256(), 0
    draft.stream.seek(0)
    while data := draft.stream.read(BLOCK):
        digest.update(data)
        size += len(data)
    draft.close()
    checksum = f"sha256:{digest.hexdigest()}"
    return Written(key="", bytes=size, rows=rows, checksum=checksum, content_type=content_type)


def _content(settings: FileSettings) -> tuple[str, str | None]:
    """What an object's content type and encoding are."""
    if settings.key:
        return encryption.CONTENT_TYPE, None
    if settings.content_encoding:
        return settings.format.content_type, "gzip"
    return COMPRESSIONS[settings.compression].content_type or settings.format.content_type, None
