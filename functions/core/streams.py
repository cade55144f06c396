"""Record messages: rows of a stream, or the end of its run, as they are sent to the queue of records.

Rows are checked and carried; nobody parses one before it is turned into another format.
"""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from functions.core.errors import Code, Permanent, Refused
from functions.core.formats import json_values
from functions.core.formats.rows import MAX_RECORD_BYTES
from functions.core.instants import Instant

_Name = Annotated[str, Meta(min_length=1, max_length=1024)]
_Number = Annotated[int, Meta(ge=0, lt=2**53)]


class _Stream(msgspec.Struct, frozen=True, kw_only=True):
    id: _Name
    name: _Name
    schema: msgspec.Raw = msgspec.Raw(b"null")


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a body, of rows or of an end; others are allowed and ignored."""

    destination_id: _Name
    connection_id: _Name
    stream: _Stream
    connection_run_id: _Name | None = None
    stream_run_id: _Name | None = None
    cursor: str | None = None
    started_at: str | None = None
    id: _Name | None = None
    sequence: _Number | None = None
    records: list[msgspec.Raw] | None = None
    end: bool = False
    batches: _Number | None = None
    records_total: _Number | None = None


class StreamContext(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a file's name may hold of the messages whose rows are in it; rows of two contexts are kept apart."""

    stream_name: str
    connection_run_id: str | None = None
    stream_run_id: str | None = None
    cursor: Instant | None = None


class RecordMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What rows and an end have in common.

    `sent` is SQS's SentTimestamp; `identity` is the same at every repetition; `schema` is the stream's, as JSON.
    """

    destination_id: str
    connection_id: str
    stream_id: str
    context: StreamContext
    identity: str
    sent: Instant
    started_at: Instant | None = None
    schema: bytes | None = None

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it comes among the messages of its run or stream that arrived together."""
        return (-1, self.sent.nanoseconds, self.identity)


class Rows(RecordMessage, frozen=True, kw_only=True):
    """Some rows: `lines` holds `count` compact JSON objects, each with a line feed after it.

    `sequence` is the message's place within its run, from 0.
    """

    lines: bytes
    count: int
    sequence: int | None = None

    @property
    def place(self) -> tuple[int, int, str]:
        """As above; a sequence comes first."""
        return (-1 if self.sequence is None else self.sequence, self.sent.nanoseconds, self.identity)


class End(RecordMessage, frozen=True, kw_only=True):
    """The end of a run: how many messages of rows it has, and how many rows they hold, where that is told."""

    batches: int
    records_total: int | None = None


def parse_record_message(body: bytes, *, message_id: str, sent: Instant) -> Rows | End:
    """The rows, or the end, that this body is; `message_id` and `sent` are SQS's.

    Raises:
        Permanent: `BAD_MESSAGE`, or `TOO_LARGE` for a row; the text names what is at fault, never a value.
    """
    given = _decoded(body)
    common: Any = {
        "destination_id": given.destination_id,
        "connection_id": given.connection_id,
        "stream_id": given.stream.id,
        "context": StreamContext(
            stream_name=given.stream.name,
            connection_run_id=given.connection_run_id,
            stream_run_id=given.stream_run_id,
            cursor=_instant("cursor", given.cursor),
        ),
        "sent": sent,
        "started_at": _instant("started_at", given.started_at),
        "schema": _schema(given.stream.schema),
    }
    if given.end:
        if given.batches is None or given.records is not None:
            raise _bad("an end has `batches`, how many messages of rows there are, and no `records`")
        return End(**common, identity="end", batches=given.batches, records_total=given.records_total)
    if given.records is None:
        raise _bad("`records` is missing; the end of a run says `end`: true")
    return Rows(
        **common,
        identity=_identity(given, message_id),
        lines=_lines(given.records),
        count=len(given.records),
        sequence=given.sequence,
    )


def _decoded(body: bytes) -> _Body:
    try:
        return _DECODER.decode(json_values.compact(body, "", 1))
    except Refused as refused:
        fault = refused.faults[0]
        raise _bad(f"the body is not JSON that can be carried: {fault.message}") from None
    except msgspec.ValidationError as error:
        raise _bad(str(error).replace("`$.", "`").replace(" - at `$`", "")) from None
    except RecursionError:
        raise _bad("the body is nested too deeply") from None


def _identity(given: _Body, message_id: str) -> str:
    """What a repetition of the message has too: its place in its run, else its own id, else SQS's."""
    if given.stream_run_id is not None and given.sequence is not None:
        place = [given.connection_run_id, given.stream_run_id, given.sequence]
        return msgspec.json.encode(place).decode()
    return given.id or message_id


def _lines(records: list[msgspec.Raw]) -> bytes:
    if not records:
        return b""
    lines = b"\n".join(records) + b"\n"
    # Compact JSON holds no line feed, so what follows one is the beginning of a record.
    if not lines.startswith(b"{") or _NO_OBJECT.search(lines):
        place = next(place for place, each in enumerate(records) if bytes(each)[:1] != b"{")
        raise _bad(f"`records[{place}]` is not an object")
    if len(lines) > MAX_RECORD_BYTES:
        for place, each in enumerate(records):
            if (size := len(bytes(each))) > MAX_RECORD_BYTES:
                text = f"`records[{place}]` has {size} bytes; the limit is {MAX_RECORD_BYTES}"
                raise Permanent(Code.TOO_LARGE, text)
    return lines


_NO_OBJECT = re.compile(rb"\n[^{]")


def _schema(given: msgspec.Raw) -> bytes | None:
    schema = bytes(given)
    if schema == b"null":
        return None
    if not schema.startswith(b"{"):
        raise _bad("`stream.schema` is not a JSON Schema: an object with `properties`")
    return schema


def _instant(name: str, text: str | None) -> Instant | None:
    if text is None:
        return None
    try:
        return Instant.parse(text)
    except Permanent as error:
        raise _bad(error.text.replace("`time`", f"`{name}`")) from None


def _bad(text: str) -> Permanent:
    return Permanent(Code.BAD_MESSAGE, text)


_DECODER = msgspec.json.Decoder(_Body)
