"""`sluice failures`: what could not be delivered, why, and what is done about it."""

import sys
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from cli.apps import group
from cli.deployment import Deployment
from cli.giving_up import give_up
from cli.resending import find, send_again
from cli.run import Run, command
from functions.core.errors import Code
from functions.core.failures import UNKNOWN_CONNECTION, Failure, State

app = group("What could not be delivered, why, and what is done about it.")

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Failures.", show_default=False)]
Id = Annotated[str, typer.Argument(metavar="ID", help="A failure.", show_default=False)]
Of = Annotated[str | None, typer.Option("--destination", help="Those of this destination.")]
OfSource = Annotated[str | None, typer.Option("--source", help="Those of this source.")]
WithCode = Annotated[Code | None, typer.Option("--code", help="Those with this code.")]
All = Annotated[bool, typer.Option("--all", help="All of them; in a list also those that are done with.")]


@command(app, name="list", example="sluice failures list --destination acme", aws=True)
def list_all(
    run: Run, *, destination: Of = None, source: OfSource = None, code: WithCode = None, every: All = False
) -> None:
    """The failures that are open and the messages that are held, the latest last."""
    for failure in sorted(
        _of(run.deployment, _name(destination, source)), key=lambda failure: failure.last_at
    ):
        wanted = every or failure.state in {State.OPEN, State.HELD}
        if wanted and code in {None, failure.code}:
            text = f"{failure.id}\t{failure.state}\t{failure.code or '-'}\t{failure.last_at}\t{failure.text}"
            run.row(_shown(failure), text)


@command(app, example="sluice failures show acme:3eb86cea5066829f0c9a6d733cd6ef88 --body", aws=True)
def show(
    run: Run,
    failure: Id,
    *,
    body: Annotated[bool, typer.Option("--body", help="The message itself, as it came.")] = False,
) -> None:
    """One failure, with the steps that cure it; or the message itself."""
    found = find(run.deployment, failure)
    if body:
        sys.stdout.buffer.write(run.deployment.ports.failures.body(failure))
        return
    about = f"{found.id}: {found.state}, {found.code}, {found.attempts} attempt(s), last at {found.last_at}"
    steps = [f"  {number}. {step}" for number, step in enumerate(found.resolution, 1)]
    run.result(_shown(found), [about, found.text, "what cures it:", *steps])


@command(app, example="sluice failures retry --destination acme", aws=True)
def retry(
    run: Run,
    failures: Ids = None,
    *,
    destination: Of = None,
    source: OfSource = None,
    code: WithCode = None,
    every: All = False,
) -> None:
    """Send the messages of failures again; one that is then delivered is resolved.

    The files of a run are made by the definition as it was when the run was sealed; `restart` takes the newest.
    A file is gone on with where it stopped, by the converter that it was begun with.
    """
    _send_again(run, _chosen(run, failures, _name(destination, source), code, every=every))


@command(app, example="sluice failures restart --code EXISTS", aws=True)
def restart(
    run: Run,
    failures: Ids = None,
    *,
    destination: Of = None,
    source: OfSource = None,
    code: WithCode = None,
    every: All = False,
) -> None:
    """Begin the work of failures anew, with the definition as it is now: files are named and made by it.

    A message is always delivered by the newest definition, so that for messages this is `retry`. A file is begun
    anew as what lies under its key now; what was committed of it is taken back first.
    """
    _send_again(run, _chosen(run, failures, _name(destination, source), code, every=every), restart=True)


@command(app, example="sluice failures skip acme:3eb86cea5066829f0c9a6d733cd6ef88", aws=True)
def skip(
    run: Run,
    failures: Ids = None,
    *,
    destination: Of = None,
    source: OfSource = None,
    code: WithCode = None,
    every: All = False,
) -> None:
    """Give up failures; their messages stay kept until they expire, and what was imported of a file stays."""
    chosen = _chosen(run, failures, _name(destination, source), code, every=every)
    for failure in chosen:
        give_up(run.deployment, failure)
    run.result({"skipped": [failure.id for failure in chosen]}, f"{len(chosen)} failure(s) skipped")


def _send_again(run: Run, chosen: list[Failure], *, restart: bool = False) -> None:
    sent = send_again(run.deployment, chosen, restart=restart)
    run.result({"sent": [failure.id for failure in chosen]}, f"{sent} message(s) sent again")


def _chosen(
    run: Run, ids: list[str] | None, connection: str | None, code: Code | None, *, every: bool
) -> list[Failure]:
    """The failures that a command is about: those named, else the open ones that the options choose."""
    if not ids and connection is None and code is None and not every:
        raise typer.BadParameter("name failures, or choose them by --destination, --source, --code or --all")
    if ids:
        return [find(run.deployment, failure) for failure in ids]
    return [
        failure
        for failure in _of(run.deployment, connection)
        if failure.state is State.OPEN and code in {None, failure.code}
    ]


def _name(destination: str | None, source: str | None) -> str | None:
    """The connection that the options name; no destination and source have one name."""
    if destination is not None and source is not None:
        raise typer.BadParameter("say --destination or --source, not both")
    return source if destination is None else destination


def _of(deployment: Deployment, connection: str | None) -> Iterator[Failure]:
    ports = deployment.ports
    known = (
        name
        for definitions in (ports.definitions, ports.source_definitions)
        for name in definitions.names(deleted=True)
    )
    for name in [connection] if connection else [*dict.fromkeys(known), UNKNOWN_CONNECTION]:
        yield from deployment.ports.failures.of(name)
        yield from deployment.ports.failures.held(name)


def _shown(failure: Failure) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(failure)
    return fields | {"resolution": failure.resolution}
