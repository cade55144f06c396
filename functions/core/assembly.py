"""What files a sealed run becomes: which rows belong together, in which order, and what names are made of.

Everything here follows from what was sealed and from the definition alone, never from the attempt.
"""

from collections.abc import Iterable, Sequence

import msgspec

from functions.core.instants import Instant
from functions.core.runs import END, Part, Piece, Run, Tally, in_order
from functions.core.streams import StreamContext
from functions.core.templates.macros import MacroContext, MacroTemplate


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a run whose names differ by nothing but the number of the file.

    `schemas` are parts of which each has another schema, in the order of the rows.
    """

    context: MacroContext
    pieces: tuple[tuple[Part, Piece], ...]
    schemas: tuple[Part, ...]


def tally_of(parts: Iterable[Part]) -> Tally:
    """What the parts hold together."""
    total = Tally()
    for part in parts:
        total += part.tally
    return total


def folders(run: Run, parts: Sequence[Part], template: MacroTemplate, *, extension: str) -> list[Folder]:
    """The rows of a run by the name that the template gives them, in the order of their first rows.

    A run without rows has one folder, named by what its end says.

    Raises:
        Permanent: `BAD_KEY`; the template needs what a message of the run did not say.
    """
    ordered = in_order(parts)
    rows = [each for each in ordered if each[1].sequence != END] or ordered
    load_time = _load_time(parts)
    contexts = {
        part.context: _context(run, part.context, load_time=load_time, extension=extension)
        for part, _ in rows
    }
    names = {context: _names(template, given) for context, given in contexts.items()}
    found: dict[tuple[str, ...], list[tuple[Part, Piece]]] = {}
    for part, piece in rows:
        found.setdefault(names[part.context], []).append((part, piece))
    return [
        Folder(
            context=contexts[pieces[0][0].context],
            pieces=tuple(pieces),
            schemas=_schemas(part for part, _ in pieces),
        )
        for pieces in found.values()
    ]


def _names(template: MacroTemplate, context: MacroContext) -> tuple[str, ...]:
    """The first two names: whoever shares both has the number at the same places, and so shares all."""
    return tuple(template.render(msgspec.structs.replace(context, part=number)) for number in (1, 2))


def _load_time(parts: Iterable[Part]) -> Instant:
    """When the run began to load: the least that its messages say, else when the first of them was sent."""
    said = [part.started_at for part in parts if part.started_at is not None]
    if said:
        return min(said)
    return Instant.from_milliseconds(min(piece.sent_ms for part in parts for piece in part.pieces))


def _context(run: Run, context: StreamContext, *, load_time: Instant, extension: str) -> MacroContext:
    return MacroContext(
        extension=extension,
        load_time=load_time,
        stream_id=run.stream_id,
        stream_name=context.stream_name,
        connection_id=run.connection_id,
        connection_run_id=context.connection_run_id,
        stream_run_id=run.stream_run_id,
        cursor=context.cursor,
        part=1,
    )


def _schemas(parts: Iterable[Part]) -> tuple[Part, ...]:
    different: dict[str, Part] = {}
    for part in parts:
        if part.schema is not None:
            different.setdefault(part.schema.digest, part)
    return tuple(different.values())
