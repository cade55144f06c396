"""Datasets become objects: when all files of all of them are whole they get their names; marks come last."""

import itertools
from collections.abc import Callable, Iterable

import msgspec

from functions.core.errors import Code, Permanent, Refused
from functions.core.files.attempts import Attempt, Whole, described
from functions.core.files.dataset import Dataset, DatasetRows, Unforeseen
from functions.core.files.names import DONE, MANIFEST
from functions.core.files.settings import FileSettings
from functions.core.files.store import Store, Written


class Delivery:
    """Datasets on their way into files; one whose first rows do not show what all are like is read twice.

    `run` is named in the manifest; `progress` is told how many rows have been written.
    """

    def __init__(
        self,
        settings: FileSettings,
        datasets: Iterable[Dataset],
        *,
        store: Store,
        run: str,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._datasets = tuple(datasets)
        self._store = store
        self._run = run
        self._progress = progress
        self._rows = 0
        self._files = 0

    def write(self) -> list[Written]:
        """Write all files of all datasets, and when all are whole show them; the marks come last, once.

        Marks that an earlier attempt left are withdrawn before the first object is shown: they never stand beside
        objects of which only some are there.

        Raises:
            Refused: An input is broken, or the format cannot hold a row; nothing is shown then.
            Permanent: A name cannot be an object's, or is that of two objects; nothing is shown then.
        """
        self._check_names()
        made = [self._files_of(dataset) for dataset in self._datasets]
        whole = self._named(made)
        several = bool(made) and len(made[0]) > 1
        marks = [(mark, self._datasets[0].names.beside(mark, several=several)) for mark in self._marks()]
        for _, name in reversed(marks):
            self._store.withdraw(name)
        for each in whole:
            self._store.publish(each.draft, each.written)
        written = [each.written for each in whole]
        for mark, name in marks:
            self._mark(name, self._manifest(written) if mark == MANIFEST else b"")
        return written

    def _check_names(self) -> None:
        """A name that cannot be is told before the work."""
        for dataset in self._datasets:
            dataset.names.object(1, several=False)
            if self._settings.archive:
                dataset.names.member(1)
            for mark in self._marks():
                dataset.names.beside(mark, several=False)

    def _marks(self) -> list[str]:
        """The marks that are wanted, in the order in which they are shown."""
        wanted = ((MANIFEST, self._settings.manifest), (DONE, self._settings.success_file))
        return [mark for mark, is_wanted in wanted if is_wanted and self._datasets]

    def _files_of(self, dataset: Dataset) -> list[Whole]:
        """All files of a dataset: as its first rows let expect, or, where that does not do, as all rows ask for."""
        rows = DatasetRows(self._settings, dataset)
        attempt, guess = self._attempt(dataset), None
        try:
            guess = rows.guess()
            return self._counted(attempt, attempt.made(rows.as_guessed(), guess))
        except (Unforeseen, Refused) as stopped:
            known = rows.known()
            if isinstance(stopped, Refused) and known == guess:
                raise
        attempt.discard()
        attempt = self._attempt(dataset)
        return self._counted(attempt, attempt.made(rows.again(), known))

    def _attempt(self, dataset: Dataset) -> Attempt:
        before = self._rows
        return Attempt(
            self._settings,
            dataset.names,
            store=self._store,
            files_before=self._files,
            progress=lambda rows: self._progress(before + rows),
        )

    def _counted(self, attempt: Attempt, made: list[Whole]) -> list[Whole]:
        self._files += attempt.files
        self._rows += sum(each.written.rows for each in made)
        return made

    def _named(self, made: list[list[Whole]]) -> list[Whole]:
        """All files, numbered on from dataset to dataset, with the keys that they get."""
        numbers = itertools.count(1)
        named: dict[str, Whole] = {}
        for dataset, files in zip(self._datasets, made, strict=True):
            for file in files:
                key = dataset.names.object(next(numbers), several=len(files) > 1)
                if key in named:
                    raise Permanent(Code.BAD_KEY, f"two files of this delivery have the key {key}")
                named[key] = Whole(file.draft, msgspec.structs.replace(file.written, key=key))
        return list(named.values())

    def _mark(self, name: str, content: bytes) -> None:
        draft = self._store.draft()
        draft.stream.write(content)
        content_type = "application/json" if content else "application/octet-stream"
        written = described(draft, rows=0, content_type=content_type)
        self._store.publish(draft, msgspec.structs.replace(written, key=name))

    def _manifest(self, written: list[Written]) -> bytes:
        objects = [
            {name: getattr(each, name) for name in ("key", "bytes", "rows", "checksum")} for each in written
        ]
        manifest = {"run": self._run, "rows": sum(each.rows for each in written), "objects": objects}
        return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
