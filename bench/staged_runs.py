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
from functions.core.instants import Instant
from functions.core.runs import Part, Piece, digest, new_run
from functions.core.sealing import sealed
from functions.core.staging import Load, arrival, laid_out
from functions.core.streams import parse_record_message

_MESSAGES_A_BATCH = 5
_SENT = Instant.from_milliseconds(1_760_410_739_323)
_INTAKE = Intake(kind="streams")


def stage(place: Endpoint, folder: Path, head: Head, *, times: int) -> str:
    """A sealed run of so many times the rows of `folder`: its id."""
    ledger = RunLedger(
        deployment.client("dynamodb", place.services_url),
        table=deployment.LEDGER,
        part_days=90,
        marker_days=400,
    )
    loads = [_put(place, batch, number) for number, batch in enumerate(_batches(folder, head))]
    run = ledger.begin(new_run(loads[0].messages[0], id=loads[0].scope, now=int(time.time()), flush=None))
    for number in range(times):
        for load in loads:
            ledger.commit(run.id, _again(load.part, number), scope=run.id)
    tally = ledger.tally(run.id)
    ledger.seal(sealed(run, tally, version=1, now=int(time.time())))
    return run.id


def _batches(folder: Path, head: Head) -> Iterator[list[str]]:
    batch: list[str] = []
    for body in record_bodies.bodies(folder, head):
        batch.append(body)
        if len(batch) == _MESSAGES_A_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _put(place: Endpoint, bodies: list[str], number: int) -> Load:
    """The messages in a staging object, as the stager would have put them."""
    messages = (parse_record_message(body.encode(), message_id="m", sent=_SENT) for body in bodies)
    arrivals = [arrival(message, _INTAKE) for message in messages]
    key = f"{PREFIX}{number:032x}.jsonl"
    data, (load,) = laid_out(arrivals, key=key, most=MAX_MESSAGES)
    path = place.folder / "objects" / deployment.DATA_BUCKET / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    # What is kept of the messages should not be their rows.
    first = msgspec.structs.replace(load.messages[0], lines=b"")
    return msgspec.structs.replace(load, messages=(first,))


def _again(part: Part, number: int) -> Part:
    pieces = tuple(_moved(piece, number) for piece in part.pieces)
    return msgspec.structs.replace(part, number=number, pieces=pieces)


def _moved(piece: Piece, number: int) -> Piece:
    sequence = number * 1_000_000 + piece.sequence
    return msgspec.structs.replace(piece, sequence=sequence, identity=digest(str(sequence)))
