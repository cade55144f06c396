"""What formats and compressions need of a file."""

from typing import Protocol


class Source(Protocol):
    """Bytes to be read."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""
        ...


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take some bytes."""
        ...
