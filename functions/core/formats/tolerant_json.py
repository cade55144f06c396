"""JSON records, read on past broken ones: an object a line, or the objects of an array."""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from functions.core.formats import json_array, json_digits, json_lines, json_values
from functions.core.formats.faults import Unheld
from functions.core.formats.rows import CHUNK, Reading, Row
from functions.core.formats.streams import Source
from functions.core.formats.tolerant import MOST_SHOWN, LargeRecord, Original, Reason, RecordBatch, Unread

_FRACTION = re.compile(rb"[:,\[]\s*-?[0-9]+[.eE]")
_SAMPLE = 10
_FEW_FRACTIONS = 4
"""Of a record: a look at 400 bytes takes as long as five of them take to be read to the last digit."""


class TextBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Records as the text that they are."""

    origin: str
    lines: Sequence[int]
    texts: list[bytes]

    def __len__(self) -> int:
        return len(self.texts)

    def line(self, place: int) -> int:
        """The line that a record begins at."""
        return self.lines[place]

    def sizes(self) -> Sequence[int]:
        """The length of each."""
        return list(map(len, self.texts))

    def records(self) -> Iterator[Row | Unread]:
        """The records; no number is rounded."""
        few = self._has_many_fractions() and json_digits.few(b"\n".join(self.texts))
        decode = json_values.decode_rounding if few else json_values.decode_exactly
        for text in self.texts:
            try:
                yield decode(text)
            except json_values.UNREADABLE:
                yield _exactly(text)

    def _has_many_fractions(self) -> bool:
        """Whether a look at all digits is cheaper than a question about each fraction, by the first records."""
        some = self.texts[:_SAMPLE]
        return len(_FRACTION.findall(b"\n".join(some))) > _FEW_FRACTIONS * len(some)

    def original(self, place: int) -> Original:
        """The text of a record."""
        return Original.of(self.texts[place])

    def cut(self, start: int, end: int) -> "TextBatch":
        """Some of the records."""
        return TextBatch(origin=self.origin, lines=self.lines[start:end], texts=self.texts[start:end])


def read_lines(stream: Source, reading: Reading) -> Iterator[RecordBatch]:
    """The records of a stream that has one a line; empty lines are passed over.

    Raises:
        Refused: It is UTF-16, or the stream is damaged.
    """
    number, begun = 1, _Begun(reading.max_record_bytes)
    for chunk in json_lines.chunks(stream, reading.origin):
        first, *others = chunk.split(b"\n")
        begun.add(first)
        if others:
            last = others.pop()
            yield from _ended(begun, others, number, reading)
            number += len(others) + 1
            begun.add(last)
    yield from _ended(begun, [], number, reading)


def read_array(stream: Source, reading: Reading) -> Iterator[RecordBatch]:
    """The objects of a stream that is one array.

    Raises:
        Refused: It is no array of JSON objects, ends early, or a record is too large: what follows is then not
            told from what stands within it.
    """
    texts: list[bytes] = []
    lines: list[int] = []
    size = 0
    for line, text in json_array.objects(stream, reading):
        texts.append(text)
        lines.append(line)
        size += len(text)
        if size >= CHUNK:
            yield TextBatch(origin=reading.origin, lines=lines, texts=texts)
            texts, lines, size = [], [], 0
    yield TextBatch(origin=reading.origin, lines=lines, texts=texts)


class _Begun:
    """A line that has not ended yet; of one that is too large, its beginning."""

    def __init__(self, limit: int) -> None:
        self._kept = max(limit, MOST_SHOWN)
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> None:
        """The line goes on."""
        before, self._size = self._size, self._size + len(part)
        if before <= self._kept:
            self._parts.append(part)
        if before <= self._kept < self._size:
            self._parts = [b"".join(self._parts)[:MOST_SHOWN]]

    def end(self) -> Original:
        """The line, and begin the next."""
        line = Original(b"".join(self._parts), self._size)
        self._parts, self._size = [], 0
        return line


def _ended(begun: "_Begun", others: list[bytes], number: int, reading: Reading) -> Iterator[RecordBatch]:
    """The records of a line that has ended, and of others behind it."""
    line = begun.end()
    if line.size > reading.max_record_bytes:
        yield _large(line, number, reading)
        yield from _batches(others, number + 1, reading) if others else ()
    else:
        yield from _batches([line.text, *others], number, reading)


def _batches(lines: list[bytes], first: int, reading: Reading) -> Iterator[RecordBatch]:
    """The records of some lines."""
    limit = reading.max_record_bytes
    if max(map(len, lines)) <= limit:
        yield from _batch(lines, first, reading)
        return
    start = 0
    for place, line in enumerate(lines):
        if len(line) > limit:
            yield from _batch(lines[start:place], first + start, reading)
            yield _large(Original.of(line), first + place, reading)
            start = place + 1
    yield from _batch(lines[start:], first + start, reading)


def _batch(lines: list[bytes], first: int, reading: Reading) -> Iterable[TextBatch]:
    texts = [line for line in lines if line and not line.isspace()]
    places: Sequence[int] = range(first, first + len(lines))
    if len(texts) < len(lines):
        places = [place for place, line in enumerate(lines, first) if line and not line.isspace()]
    return [TextBatch(origin=reading.origin, lines=places, texts=texts)] if texts else []


def _large(shown: Original, line: int, reading: Reading) -> LargeRecord:
    return LargeRecord(origin=reading.origin, begins=line, shown=shown, limit=reading.max_record_bytes)


def _exactly(text: bytes) -> Row | Unread:
    """A record whose numbers may need to be more than doubles, or what is wrong with it."""
    try:
        return json_values.decode_exactly(text)
    except json_values.UNREADABLE as error:
        return Unread(_reason(text, error), json_values.diagnosed(text, error, "", 1).faults[0].message)


def _reason(text: bytes, error: Exception) -> Reason:
    if isinstance(error, RecursionError):
        return Reason.TOO_DEEP
    if isinstance(error, UnicodeDecodeError) or json_values.LONE_SURROGATE.search(text):
        return Reason.NO_UNICODE
    if isinstance(error, Unheld):
        return Reason.VALUE
    if isinstance(error, msgspec.ValidationError):
        if text.lstrip().startswith(b"{"):
            return Reason.VALUE
        return Reason.NO_OBJECT if _is_json(text) else Reason.NO_JSON
    return Reason.NO_JSON


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.format(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True
