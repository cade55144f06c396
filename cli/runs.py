"""`sluice runs`: what was staged of streams, what became of it, and what it waits for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from cli.apps import group
from cli.run import Run, command
from functions.core.errors import Code, Permanent
from functions.core.failures import is_failure_id
from functions.core.runs import Run as StreamRun
from functions.core.runs import RunState, Tally

app = group("The runs of streams: what was staged, and what became of it.")

_TIMES = ("created_at", "sealed_at", "done_at")
_SHOWN = (
    "id",
    "state",
    "stream_id",
    "stream_name",
    "connection_id",
    "connection_run_id",
    "stream_run_id",
    "flush",
    "version",
    "files",
    "file_bytes",
    "keys",
)


@command(app, name="list", example="sluice runs list --destination acme", aws=True)
def list_all(
    run: Run,
    *,
    destination: Annotated[str, typer.Option(help="Those of this destination.", show_default=False)],
    every: Annotated[bool, typer.Option("--all", help="Also those that are delivered.")] = False,
) -> None:
    """The runs that are open, wait for their delivery or failed, the latest last."""
    if destination not in run.deployment.ports.definitions.names(deleted=True):
        raise Permanent(Code.MISSING_FILE, f"there is no destination {destination}: sluice destination list")
    for found in sorted(run.deployment.ports.runs.of(destination), key=lambda each: each.created_at):
        if every or found.state is not RunState.DELIVERED:
            shown = _shown(run, found)
            text = (
                f"{found.id}\t{found.state}\t{found.stream_name}\t{shown['created_at']}\t{shown['rows']} rows"
            )
            run.row(shown, text)


@command(app, example="sluice runs show acme:3eb86cea5066829f0c9a6d733cd6ef88", aws=True)
def show(
    run: Run, name: Annotated[str, typer.Argument(metavar="ID", help="A run.", show_default=False)]
) -> None:
    """One run: what was staged of it, what it waits for, and the first of its files."""
    found = run.deployment.ports.runs.get(name) if is_failure_id(name) else None
    if found is None:
        raise Permanent(
            Code.MISSING_FILE, f"there is no run {ascii(name)[1:-1]}; `sluice runs list` lists them"
        )
    shown = _shown(run, found)
    run.result(shown, _lines(found, shown))


def _shown(run: Run, found: StreamRun) -> dict[str, Any]:
    """A run as it is shown; what was staged of an open one is counted."""
    tally: Tally = run.deployment.ports.runs.tally(found.id) if found.state is RunState.OPEN else found.tally
    fields: dict[str, Any] = msgspec.to_builtins(msgspec.structs.asdict(found))
    return {
        **{name: fields[name] for name in _SHOWN if fields[name] is not None},
        **{name: _time(fields[name]) for name in _TIMES if fields[name] is not None},
        **msgspec.structs.asdict(tally),
        "ending": fields["ending"],
    }


def _lines(found: StreamRun, shown: dict[str, Any]) -> Iterator[str]:
    yield f"{found.id}: {found.state}, begun at {shown['created_at']}"
    yield f"stream {found.stream_name}, run {found.stream_run_id}, of {found.connection_id}"
    yield f"{shown['rows']} rows in {shown['messages']} messages, {shown['bytes']} bytes"
    if found.state is RunState.OPEN:
        yield _waits_for(found)
    if found.state is RunState.FAILED:
        yield f"see sluice failures show {found.id}"
    yield from (f"  {key}" for key in found.keys)
    if found.files > len(found.keys):
        yield f"  and {found.files - len(found.keys)} more"


def _waits_for(found: StreamRun) -> str:
    if found.flush is not None:
        return "it takes rows until its stream is flushed"
    if found.ending is None:
        return "its end has not come"
    return f"its end says that it has {found.ending.batches} messages: some have not come"


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
