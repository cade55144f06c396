"""A Singer target: what a tap writes, a message a line, becomes the record messages of one run a stream.

https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md. Records stay the text that they are, without
the space between their parts.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Literal

import msgspec

from functions.core.errors import Code, Fault, Refused
from functions.core.formats import json_values
from functions.core.formats.faults import broken
from functions.core.formats.json_lines import BYTE_ORDER_MARK
from functions.core.formats.rows import CHUNK, MAX_RECORD_BYTES, MEBIBYTE
from functions.core.outgoing import Outgoing
from functions.core.record_batches import Flush, RecordBatches

ORIGIN = "standard input"

_LINE_BYTES = MAX_RECORD_BYTES + MEBIBYTE
"""Of a line: the largest record, with what a message has around it."""

_NAME_CHARACTERS = 1_024
_PARTS = {"RECORD": "record", "SCHEMA": "schema", "STATE": "value"}


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a line says: the record, schema or state as compact JSON; ACTIVATE_VERSION says nothing to files."""

    type: Literal["RECORD", "SCHEMA", "STATE", "ACTIVATE_VERSION"]
    stream: str = ""
    content: bytes = b""


class _Line(msgspec.Struct, gc=False):
    type: str
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw()
    schema: msgspec.Raw = msgspec.Raw()
    value: msgspec.Raw = msgspec.Raw()


class Target:
    """The streams of one input; `begin` gives a stream's run with its schema, `note` hears what is left out."""

    def __init__(self, begin: Callable[[str, bytes], RecordBatches], note: Callable[[str], None]) -> None:
        self.streams: dict[str, RecordBatches] = {}
        self._begin = begin
        self._note = note
        self._state: bytes | None = None
        self._noted: set[str] = set()

    def flushes(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[Flush]:
        """What is to be sent: all that is packed, whenever a message is full, and at last the ends of all runs.

        A state comes with the flush that holds the last row before it. Nothing here depends on time.

        Raises:
            Refused: A line is no message that can be taken; what was flushed before is in order.
        """
        for number, line in lines:
            message = parse(line, number)
            if message.type == "RECORD":
                batches = self._known(message, number)
                if not batches.takes(message.content):
                    yield self._flush([])
                batches.add(message.content)
            elif message.type == "SCHEMA":
                yield from self._described(message)
            elif message.type == "STATE":
                self._state = message.content
            elif message.stream not in self._noted:
                self._noted.add(message.stream)
                self._note(
                    f"ACTIVATE_VERSION of `{message.stream}` is passed over: files only ever gain rows"
                )
        last = self._flush([])
        ends = [each.end() for each in self.streams.values()]
        yield msgspec.structs.replace(last, messages=[*last.messages, *ends])

    def _known(self, message: Message, number: int) -> RecordBatches:
        found = self.streams.get(message.stream)
        if found is None:
            raise broken(ORIGIN, f"a RECORD of `{message.stream}` comes before its SCHEMA", line=number)
        return found

    def _described(self, message: Message) -> Iterator[Flush]:
        found = self.streams.get(message.stream)
        if found is None:
            self.streams[message.stream] = self._begin(message.stream, message.content)
        elif left := found.describe(message.content):
            yield self._flush(left)

    def _flush(self, messages: list[Outgoing]) -> Flush:
        for each in self.streams.values():
            messages += each.flush()
        state, self._state = self._state, None
        return Flush(messages=messages, rows=self._rows(), state=state)

    def _rows(self) -> int:
        return sum(each.rows for each in self.streams.values())


def numbered(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines of a stream that are not blank, with their numbers.

    Raises:
        Refused: A line is too long, or the last one is cut.
    """
    number, line = 1, stream.readline(_LINE_BYTES).removeprefix(BYTE_ORDER_MARK)
    while line:
        if len(line) >= _LINE_BYTES and not line.endswith(b"\n"):
            raise _too_large(number, "line", len(line) + _rest(stream))
        if not line.endswith(b"\n"):
            _refuse_cut(line, number)
        if not line.isspace():
            yield number, line
        number, line = number + 1, stream.readline(_LINE_BYTES)


def parse(line: bytes, number: int) -> Message:
    """The message of a line; `number` counts from 1.

    Raises:
        Refused: It is none, or one that is not taken; a record is too large.
    """
    try:
        if not line.isascii():
            line.decode()
        given = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # The slower way says what is wrong with the JSON, if that is what is wrong.
        json_values.compact(line, ORIGIN, number)
        why = str(error).replace("`$.", "`").replace(" - at `$`", "")
        raise broken(ORIGIN, f"this is no Singer message: {why}", line=number) from None
    if given.type in {"RECORD", "SCHEMA"} and not 0 < len(given.stream) <= _NAME_CHARACTERS:
        message = f"this {given.type} needs a `stream` of 1 to {_NAME_CHARACTERS} characters"
        raise broken(ORIGIN, message, line=number)
    if given.type == "RECORD":
        return Message(type="RECORD", stream=given.stream, content=_record(given, number))
    return _other(given, number)


def _record(given: _Line, number: int) -> bytes:
    if not (record := bytes(given.record)):
        raise broken(ORIGIN, "this RECORD has no `record`", line=number)
    record = json_values.compact(record, ORIGIN, number)
    if len(record) > MAX_RECORD_BYTES:
        raise _too_large(number, "record", len(record))
    return record


def _other(given: _Line, number: int) -> Message:
    if given.type == "SCHEMA":
        if not given.schema:
            raise broken(ORIGIN, "this SCHEMA has no `schema`", line=number)
        schema = json_values.compact(bytes(given.schema), ORIGIN, number)
        return Message(type="SCHEMA", stream=given.stream, content=schema)
    if given.type == "STATE":
        if not given.value:
            raise broken(ORIGIN, "this STATE has no `value`", line=number)
        return Message(type="STATE", content=msgspec.json.format(bytes(given.value), indent=-1))
    if given.type == "ACTIVATE_VERSION":
        return Message(type="ACTIVATE_VERSION", stream=given.stream)
    if given.type == "BATCH":
        cure = "leave `batch_config` out of the tap's settings, so that it writes RECORD messages"
        raise broken(
            ORIGIN, "BATCH messages point to files of the tap and are not taken", line=number, cure=cure
        )
    raise broken(ORIGIN, f"there is no message of type {given.type[:40]!a} in Singer", line=number)


def _refuse_cut(line: bytes, number: int) -> None:
    """A last line needs no line feed, but must be whole."""
    if line.isspace():
        return
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.MsgspecError:
        message = "the input ends within this line: the tap has stopped before it was done"
        raise broken(ORIGIN, message, line=number, cure="see what the tap says, and run it again") from None


def _rest(stream: BinaryIO) -> int:
    """The bytes up to the end of the line, without keeping them."""
    size = 0
    while piece := stream.readline(CHUNK):
        size += len(piece.removesuffix(b"\n"))
        if piece.endswith(b"\n"):
            break
    return size


def _too_large(number: int, what: str, size: int) -> Refused:
    message = f"the {what} has {size} bytes; a record may have {MAX_RECORD_BYTES}"
    cure = "deselect the large field in the tap's catalog"
    return Refused([Fault(code=Code.TOO_LARGE, path=ORIGIN, line=number, message=message, cure=cure)])


_DECODER = msgspec.json.Decoder(_Line)
