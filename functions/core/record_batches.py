"""Rows packed into record messages: a function of rows and ids alone, so that a repetition sends the same."""

from collections.abc import Sequence

import msgspec

from functions.core.outgoing import Outgoing

BODY_BYTES = 1_000_000
"""Of a full message; what is left of SQS's 1 MiB is for the attributes with which a failure is sent again."""

_LEAST_ROOM = BODY_BYTES // 2
"""For the rows of a message, however large the schema is; with a larger one, bodies go by the bucket."""

_AROUND = len(',"sequence":9007199254740991,"records":[]}')


class StreamRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one stream, as all of its messages name it; instants are RFC 3339."""

    destination_id: str
    connection_id: str
    connection_run_id: str
    stream: str
    stream_run_id: str
    started_at: str
    cursor: str | None = None

    def head(self, schema: bytes | None) -> bytes:
        """The members that all messages have, as the beginning of an object of JSON."""
        stream = {"id": self.stream, "name": self.stream}
        members = {
            "destination_id": self.destination_id,
            "connection_id": self.connection_id,
            "connection_run_id": self.connection_run_id,
            "stream": stream if schema is None else stream | {"schema": msgspec.Raw(schema)},
            "stream_run_id": self.stream_run_id,
            "cursor": self.cursor,
            "started_at": self.started_at,
        }
        given = {name: value for name, value in members.items() if value is not None}
        return msgspec.json.encode(given).removesuffix(b"}")


class Flush(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that go together: once they are accepted, all `rows` so far are, and `state` covers no others."""

    messages: Sequence[Outgoing]
    rows: int
    state: bytes | None = None


class RecordBatches:
    """The rows of one run on their way into messages; `schema` is JSON Schema, as text, or None."""

    def __init__(self, run: StreamRun, schema: bytes | None = None) -> None:
        self.run = run
        self.batches = 0
        self.rows = 0
        self._records: list[bytes] = []
        self._size = 0
        self._describe(schema)

    @property
    def schema(self) -> bytes | None:
        """The schema of the rows from here on."""
        return self._schema

    def describe(self, schema: bytes | None) -> list[Outgoing]:
        """Give the rows from here on another schema; those before leave with theirs."""
        if schema == self._schema:
            return []
        left = self.flush()
        self._describe(schema)
        return left

    def takes(self, record: bytes) -> bool:
        """Whether the message that is being packed has room; an empty one takes a record of any size."""
        return not self._records or self._size + len(record) < self._room

    def add(self, record: bytes) -> None:
        """Pack a row, which is one object of JSON."""
        self._records.append(record)
        self._size += len(record) + 1
        self.rows += 1

    def flush(self) -> list[Outgoing]:
        """The message of what is packed, if there is anything."""
        if not self._records:
            return []
        rows = b",".join(self._records)
        message = self._message(b',"sequence":%d,"records":[%b]}' % (self.batches, rows))
        self.batches += 1
        self._records, self._size = [], 0
        return [message]

    def end(self) -> Outgoing:
        """The end of the run, after the last flush."""
        return self._message(b',"end":true,"batches":%d,"records_total":%d}' % (self.batches, self.rows))

    def _describe(self, schema: bytes | None) -> None:
        self._schema = schema
        self._head = self.run.head(schema)
        self._room = max(BODY_BYTES - len(self._head) - _AROUND, _LEAST_ROOM)

    def _message(self, rest: bytes) -> Outgoing:
        return Outgoing(body=(self._head + rest).decode(), group=self.run.destination_id)
