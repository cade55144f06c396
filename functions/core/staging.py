"""How the rows of many messages lie in one staging object: those of one run and one context side by side."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from functions.core.definitions.intake import Intake
from functions.core.digests import digest
from functions.core.errors import Code, Permanent
from functions.core.instants import Instant
from functions.core.runs import Part, Schema, piece_of, run_of, stream_of
from functions.core.streams import End, Rows, StreamContext


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is to be staged.

    `scope` is within what it may be repeated: its run, or, of a `continuous` stream, the stream.
    """

    message: Rows | End
    scope: str
    continuous: bool


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A part that is to be committed, and its messages, in the order of its pieces."""

    part: Part
    messages: tuple[Rows | End, ...]
    scope: str
    continuous: bool


def arrival(message: Rows | End, intake: Intake) -> Arrival:
    """Where the rows of a message belong.

    Raises:
        Permanent: `BAD_MESSAGE`; its run cannot be told.
    """
    if intake.flush is not None:
        return Arrival(message=message, scope=stream_of(message), continuous=True)
    if message.context.stream_run_id is None:
        raise _bad("`stream_run_id` is missing, and the destination has no `flush`: rows belong to a run")
    if isinstance(message, Rows) and message.sequence is None:
        raise _bad("`sequence` is missing, and the destination has no `flush`: a run counts its messages")
    return Arrival(message=message, scope=run_of(message), continuous=False)


def laid_out(arrivals: Iterable[Arrival], *, key: str, most: int) -> tuple[bytes, list[Load]]:
    """The bytes of the staging object of this key, and its parts, of at most so many messages each."""
    groups: defaultdict[tuple[str, StreamContext, bytes | None], list[Arrival]] = defaultdict(list)
    for each in arrivals:
        groups[each.scope, each.message.context, each.message.schema].append(each)
    chunks: list[bytes] = []
    loads: list[Load] = []
    offset = 0
    for (scope, context, schema), group in groups.items():
        place = None
        if schema is not None:
            place = Schema(offset, len(schema), digest(schema.decode()))
            chunks.append(schema + b"\n")
            offset += len(schema) + 1
        ordered = sorted(group, key=lambda each: each.message.place)
        for some in _some(ordered, most):
            pieces = []
            for each in some:
                pieces.append(piece_of(each.message, offset=offset))
                if isinstance(each.message, Rows):
                    chunks.append(each.message.lines)
                    offset += len(each.message.lines)
            part = Part(
                key=key,
                number=len(loads),
                context=context,
                pieces=tuple(pieces),
                schema=place,
                started_at=_least(each.message.started_at for each in some),
            )
            messages = tuple(each.message for each in some)
            loads.append(Load(part=part, messages=messages, scope=scope, continuous=some[0].continuous))
    return b"".join(chunks), loads


def _some(arrivals: list[Arrival], most: int) -> Iterator[list[Arrival]]:
    rest = iter(arrivals)
    while some := list(islice(rest, most)):
        yield some


def _least(instants: Iterable[Instant | None]) -> Instant | None:
    return min((each for each in instants if each is not None), default=None)


def _bad(text: str) -> Permanent:
    return Permanent(Code.BAD_MESSAGE, text)
