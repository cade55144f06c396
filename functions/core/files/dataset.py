"""The rows of one dataset: where they come from, what is known of them beforehand, and what is wanted of them."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from functions.core.errors import Refused
from functions.core.files.inputs import RowSource
from functions.core.files.names import Names
from functions.core.files.settings import FileSettings
from functions.core.formats.declared import Declared
from functions.core.formats.declared_columns import DeclaredColumns
from functions.core.formats.faults import broken
from functions.core.formats.json_parser import JsonParser
from functions.core.formats.rows import MEBIBYTE, Batch
from functions.core.formats.surveys import ColumnNames

_FIRST_BYTES = 4 * MEBIBYTE
"""What is looked at before anything is written: the more it is, the fewer columns come later."""


class Dataset(msgspec.Struct, frozen=True):
    """Rows that become files under the same names; `schema` is what was declared of them, if anything was."""

    names: Names
    inputs: tuple[RowSource, ...]
    schema: Declared | None = None


class Unforeseen(Exception):  # noqa: N818 - it is no error: the rows are read again
    """A row is not as the first rows were."""


class DatasetRows:
    """The rows of a dataset, with the columns that the settings ask for.

    What the format must know of all rows is guessed from the first, and whoever writes begins with that: most
    datasets are read once. Where a later row is otherwise, all are looked at, and read a second time.
    """

    def __init__(self, settings: FileSettings, dataset: Dataset) -> None:
        self._settings = settings
        self._dataset = dataset
        self._surveyed = settings.columns is not None or settings.format.shaped
        self._survey, self._names = settings.format.survey(), ColumnNames()
        self._parser = JsonParser()
        self._declared = DeclaredColumns(dataset.schema) if dataset.schema else None
        self._unread = self._looked_at()
        self._first = self._head()
        self._guess: Any = None

    def guess(self) -> Any:
        """What the format must know, as far as the first rows show it.

        Raises:
            Unforeseen: They show too little.
        """
        try:
            self._guess = self._found()
        except Refused:
            raise Unforeseen from None
        return self._guess

    def as_guessed(self) -> Iterator[Batch]:
        """All rows, in order; once.

        Raises:
            Unforeseen: The guess was wrong.
            Refused: A column that is asked for is in no row.
        """
        while self._first:
            yield self._first.popleft()
        for batch in self._unread:
            if self._found() != self._guess:
                raise Unforeseen
            yield batch
        self._refuse_absent()

    def known(self) -> Any:
        """What the format must know, from all rows."""
        if self._settings.format.shaped:
            deque(self._unread, maxlen=0)
        return self._found()

    def again(self) -> Iterator[Batch]:
        """All rows, in order.

        Raises:
            Refused: A column that is asked for is in no row.
        """
        self._refuse_absent()
        for batch, _ in self._read():
            yield self._wanted(batch)

    def _head(self) -> deque[Batch]:
        head: deque[Batch] = deque()
        size = 0
        while size < _FIRST_BYTES and (batch := next(self._unread, None)) is not None:
            head.append(batch)
            size += batch.data_bytes
        return head

    def _found(self) -> Any:
        return self._survey.found() if self._settings.format.shaped else None

    def _looked_at(self) -> Iterator[Batch]:
        for batch, new in self._read():
            wanted = self._wanted(batch)
            if new and self._surveyed:
                self._names.see(batch)
                self._survey.see(wanted)
            yield wanted

    def _read(self) -> Iterator[tuple[Batch, bool]]:
        """The batches, and whether each may show something new."""
        if self._declared is None or not self._settings.format.shaped:
            yield from self._as_they_are()
            return
        for place, batch in enumerate(self._declared.of(batch for batch, _ in self._as_they_are())):
            yield batch, place == 0

    def _as_they_are(self) -> Iterator[tuple[Batch, bool]]:
        for source in self._dataset.inputs:
            for table in source.tables():
                batches = (
                    self._parser.columns(table.batches) if self._settings.format.shaped else table.batches
                )
                for place, batch in enumerate(batches):
                    yield batch, place == 0 or not table.uniform

    def _wanted(self, batch: Batch) -> Batch:
        columns = self._settings.columns
        return batch if columns is None else batch.select(columns)

    def _refuse_absent(self) -> None:
        columns, found = self._settings.columns or {}, self._names.found()
        absent = [name for name in columns.values() if name not in found]
        if absent and found:
            shown = ", ".join(f"`{name}`" for name in absent)
            raise broken("columns", f"no row has {shown}", cure=f"there are {', '.join(found[:20])}")
