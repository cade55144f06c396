"""Where the records of delimited text end: at a line break that is neither quoted nor escaped."""

import re
from collections.abc import Iterator

import msgspec

from functions.core.errors import Refused
from functions.core.formats.faults import broken, oversized
from functions.core.formats.rows import Reading
from functions.core.formats.settings import Delimited


class Record(msgspec.Struct, frozen=True, gc=False):
    """The text of a record, without its line break, and the line that it begins at.

    `simple`: its text holds delimiters, and nothing else that means something.
    """

    text: str
    line: int
    simple: bool


def records(pieces: Iterator[str], reading: Reading, settings: Delimited) -> Iterator[list[Record]]:
    """The records of a text, as many at a time as a piece of it ends.

    Raises:
        Refused: A quote is never closed, or a record is too large.
    """
    ends = _Ends(reading, settings)
    rest = ""
    for piece in pieces:
        lines = (rest + piece).split("\n")
        rest = lines.pop()
        yield ends.records(lines)
        if ends.pending(rest) > reading.max_record_bytes:
            raise ends.too_large(rest, pieces)
    yield ends.last(rest)


class _Ends:
    """Joins lines to records."""

    def __init__(self, reading: Reading, settings: Delimited) -> None:
        self._reading = reading
        self._quote = settings.quote_char if settings.quoting else ""
        self._escape = settings.escape or ""
        self._escaped = re.compile(re.escape(self._escape) + ".", re.DOTALL) if self._escape else None
        self._marks = re.compile("[" + re.escape(self._quote + self._escape + "\r") + "]")
        self._line = 1
        self._held: list[str] = []
        self._open = False
        self._bytes = 0

    def records(self, lines: list[str]) -> list[Record]:
        """The records that end within these lines."""
        found = []
        marked = self._marks.search
        for line in lines:
            if not self._held and not marked(line):
                found.append(Record(line, self._line, simple=True))
                self._line += 1
            elif record := self._joined(line):
                found.append(record)
        self._check(found)
        return found

    def last(self, rest: str) -> list[Record]:
        """The record that the file ends with, which needs no line break."""
        if not rest and not self._held:
            return []
        found = self.records([rest])
        if self._held:
            raise broken(self._reading.origin, "a quote that is opened here is never closed", line=self._line)
        return found

    def pending(self, rest: str) -> int:
        """About how many bytes wait for the end of their record; never too few by more than a piece."""
        return self._bytes + len(rest)

    def too_large(self, rest: str, pieces: Iterator[str]) -> Refused:
        """The error of a record that goes on, counted to its end and not kept."""
        size, is_open = self._bytes + len(rest.encode()), self._open ^ self._odd(rest)
        for piece in pieces:
            for number, part in enumerate(piece.split("\n")):
                if number and not is_open:
                    return self._oversized(size)
                size += len(part.encode()) + (1 if number else 0)
                is_open ^= self._odd(part)
        return self._oversized(size)

    def _joined(self, line: str) -> Record | None:
        """The record that ends with this line, if one does."""
        if self._odd(line):
            self._open = not self._open
        self._held.append(line)
        self._bytes += len(line.encode()) + 1
        if self._open or self._dangles(line):
            return None
        text, first = "\n".join(self._held), self._line
        self._line += len(self._held)
        self._held, self._bytes = [], 0
        if self._bare(line).endswith("\r"):
            text = text[:-1]
        return Record(text, first, simple=not self._marks.search(text))

    def _bare(self, line: str) -> str:
        """The line without what is escaped."""
        return self._escaped.sub("", line) if self._escaped else line

    def _odd(self, line: str) -> bool:
        return bool(self._quote) and self._bare(line).count(self._quote) % 2 == 1

    def _dangles(self, line: str) -> bool:
        """Whether the line break after this line is escaped."""
        return bool(self._escape) and self._bare(line).endswith(self._escape)

    def _check(self, found: list[Record]) -> None:
        limit = self._reading.max_record_bytes
        # A character has at most four bytes; only what may be too large is counted.
        for record in found:
            if len(record.text) * 4 > limit and (size := len(record.text.encode())) > limit:
                raise oversized(self._reading.origin, line=record.line, size=size, limit=limit)

    def _oversized(self, size: int) -> Refused:
        limit = self._reading.max_record_bytes
        return oversized(self._reading.origin, line=self._line, size=size, limit=limit)
