"""Text out of bytes: UTF-8 with or without a byte order mark, UTF-16 with one."""

import codecs
from collections.abc import Iterator

from functions.core.formats.faults import broken
from functions.core.formats.rows import CHUNK
from functions.core.formats.streams import Source

_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_MARK_BYTES = 4


_LENIENT = {"utf-8": "surrogateescape"}
"""What is made of bytes that are no UTF-8; in UTF-16 that can only be a half of a pair by itself."""


def decoded(stream: Source, *, encoding: str, origin: str, lenient: bool = False) -> Iterator[str]:
    """The text of a stream in pieces, without its byte order mark.

    A mark of UTF-16 is obeyed whatever `encoding` says: no UTF-8 begins so. Where it is `lenient`, what is no
    Unicode is halves of surrogate pairs, which nothing else is.

    Raises:
        Refused: The bytes are not what they should be, with the line at which they are not.
    """
    first = _first(stream)
    mark = first[:2]
    if encoding == "utf-16" and mark not in _UTF_16:
        raise broken(origin, "there is no byte order mark, which UTF-16 needs", line=1)
    name = _UTF_16.get(mark, "utf-8")
    chunk = first[2:] if mark in _UTF_16 else first.removeprefix(codecs.BOM_UTF8)
    errors = _LENIENT.get(name, "surrogatepass") if lenient else "strict"
    decoder = codecs.getincrementaldecoder(name)(errors)
    line = 1
    while True:
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise _undecodable(error, name, origin, line) from None
        yield text
        if not chunk:
            return
        line += text.count("\n")
        chunk = stream.read(CHUNK)


def is_unicode(text: str) -> bool:
    """Whether text that was decoded leniently is text."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def encoded(text: str) -> bytes:
    """The bytes of text that was decoded leniently: those of the file, where it is UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _first(stream: Source) -> bytes:
    first = b""
    # A stream may give fewer bytes than it is asked for, and the mark must not be cut.
    while len(first) < _MARK_BYTES and (more := stream.read(CHUNK)):
        first += more
    return first


def _undecodable(error: UnicodeDecodeError, name: str, origin: str, line: int) -> Exception:
    before = error.object[: error.start].decode(name)
    shown = name.upper().removesuffix("-LE").removesuffix("-BE")
    column = len(before) - before.rfind("\n")
    return broken(
        origin,
        f"this is not {shown}: {error.reason} at character {column} of the line",
        line=line + before.count("\n"),
        column=column,
        cure="say its `encoding`, or turn it into UTF-8 first",
    )
