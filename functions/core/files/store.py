"""Where files are written: first as drafts that nobody sees, then, when all are whole, under their names."""

from typing import BinaryIO, Protocol

import msgspec


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An object as it is shown; `checksum` is the SHA-256 of its bytes."""

    key: str
    bytes: int
    rows: int
    checksum: str
    content_type: str
    content_encoding: str | None = None


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
        """Forget it, once, whether or not it is closed."""
        ...


class Store(Protocol):
    """Makes drafts, and shows them."""

    def draft(self) -> Draft:
        """An empty file."""
        ...

    def publish(self, draft: Draft, written: Written) -> None:
        """Show a whole, closed file as the object that `written` says."""
        ...

    def withdraw(self, name: str) -> None:
        """Show no object of this name any more; nothing happens where there is none."""
        ...
