"""JSON: one array of objects, read object by object."""

import re
from collections.abc import Iterator

from functions.core.errors import Refused
from functions.core.formats import json_lines, json_values
from functions.core.formats.faults import broken, oversized
from functions.core.formats.records import Records
from functions.core.formats.rows import CHUNK, JsonBatch, Reading
from functions.core.formats.streams import Source

_SPACE = re.compile(rb"[ \t\n\r]*")
# Strings are passed over whole; possessive, so that what is cut off at the end of a buffer costs one look.
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+[{}\[\]]', re.DOTALL)
_OPENING = b"{["
_MARK = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)


def read(stream: Source, reading: Reading) -> Iterator[JsonBatch]:
    """The objects of a stream that is one array.

    Raises:
        Refused: It is no array of JSON objects, ends early, or a record is too large.
    """
    records: list[bytes] = []
    lines: list[int] = []
    size = 0
    for line, record in objects(stream, reading):
        lines.append(line)
        records.append(json_values.compact(record, reading.origin, line))
        size += len(record)
        if size >= CHUNK:
            yield JsonBatch.of(reading.origin, lines, records)
            records, lines, size = [], [], 0
    yield JsonBatch.of(reading.origin, lines, records)


def objects(stream: Source, reading: Reading) -> Iterator[tuple[int, bytes]]:
    """The text of each object of an array, with the line that it begins at.

    Raises:
        Refused: It is no array of what brackets make objects, ends early, or a record is too large.
    """
    scanner = _Scanner(stream, reading)
    scanner.expect(b"[")
    yield from scanner.objects()
    scanner.end()


class _Scanner:
    """Finds where each object of an array ends, holding no more than it and a chunk."""

    def __init__(self, stream: Source, reading: Reading) -> None:
        self._chunks = json_lines.chunks(stream, reading.origin)
        self._reading = reading
        self._buffer = b""
        self._at = 0
        self._line = 1

    def expect(self, wanted: bytes) -> bytes:
        """Pass over space and one of the `wanted` characters."""
        found = self._next()
        if found not in wanted or not found:
            raise self._broken(f"{' or '.join(chr(each) for each in wanted)} expected", found)
        self._at += 1
        return found

    def objects(self) -> Iterator[tuple[int, bytes]]:
        """Each object with the line that it begins at, to the end of the array."""
        if self._next() == b"]":
            self._at += 1
            return
        while True:
            if self._next() != b"{":
                raise self._broken("an object expected", self._next())
            line = self._line
            yield line, self._object(line)
            if self.expect(b",]") == b"]":
                return

    def end(self) -> None:
        """Nothing follows the array."""
        if found := self._next():
            raise self._broken("the end of the file expected", found)

    def _next(self) -> bytes:
        """The next character that is no space; empty at the end."""
        while True:
            space = _SPACE.match(self._buffer, self._at)
            self._advance(space.end() if space else self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._more():
                return b""

    def _object(self, line: int) -> bytes:
        start = at = self._at
        depth = 0
        while True:
            bracket = _TO_BRACKET.match(self._buffer, at)
            if bracket is None:
                at, start = at - start, 0
                if not self._more():
                    raise broken(self._reading.origin, "the file ends within this object", line=line)
                if len(self._buffer) > self._reading.max_record_bytes:
                    self._refuse_large(self._size(at, depth), line)
                continue
            at = bracket.end()
            depth += 1 if self._buffer[at - 1] in _OPENING else -1
            if depth == 0:
                record = self._buffer[start:at]
                self._refuse_large(len(record), line)
                self._advance(at)
                return record

    def _refuse_large(self, size: int, line: int) -> None:
        limit = self._reading.max_record_bytes
        if size > limit:
            raise oversized(self._reading.origin, line=line, size=size, limit=limit)

    def _size(self, at: int, depth: int) -> int:
        """The size of an object that goes on, without keeping it; `at` is behind its last bracket so far."""
        size, data, quoted = at, self._buffer[at:], False
        while data:
            for mark in _MARK.finditer(data):
                if mark[0] == b'"':
                    quoted = not quoted
                elif not quoted and mark[0][:1] != b"\\":
                    depth += 1 if mark[0] in _OPENING else -1
                if depth == 0:
                    return size + mark.end()
            size += len(data)
            data = next(self._chunks, b"")
        return size

    def _advance(self, at: int) -> None:
        self._line += self._buffer.count(b"\n", self._at, at)
        self._at = at

    def _more(self) -> bool:
        """Read on, and forget what lies behind; doubled, what is looked at again costs no more than the new."""
        pieces, size = [self._buffer[self._at :]], 0
        while size <= len(pieces[0]) and (chunk := next(self._chunks, b"")):
            pieces.append(chunk)
            size += len(chunk)
        self._buffer = b"".join(pieces)
        self._at = 0
        return size > 0

    def _broken(self, message: str, found: bytes) -> Refused:
        what = f"{found.decode(errors='replace')!r} found" if found else "the file ends here"
        return broken(self._reading.origin, f"{message}; {what}", line=self._line)


class JsonArray(json_lines.JsonLines):
    """Rows as one array, an object a line."""

    head = b"[\n"
    lead = b",\n"
    tail = b"\n]\n"

    def _laid_out(self, batch: JsonBatch) -> Records:
        """Each object behind a comma and a line feed, of which there are no others outside strings."""
        return Records.of([self.lead + record for record in batch.records])
