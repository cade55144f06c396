"""Staging objects: rows of many runs, written at once, read again run by run as ranges of bytes."""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from functions.adapters.objects import Bucket, Content
from functions.core.errors import Code, Permanent, Transient
from functions.core.runs import Part, Piece, Schema

PREFIX = "parts/"
"""Where this deployment's data bucket holds them."""

_LINES = Content(type="application/x-ndjson")
_AHEAD = 4
_READ_BYTES = 8 * 1024 * 1024
"""Bytes that one request reads at most, where pieces lie one after the other; `_AHEAD` of them are held."""


class _Range(msgspec.Struct, kw_only=True):
    """Pieces that lie one after the other in an object."""

    key: str
    start: int
    length: int
    pieces: list[Piece]


class Parts:
    """The staging objects of this deployment."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def name(self) -> str:
        """The key of a staging object that there has never been."""
        return f"{PREFIX}{secrets.token_hex(16)}.jsonl"

    def put(self, key: str, body: bytes) -> None:
        """Write a staging object.

        Raises:
            Transient: S3 cannot do it now, or our own bucket refuses it.
        """
        try:
            self._bucket.put(key, body, content=_LINES)
        except Permanent as error:
            raise Transient(error.code, f"our own bucket: {error}") from None

    def read(self, pieces: Iterable[tuple[Part, Piece]]) -> Iterator[tuple[str, bytes]]:
        """The lines of these pieces in their order, each with the name of its message; some are read ahead.

        Raises:
            Permanent: `MISSING_FILE`; they have been kept for as long as they are.
            Transient: S3 cannot be read now.
        """
        with ThreadPoolExecutor(_AHEAD) as readers:
            under_way: deque[tuple[_Range, Future[bytes]]] = deque()
            for wanted in _ranges(pieces):
                if wanted.length > _READ_BYTES:
                    while under_way:
                        yield from _cut(*under_way.popleft())
                    yield from self._slices(wanted)
                    continue
                under_way.append((wanted, readers.submit(self._bytes, wanted)))
                if len(under_way) > _AHEAD:
                    yield from _cut(*under_way.popleft())
            while under_way:
                yield from _cut(*under_way.popleft())

    def schema(self, key: str, place: Schema) -> bytes:
        """A JSON Schema that came with rows.

        Raises:
            As `read`.
        """
        return self._bytes(_Range(key=key, start=place.offset, length=place.length, pieces=[]))

    def _slices(self, wanted: _Range) -> Iterator[tuple[str, bytes]]:
        """The lines of one large piece, a request at a time: several of these would not fit into memory."""
        [piece] = wanted.pieces
        rest, rows = b"", 1
        for start in range(wanted.start, wanted.start + wanted.length, _READ_BYTES):
            length = min(_READ_BYTES, wanted.start + wanted.length - start)
            data = rest + self._bytes(_Range(key=wanted.key, start=start, length=length, pieces=[]))
            end = data.rfind(b"\n") + 1
            lines, rest = data[:end], data[end:]
            if lines:
                yield f"{piece.name}, from row {rows} on", lines
                rows += lines.count(b"\n")

    def _bytes(self, wanted: _Range) -> bytes:
        if wanted.length == 0:
            return b""
        try:
            return self._bucket.get_range(wanted.key, start=wanted.start, length=wanted.length)
        except Permanent as error:
            if error.code not in {Code.MISSING_FILE, Code.MISSING_PERMISSION}:
                raise Transient(error.code, f"our own bucket: {error}") from None
            # Without the right to list, S3 answers 403 for what is not there.
            raise Permanent(Code.MISSING_FILE, "staged rows are no longer there") from None


def _ranges(pieces: Iterable[tuple[Part, Piece]]) -> Iterator[_Range]:
    """The requests that the pieces need: neighbours in one, up to its limit."""
    wanted: _Range | None = None
    for part, piece in pieces:
        if wanted and _follows(wanted, part, piece):
            wanted.length += piece.length
            wanted.pieces.append(piece)
            continue
        if wanted:
            yield wanted
        wanted = _Range(key=part.key, start=piece.offset, length=piece.length, pieces=[piece])
    if wanted:
        yield wanted


def _follows(wanted: _Range, part: Part, piece: Piece) -> bool:
    adjoins = wanted.key == part.key and wanted.start + wanted.length == piece.offset
    return adjoins and wanted.length + piece.length <= _READ_BYTES


def _cut(wanted: _Range, reading: Future[bytes]) -> Iterator[tuple[str, bytes]]:
    data, at = reading.result(), 0
    for piece in wanted.pieces:
        whole = len(wanted.pieces) == 1
        yield piece.name, data if whole else data[at : at + piece.length]
        at += piece.length
