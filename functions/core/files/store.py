"""Where files are written: first as drafts that nobody sees, then, when all are whole, under their names."""

from typing import BinaryIO, Protocol


class Draft(Protocol):
    """A file that nobody sees yet."""

    @property
    def stream(self) -> BinaryIO:
        """Its bytes, to be written, sought in and read again, until it is closed."""
        ...

    @property
    def path(self) -> str:
        """Where it lies on this machine; what was written is there once the stream is flushed."""
        ...

    def close(self) -> None:
        """Hold nothing but the bytes, which are all there."""
        ...

    def discard(self) -> None:
        """Forget it."""
        ...


class Store(Protocol):
    """Makes drafts, and shows them."""

    def draft(self) -> Draft:
        """An empty file."""
        ...

    def publish(self, draft: Draft, name: str) -> None:
        """Show a whole file under its name."""
        ...
