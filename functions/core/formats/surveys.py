"""What must be known of all rows before the first of them is written."""

from typing import Any, Protocol

from functions.core.formats.rows import Batch


class Survey(Protocol):
    """Looks at all batches, then says what a writer needs."""

    def see(self, batch: Batch) -> None:
        """Take these rows into account."""
        ...

    def found(self) -> Any:
        """What was found."""
        ...


class ColumnNames:
    """The columns that any row has, in the order in which they first occur."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def see(self, batch: Batch) -> None:
        """Take these rows into account."""
        self._names |= dict.fromkeys(batch.names())

    def found(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self._names)
