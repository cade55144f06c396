"""Runs of any size that are staged already: the same staging objects, over and over, under other sequences."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench import deployment, record_bodies
from bench.endpoint import Endpoint
from bench.record_bodies import Head
from functions.adapters.parts import PREFIX
from functions.adapters.runs import MAX_MESSAGES, RunLedger
from functions.core.definitions.intake import Intake
from functions.core.digests import digest
from functions.core.instants import Instant
from functions.core.runs import Part, Piece, new_run, run_of
from functions.core.sealing import sealed
from functions.core.staging import arrival, laid_out
from functions.core.streams import Rows, StreamContext, parse_record_message

_MESSAGES_A_BATCH = 5
_SENT = Instant.from_milliseconds(1_760_410_739_323)
_INTAKE = Intake(kind="streams")


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """Staging objects with the rows of a folder: one message of them, without its rows, and the parts."""

    message: Rows
    parts: tuple[Part, ...]


def put(place: Endpoint, folder: Path, *, name: str) -> Staged:
    """Put the rows of a folder into staging objects, whose keys begin with `name`, as the stager would have."""
    parts = []
    for number, batch in enumerate(_batches(folder)):
        messages = [_parsed(body) for body in batch]
        arrivals = [arrival(each, _INTAKE) for each in messages]
        key = f"{PREFIX}{name}-{number:06d}.jsonl"
        data, (load,) = laid_out(arrivals, key=key, most=MAX_MESSAGES)
        path = place.folder / "objects" / deployment.DATA_BUCKET / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        parts.append(load.part)
    return Staged(message=msgspec.structs.replace(messages[0], lines=b""), parts=tuple(parts))


def seal(place: Endpoint, staged: Staged, destination: str, run: str, *, times: int) -> str:
    """A sealed run of so many times these rows: its id."""
    ledger = RunLedger(
        deployment.client("dynamodb", place.services_url),
        table=deployment.LEDGER,
        part_days=90,
        marker_days=400,
    )
    context = msgspec.structs.replace(staged.message.context, stream_run_id=run)
    message = msgspec.structs.replace(staged.message, destination_id=destination, context=context)
    begun = ledger.begin(new_run(message, id=run_of(message), now=int(time.time()), flush=None))
    for number in range(times):
        for part in staged.parts:
            ledger.commit(begun.id, _again(part, context, number), scope=begun.id)
    ledger.seal(sealed(begun, ledger.tally(begun.id), version=1, now=int(time.time())))
    return begun.id


def _parsed(body: str) -> Rows:
    message = parse_record_message(body.encode(), message_id="m", sent=_SENT)
    assert isinstance(message, Rows)
    return message


def _batches(folder: Path) -> Iterator[list[str]]:
    batch: list[str] = []
    for body in record_bodies.bodies(folder, Head("any", "any")):
        batch.append(body)
        if len(batch) == _MESSAGES_A_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _again(part: Part, context: StreamContext, number: int) -> Part:
    pieces = tuple(_moved(piece, number) for piece in part.pieces)
    return msgspec.structs.replace(part, context=context, number=number, pieces=pieces)


def _moved(piece: Piece, number: int) -> Piece:
    sequence = number * 1_000_000 + piece.sequence
    return msgspec.structs.replace(piece, sequence=sequence, identity=digest(str(sequence)))
