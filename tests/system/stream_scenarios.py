"""What streams can be about: each sets the stage, puts its messages into the queue, and says how all must end."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from functions.core.digests import digest
from functions.core.errors import Code
from functions.core.failures import State
from functions.core.outgoing import Outgoing
from functions.core.records import Queue
from functions.core.runs import RunState, flush_of
from functions.core.tasks import run_task
from local.faults import calls_of, refuse
from tests.system.stage import Kept, Seen
from tests.system.stream_stage import Streams, done, end, file_of, lines, rows

BY_CURSOR = "{stream_name}/{cursor_day}/{part}.{extension}"
"""A template by which messages of one run come into several files."""

PIECE = 16 * 1024 * 1024
"""Larger files are sent in pieces."""


@dataclass(frozen=True, kw_only=True)
class Play:
    """A scenario whose messages are in the queue of records: for whom, and what must have come of it in the end."""

    destination: str
    end: Seen
    state: RunState = RunState.DELIVERED


Scenario = Callable[[Streams], Play]


def nightly(streams: Streams) -> Play:
    """A run of three messages that come in disorder, its end among them."""
    destination = streams.destination()
    said = [rows(destination, "night-1", n, {"n": n, "k": "a"}, {"n": n}) for n in range(3)]
    streams.send(said[2], end(destination, "night-1", batches=3, records_total=6), said[0], said[1])
    file = b"".join(lines({"n": n, "k": "a"}, {"n": n}) for n in range(3))
    return Play(destination=destination, end=Seen(objects={file_of("night-1"): file}))


def by_day(streams: Streams) -> Play:
    """A run that becomes three files, with both marks."""
    destination = streams.destination(key_template=BY_CURSOR, manifest=True, success_file=True)
    said = [
        rows(destination, "r", n, {"n": n, "k": "a"}, {"n": n}, cursor=f"2025-04-{n + 11}T00:00:00Z")
        for n in range(3)
    ]
    streams.send(*said, end(destination, "r", batches=3, records_total=6))
    files = {f"orders/{n + 11}/{n + 1:07d}.jsonl": lines({"n": n, "k": "a"}, {"n": n}) for n in range(3)}
    marks = {"orders/11/.r.DONE": b"", "orders/11/_r_manifest.json": _manifest("r", destination, files)}
    return Play(destination=destination, end=Seen(objects=files | marks))


def flushed(streams: Streams) -> Play:
    """Rows of a continuous stream, enough for one flush."""
    destination = streams.destination(flush={"max_records": 4})
    streams.send(*(rows(destination, "any", n, {"n": n}, {"n": -n}) for n in range(2)))
    flush = flush_run(destination, 0)
    file = lines({"n": 0}, {"n": 0}, {"n": 1}, {"n": -1})
    return Play(destination=destination, end=Seen(objects={file_of(flush): file}))


def late(streams: Streams) -> Play:
    """A message that comes after its run was delivered."""
    destination = streams.destination()
    streams.staged(rows(destination, "r", 0, {"n": 0}), end(destination, "r", batches=1))
    done(streams.file_writer)
    body = rows(destination, "r", 1, {"n": 1})
    streams.send(body)
    kept = Kept(state=State.OPEN, code=Code.LATE, body=body.encode())
    files = {file_of("r"): lines({"n": 0})}
    return Play(destination=destination, end=Seen(objects=files, failures=(kept,)))


def miscounted(streams: Streams) -> Play:
    """A run whose end says that it has more rows than there are."""
    destination = streams.destination()
    streams.send(rows(destination, "r", 0, {"n": 0}), end(destination, "r", batches=1, records_total=2))
    failed = Seen(failures=(kept_task(run_id(destination, "r"), Code.BAD_MESSAGE),))
    return Play(destination=destination, end=failed, state=RunState.FAILED)


def put_off(streams: Streams) -> Play:
    """A run whose first write S3 puts off."""
    destination = streams.destination()
    streams.send(rows(destination, "r", 0, {"n": 0}), end(destination, "r", batches=1))
    later = refuse(400, "RequestTimeout")
    streams.inject(calls_of("PutObject", f"{streams.stage.bucket}/{destination}/"), later)
    return Play(destination=destination, end=Seen(objects={file_of("r"): lines({"n": 0})}))


def refused(streams: Streams) -> Play:
    """A run whose first write the bucket refuses, but not the one after it."""
    destination = streams.destination()
    streams.send(rows(destination, "r", 0, {"n": 0}), end(destination, "r", batches=1))
    no = refuse(403, "AccessDenied")
    streams.inject(calls_of("PutObject", f"{streams.stage.bucket}/{destination}/"), no)
    task = kept_task(run_id(destination, "r"), Code.MISSING_PERMISSION, State.RESOLVED)
    objects = {file_of("r"): lines({"n": 0})}
    return Play(destination=destination, end=Seen(objects=objects, failures=(task,)))


def large(streams: Streams) -> Play:
    """A run of one file that is sent in two pieces; its rows came behind a pointer."""
    destination = streams.destination()
    records = [{"n": n, "text": "x" * 1_000_000} for n in range(PIECE // 1_000_000 + 1)]
    body = rows(destination, "r", 0, *records)
    sender = streams.stage.deployment.sender(Queue.RECORDS)
    sender.send([Outgoing(body=body, group=destination)])
    streams.send(end(destination, "r", batches=1, records_total=len(records)))
    return Play(destination=destination, end=Seen(objects={file_of("r"): lines(*records)}))


def run_id(destination: str, run: str) -> str:
    """The id that a run of the usual messages has."""
    names = ("shop", "night", "public.orders", run)
    return f"{destination}:{digest(*names)}"


def kept_task(run: str, code: Code, state: State = State.OPEN) -> Kept:
    """The failure of a run: what is kept of it is the task of its delivery."""
    return Kept(state=state, code=code, body=run_task(run).body.encode())


def flush_run(destination: str, number: int) -> str:
    """The `stream_run_id` of a flush of the usual stream: it follows from the stream and from the number."""
    stream = f"{destination}:{digest('shop', 'public.orders')}"
    return str(uuid.uuid5(uuid.NAMESPACE_OID, flush_of(stream, number)))


def _manifest(run: str, destination: str, files: Mapping[str, bytes]) -> bytes:
    objects = [
        {
            "key": f"{destination}/{name}",
            "bytes": len(body),
            "rows": body.count(b"\n"),
            "checksum": f"sha256:{hashlib.sha256(body).hexdigest()}",
        }
        for name, body in files.items()
    ]
    total = sum(body.count(b"\n") for body in files.values())
    return json.dumps({"run": run, "rows": total, "objects": objects}, indent=2).encode() + b"\n"
