"""What may be interrupted: each sets a source up, has something arrive, and says what must be there in the end."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.core.arrivals import FileTask
from functions.core.errors import Code
from functions.core.failures import State
from functions.core.import_tasks import import_task
from functions.core.imports import FileState
from tests.system.import_seen import FileSeen, Seen
from tests.system.import_stage import CHUNK, Imports, converter, lines, record
from tests.system.stage import Kept

OUT_OF_TIME = 60
"""Seconds of an invocation that has time to begin a file, and none to read anything of it."""

ADD = {"$add": {"k": 1}}


@dataclass(frozen=True, kw_only=True)
class Play:
    """A source to whom something has happened, and all that there must be of it in the end."""

    source: str
    end: Seen


Scenario = Callable[[Imports], Play]


def chunked(imports: Imports) -> Play:
    """A file of two chunks: insert ids for two transactions, properties, rejects, a repetition, a queue besides."""
    source = imports.source(outputs=[{"event_store": True}, {"sqs": imports.output}])
    records = [record(n) for n in range(CHUNK)]
    records[7] |= {"properties": ADD, "skip": False}
    records[50]["type"] = None
    records[101]["id"] = None
    more = [
        record(103, id="id-0", properties=ADD, skip=False),
        record(104),
        record(105, type=None),
        record(106, properties=ADD, skip=False),
    ]
    imports.put(source, "f.jsonl", lines([*records, *more]))
    file = FileSeen(records=107, events=104, properties=2, duplicates=1, rejects=2)
    events = (*range(50), *range(51, 103), 104, 106)
    return Play(
        source=source,
        end=Seen(
            files={"f.jsonl": file},
            events=events,
            rejects={"f.jsonl": (50, 105)},
            claims=len(events) - 1,
            properties={"k": 2},
        ),
    )


def properties(imports: Imports) -> Play:
    """Changes of a user, and nothing that is claimed."""
    source = imports.source(data_type="user_properties", converter=_properties())
    imports.put(source, "f.jsonl", lines(record(n, properties=ADD) for n in range(3)))
    return Play(
        source=source, end=Seen(files={"f.jsonl": FileSeen(records=3, properties=3)}, properties={"k": 3})
    )


def refused(imports: Imports) -> Play:
    """A file of which more is refused than may be."""
    source = imports.source(rejects={"max_percent": 10})
    imports.put(source, "f.jsonl", lines([record(0), record(1, type=None), record(2)]))
    file = FileSeen(state=FileState.FAILED, records=3, events=2, rejects=1, code=Code.BAD_FILE)
    end = Seen(files={"f.jsonl": file}, events=(0, 2), rejects={"f.jsonl": (1,)}, claims=2)
    return Play(source=source, end=Seen(**(vars(end) | {"failures": (kept(source, Code.BAD_FILE),)})))


def continued(imports: Imports) -> Play:
    """A file that two invocations must share: the first of them has no time."""
    return small(imports)


def small(imports: Imports) -> Play:
    """A file of two events."""
    source = imports.source()
    imports.put(source, "f.jsonl", lines([record(0), record(1)]))
    return Play(source=source, end=two_events("f.jsonl"))


def listed(imports: Imports) -> Play:
    """Three files that nobody told of, and a pass that finds them."""
    source = imports.source()
    for n in range(3):
        imports.put(source, f"{n}.jsonl", lines([record(n)]))
    imports.untold()
    imports.scan(source)
    return _listed(source)


def planned(imports: Imports) -> Play:
    """The same, before anybody has asked for a pass."""
    play = listed(imports)
    imports.untold()
    return play


def _listed(source: str) -> Play:
    files = {f"{n}.jsonl": FileSeen(records=1, events=1) for n in range(3)}
    return Play(source=source, end=Seen(files=files, events=(0, 1, 2), claims=3))


def two_events(name: str) -> Seen:
    """What a file of two events comes to."""
    return Seen(files={name: FileSeen(records=2, events=2)}, events=(0, 1), claims=2)


def kept(source: str, code: Code, state: State = State.OPEN, *, key: str = "f.jsonl") -> Kept:
    """A failure of a file, as it is kept."""
    body = import_task(FileTask(source_id=source, key=f"{source}/{key}")).body
    return Kept(state=state, code=code, body=body.encode())


def _properties() -> dict[str, object]:
    return converter(
        convertToAmplitudeFunc={"user_id": "user", "device_id": "device", "user_properties": "properties"}
    )
