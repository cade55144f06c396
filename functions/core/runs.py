"""Runs: rows that were staged together, are sealed once, and become files by what was sealed alone.

A run is that of a stream, ended by a message; or a flush of a continuous stream, ended by size or age.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from functions.core.digests import digest
from functions.core.instants import Instant
from functions.core.streams import End, RecordMessage, Rows, StreamContext

SHARDS = "0123456789abcdef"
"""The items that share the counts and the seal of a run, so that no key of the ledger is hot."""

END = -2
"""The sequence of an end, which is staged like rows: its context names the file of a run without any."""

_NO_SEQUENCE = -1

_FLUSHES = bytes.fromhex("6ba7b8129dad11d180b400c04fd430c8")
"""The namespace of object identifiers: https://www.rfc-editor.org/rfc/rfc9562, section 6.6."""


class RunState(StrEnum):
    """`open` takes rows; `sealed` takes none, and waits for its delivery; `failed` waits for an operator."""

    OPEN = "open"
    SEALED = "sealed"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """The rows of one message: `length` bytes of a staging object, and what their place in the run follows from."""

    offset: int
    length: int
    rows: int
    sequence: int
    sent_ms: int
    identity: str

    @property
    def name(self) -> str:
        """What errors call the message."""
        return f"sequence {self.sequence}" if self.sequence >= 0 else f"message {self.identity[:8]}"


class Schema(msgspec.Struct, frozen=True, array_like=True):
    """Where in a staging object the JSON Schema of a stream lies; equal ones have equal digests."""

    offset: int
    length: int
    digest: str


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows of one run and one context in a staging object.

    `number` tells the parts of an object apart; `schema` is what the messages say of their rows; `started_at` is
    the least that they say.
    """

    key: str
    number: int
    context: StreamContext
    pieces: tuple[Piece, ...]
    schema: Schema | None = None
    started_at: Instant | None = None

    @property
    def tally(self) -> "Tally":
        """What it adds to its run."""
        messages = [piece for piece in self.pieces if piece.sequence != END]
        return Tally(
            messages=len(messages),
            sequences=sum(piece.sequence for piece in messages),
            rows=sum(piece.rows for piece in messages),
            bytes=sum(piece.length for piece in messages),
        )

    def without(self, identities: Iterable[str]) -> "Part":
        """The part without the rows of these messages."""
        gone = frozenset(identities)
        kept = tuple(piece for piece in self.pieces if piece.identity not in gone)
        return msgspec.structs.replace(self, pieces=kept)


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What a run holds; `sequences` is the sum of the messages' sequences."""

    messages: int = 0
    sequences: int = 0
    rows: int = 0
    bytes: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Ending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the end of a run says."""

    batches: int
    records_total: int | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run as the ledger has it; times are seconds since the epoch.

    `id` is `<destination>:<32 hexadecimal digits>`. `flush` is the number of a continuous stream's flush, None for
    a run that a message ends. `look_at` is when the planner next looks after its delivery; `leased_until` and
    `lease` say who is at work on it; `attempts` counts the deliveries that began since one last ended in order;
    `keys` are those of the first files. Every change counts the `revision` up by one.
    """

    id: str
    connection_id: str
    stream_id: str
    stream_name: str
    created_at: int
    stream_run_id: str
    connection_run_id: str | None = None
    flush: int | None = None
    state: RunState = RunState.OPEN
    ending: Ending | None = None
    tally: Tally = Tally()
    version: int | None = None
    sealed_at: int | None = None
    look_at: int = 0
    leased_until: int = 0
    lease: str = ""
    attempts: int = 0
    done_at: int | None = None
    files: int = 0
    file_bytes: int = 0
    keys: tuple[str, ...] = ()
    revision: int = 0

    @property
    def destination(self) -> str:
        """The destination that it is for."""
        return self.id.partition(":")[0]

    @property
    def digest(self) -> str:
        """What tells it from the other runs for the destination."""
        return self.id.partition(":")[2]

    @property
    def stream(self) -> str:
        """The id of its stream: what the flushes of a continuous stream have in common."""
        return _id(self.destination, self.connection_id, self.stream_id)


def stream_of(message: RecordMessage) -> str:
    """The id of the stream that a message belongs to."""
    return _id(message.destination_id, message.connection_id, message.stream_id)


def run_of(message: RecordMessage) -> str:
    """The id of the run that a message belongs to, of a stream that is not continuous."""
    names = (message.connection_id, message.context.connection_run_id or "", message.stream_id)
    return _id(message.destination_id, *names, message.context.stream_run_id or "")


def flush_of(stream: str, number: int) -> str:
    """The id of a flush of a continuous stream."""
    destination, _, digest = stream.partition(":")
    return _id(destination, digest, str(number))


def new_run(message: RecordMessage, *, id: str, now: int, flush: int | None) -> Run:  # noqa: A002 - the field's name
    """The run that begins with this message."""
    own = message.context.stream_run_id
    return Run(
        id=id,
        connection_id=message.connection_id,
        stream_id=message.stream_id,
        stream_name=message.context.stream_name,
        connection_run_id=message.context.connection_run_id,
        stream_run_id=own if flush is None and own is not None else _uuid5(id),
        flush=flush,
        created_at=now,
    )


def ending_of(end: End) -> Ending:
    """What the ledger keeps of an end."""
    return Ending(batches=end.batches, records_total=end.records_total)


def piece_of(message: Rows | End, *, offset: int) -> Piece:
    """The rows of a message as they lie in a staging object."""
    rows = message if isinstance(message, Rows) else None
    return Piece(
        offset=offset,
        length=len(rows.lines) if rows else 0,
        rows=rows.count if rows else 0,
        sequence=END if rows is None else _NO_SEQUENCE if rows.sequence is None else rows.sequence,
        sent_ms=message.sent.nanoseconds // 1_000_000,
        identity=digest(message.identity),
    )


def complete(ending: Ending, tally: Tally) -> bool:
    """Whether every message that the end counts is there, or more than it counts."""
    return tally.messages > ending.batches or _exact(ending, tally)


def _exact(ending: Ending, tally: Tally) -> bool:
    """Whether the messages are those that the end counts.

    Each sequence is counted once, so that n different ones whose sum is 0 + 1 + … + (n - 1) are just these.
    """
    count = ending.batches
    return tally.messages == count and tally.sequences == count * (count - 1) // 2


def fault_of(ending: Ending, tally: Tally) -> str:
    """What is wrong with a run that is complete; empty where the end says what was staged."""
    if not _exact(ending, tally):
        return f"the end says that the run has {ending.batches} messages; there are {tally.messages}"
    if ending.records_total is not None and ending.records_total != tally.rows:
        return f"the end says that the run has {ending.records_total} rows; its messages hold {tally.rows}"
    return ""


def in_order(parts: Iterable[Part]) -> list[tuple[Part, Piece]]:
    """All pieces in the order of their rows: runs as they began, in a run by sequence, then as they were sent."""
    pieces = [(part, piece) for part in parts for piece in part.pieces]
    began: dict[str | None, int] = {}
    for part, piece in pieces:
        run = part.context.stream_run_id
        began[run] = min(piece.sent_ms, began.get(run, piece.sent_ms))

    def place(each: tuple[Part, Piece]) -> tuple[int, str, int, int, str]:
        part, piece = each
        run = part.context.stream_run_id
        return began[run], run or "", piece.sequence, piece.sent_ms, piece.identity

    return sorted(pieces, key=place)


def _id(destination: str, *names: str) -> str:
    return f"{destination}:{digest(*names)}"


def _uuid5(name: str) -> str:
    """RFC 9562, section 5.5; `uuid` is not the core's, since it also makes ids by chance."""
    number = bytearray(hashlib.sha1(_FLUSHES + name.encode(), usedforsecurity=False).digest()[:16])
    number[6] = number[6] & 0x0F | 0x50
    number[8] = number[8] & 0x3F | 0x80
    text = number.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
