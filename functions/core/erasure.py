"""Events of a user taken out of a part of the event store, which keeps its name and its other lines as they are."""

import io
from collections.abc import Iterator

import msgspec

from functions.core.compression import GzipReader, GzipWriter
from functions.core.event_groups import PREFIX, EventPart
from functions.core.formats.faults import broken
from functions.core.profiles import Kind, Subject

_BLOCK = 1024 * 1024


class _Who(msgspec.Struct, frozen=True):
    """Of a record, whose it is."""

    user_id: str | None = None
    device_id: str | None = None


_who = msgspec.json.Decoder(_Who).decode


class Cleared(msgspec.Struct, frozen=True, kw_only=True):
    """A part without a user's events: its new content, what it holds, and how many events were taken out."""

    body: bytes
    events: int
    bytes: int
    removed: int

    def of(self, part: EventPart) -> EventPart:
        """What the ledger is to say of the part now."""
        return msgspec.structs.replace(part, events=self.events, bytes=self.bytes, compressed=len(self.body))


def prefix_of(project: int) -> str:
    """Where the event store has the parts of a project."""
    return f"{PREFIX}project_id={project}/"


def without(data: bytes, key: str, subject: Subject) -> Cleared | None:
    """A part without the events of a user, or of a device whose user is not known; None where it has none of them.

    Raises:
        Refused: The part is damaged; where is told.
    """
    try:
        if not any(_belongs(line, subject) for line in _lines(data, key)):
            return None
        return _cleared(data, key, subject)
    except msgspec.MsgspecError:
        raise broken(key, "a line of this part is no event") from None


def _cleared(data: bytes, key: str, subject: Subject) -> Cleared:
    target = io.BytesIO()
    gzip = GzipWriter(target)
    events = size = removed = 0
    for line in _lines(data, key):
        if _belongs(line, subject):
            removed += 1
            continue
        gzip.write(line + b"\n")
        events += 1
        size += len(line) + 1
    gzip.close()
    return Cleared(body=target.getvalue(), events=events, bytes=size, removed=removed)


def _belongs(line: bytes, subject: Subject) -> bool:
    found = _who(line)
    if subject.kind is Kind.USER:
        return found.user_id == subject.id
    return found.user_id is None and found.device_id == subject.id


def _lines(data: bytes, key: str) -> Iterator[bytes]:
    reader = GzipReader(io.BytesIO(data), key)
    rest = b""
    while block := reader.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest
