"""How much a file that came from outside may unpack to."""

from functions.core.errors import Code, Refused
from functions.core.formats.faults import broken
from functions.core.formats.streams import Source

LEAST = 1_000_000_000
"""Bytes that any file may unpack to: read within a minute, and a small file of one repeated record is no attack."""

RATIO = 200
"""Above that, bytes for each byte of the file. Logs as JSON become 10 to 50 times smaller; gzip's most is 1,032."""


class Allowance:
    """Counts the bytes that a file unpacks to, over all its members."""

    def __init__(self, most: int, size: int, origin: str) -> None:
        self._most = most
        self._size = size
        self._origin = origin
        self._taken = 0

    @classmethod
    def of(cls, size: int, origin: str) -> "Allowance":
        """That of a file of `size` bytes."""
        return cls(max(LEAST, RATIO * size), size, origin)

    def again(self) -> "Allowance":
        """Another of the same, where bytes are counted at two places."""
        return Allowance(self._most, self._size, self._origin)

    def take(self, count: int) -> None:
        """So many more bytes were unpacked.

        Raises:
            Refused: `TOO_LARGE`; it was one too many.
        """
        self._taken += count
        if self._taken > self._most:
            raise self._refused()

    def _refused(self) -> Refused:
        message = f"its {self._size} bytes unpack to more than {self._most}, which is the limit"
        return broken(self._origin, message, cure="split it", code=Code.TOO_LARGE)


class Counted:
    """A source whose bytes are counted."""

    def __init__(self, source: Source, allowance: Allowance) -> None:
        self._source = source
        self._allowance = allowance

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end.

        Raises:
            Refused: There are too many.
        """
        data = self._source.read(size)
        self._allowance.take(len(data))
        return data
