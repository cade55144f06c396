"""Where the records of delimited text end, whatever is wrong with them: a bad one ends where its line does."""

import re
from collections.abc import Iterator

from functions.core.formats.delimited_cells import CellReader
from functions.core.formats.delimited_records import Record
from functions.core.formats.faults import broken
from functions.core.formats.rows import Reading
from functions.core.formats.settings import Delimited
from functions.core.formats.text_input import encoded
from functions.core.formats.tolerant import MOST_SHOWN, LargeRecord, Original


class LongLine:
    """A line of more characters than a record may have bytes: its beginning, and what it means for its record."""

    def __init__(self, marks: "Marks", text: str) -> None:
        self._marks = marks
        self._carried = ""
        self.beginning = text[:MOST_SHOWN]
        self.size = 0
        self.odd = False
        self.add(text)

    def add(self, text: str) -> None:
        """The line goes on."""
        self.size += len(encoded(text))
        # What an escape character stands before may be in the next piece.
        text = self._carried + text
        self._carried = text[-1] if self._marks.dangles(text) else ""
        self.odd ^= self._marks.odd(text)

    @property
    def dangles(self) -> bool:
        """Whether the line break after it is escaped."""
        return bool(self._carried)


class Marks:
    """What tells in a line whether its record ends with it."""

    def __init__(self, settings: Delimited) -> None:
        self._quote = settings.quote_char if settings.quoting else ""
        self._escape = settings.escape or ""
        self._escaped = re.compile(re.escape(self._escape) + ".", re.DOTALL) if self._escape else None
        self.parity = self._quote if self._quote and not self._escape else None
        self.first = re.compile("[" + re.escape(self._quote + self._escape + "\r") + "]").search

    def odd(self, line: str) -> bool:
        """Whether quotes are open behind this line that were not before it, or the other way round."""
        return bool(self._quote) and self._bare(line).count(self._quote) % 2 == 1

    def dangles(self, line: str) -> bool:
        """Whether the line break after this line is escaped."""
        return bool(self._escape) and self._bare(line).endswith(self._escape)

    def without_return(self, text: str) -> str:
        """A record without the carriage return that is half of its line break."""
        return text[:-1] if self._bare(text).endswith("\r") else text

    def _bare(self, line: str) -> str:
        """The line without what is escaped."""
        return self._escaped.sub("", line) if self._escaped else line


def lines(pieces: Iterator[str], marks: Marks, limit: int) -> Iterator[list[str | LongLine]]:
    """The lines of a text, as many at a time as a piece of it ends; last what ends with the text."""
    begun: str | LongLine = ""
    kept = max(limit, MOST_SHOWN)
    for piece in pieces:
        first, *others = piece.split("\n")
        if isinstance(begun, LongLine):
            begun.add(first)
        elif len(begun) + len(first) > kept:
            begun = LongLine(marks, begun + first)
        else:
            begun += first
        if others:
            last = others.pop()
            yield [begun, *others]
            begun = last
    yield [] if begun == "" else [begun]


class Ends:
    """Joins lines to records."""

    def __init__(self, reading: Reading, marks: Marks, cells: CellReader) -> None:
        self._reading = reading
        self._marks = marks
        self._cells = cells
        self._line = 1
        self._open = False
        self._held: list[str] = []
        self._count = 0
        self._size = 0

    def records(self, found: list[str | LongLine]) -> Iterator[Record | LargeRecord]:
        """The records that end within these lines."""
        first, quote, limit = self._marks.first, self._marks.parity, self._reading.max_record_bytes // 4
        for line in found:
            # A character has at most four bytes.
            if not self._count and isinstance(line, str) and len(line) <= limit:
                mark = first(line)
                if mark is None or (mark.group() == "\r" and mark.end() == len(line)):
                    yield Record(line if mark is None else line[:-1], self._line, simple=True)
                    self._line += 1
                    continue
                if quote and line.count(quote) % 2 == 0:
                    yield Record(line.removesuffix("\r"), self._line, simple=False)
                    self._line += 1
                    continue
            if self._ended(line):
                yield self._joined()

    def end(self) -> None:
        """Nothing follows.

        Raises:
            Refused: A quote has not been closed.
        """
        if self._count:
            raise broken(self._reading.origin, "a quote that is opened here is never closed", line=self._line)

    def _ended(self, line: str | LongLine) -> bool:
        """Take a line; whether a record ends with it."""
        if isinstance(line, LongLine):
            self._hold(line.beginning, line.size)
            self._open ^= line.odd
            return not self._open and not line.dangles
        odd = self._marks.odd(line)
        if odd and not self._count and not self._cells.opens(line):
            # The quote stands where none can: it opens nothing, and the next record begins with the next line.
            odd = False
        self._hold(line, len(line) if line.isascii() else len(encoded(line)))
        self._open ^= odd
        return not self._open and not self._marks.dangles(line)

    def _hold(self, text: str, size: int) -> None:
        kept = max(self._reading.max_record_bytes, MOST_SHOWN)
        before = self._size
        self._size += size + (1 if self._count else 0)
        self._count += 1
        if before <= kept:
            self._held.append(text)
        if before <= kept < self._size:
            self._held = ["\n".join(self._held)[:MOST_SHOWN]]

    def _joined(self) -> Record | LargeRecord:
        text, first, size = "\n".join(self._held), self._line, self._size
        self._line += self._count
        self._held, self._count, self._size = [], 0, 0
        limit = self._reading.max_record_bytes
        if size > limit:
            shown = Original(encoded(text)[:MOST_SHOWN], size)
            return LargeRecord(origin=self._reading.origin, begins=first, shown=shown, limit=limit)
        text = self._marks.without_return(text)
        return Record(text, first, simple=not self._marks.first(text))
