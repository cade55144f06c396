"""`sluice destination`: destinations, stored with their access verified."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import typer

from cli import connections, secrets, verification
from cli.apps import group
from cli.connections import listed
from cli.deployment import Deployment
from cli.documents import read_destination
from cli.resending import release_held
from cli.run import Run, command
from functions.adapters.definitions import Stored, What
from functions.core.definitions.destination import Destination
from functions.core.errors import Code, Fault, Permanent, Refused
from functions.core.failures import State

app = group("Destinations, stored with their access verified.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The destination.", show_default=False)]
File = Annotated[
    str, typer.Argument(metavar="FILE", help="Its definition, YAML or JSON.", show_default=False)
]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="Store it as it is; the record says so.")]


@command(app, example="sluice destination create examples/acme.yaml", aws=True)
def create(run: Run, file: File, *, no_verify: NoVerify = False) -> None:
    """Verify the access of a new destination and store it; its external id is made at the first attempt."""
    destination, document = read_destination(file)
    connections.refuse_known(run, run.deployment.ports.definitions, destination.name, file)
    _store(run, destination, document, before=None, verify=not no_verify)


@command(app, example="sluice destination update examples/acme.yaml", aws=True)
def update(run: Run, file: File, *, no_verify: NoVerify = False) -> None:
    """Verify a changed destination and store it as a new version.

    A masked secret stays what it is; so does `enabled` where the file does not say it.
    """
    destination, document = read_destination(file)
    before = stored(run.deployment, destination.name)
    _refuse_other_kind(destination, before)
    was_enabled = before.document.get("enabled", True)
    document.setdefault("enabled", was_enabled)
    _store(run, destination, document, before=before, verify=not no_verify)
    if document["enabled"] and not was_enabled and destination.kind == "messages":
        release_held(run, destination.name)


@command(app, example="sluice destination show acme", aws=True)
def show(
    run: Run,
    name: Name,
    *,
    version: Annotated[int | None, typer.Option(help="As it was then; every version is kept.")] = None,
) -> None:
    """A destination as it is stored, its secrets masked, with its external id and what is waiting."""
    found = connections.version(run.deployment.ports.definitions, name, version)
    ledger = run.deployment.ports.failures
    shown = listed(found) | {
        "definition": found.document,
        "failures_open": sum(failure.state is State.OPEN for failure in ledger.of(name)),
    }
    if found.kind == "messages":
        shown["messages_held"] = sum(1 for _ in ledger.held(name))
    run.result(shown, msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())


@command(app, name="list", example="sluice destination list", aws=True)
def list_all(run: Run) -> None:
    """All destinations."""
    connections.show_all(run, run.deployment.ports.definitions)


@command(app, example="sluice destination delete acme", aws=True)
def delete(run: Run, name: Name) -> None:
    """Delete a destination; what still comes for it waits among the failures."""
    found = stored(run.deployment, name)
    run.deployment.ports.definitions.delete(found)
    if found.secret_arn is not None:
        secrets.forget(run.deployment, found.secret_arn)
    run.result({"deleted": name}, f"{name}: deleted, its versions are kept")


@command(app, example="sluice destination disable acme", aws=True)
def disable(run: Run, name: Name) -> None:
    """Deliver nothing to a destination: messages are held, and the runs of streams wait."""
    kind = connections.set_enabled(run.deployment.ports.definitions, name, enabled=False).kind
    seconds = run.deployment.settings.definition_max_age_seconds
    then = "messages are held" if kind == "messages" else "runs are taken in, and wait,"
    run.result({"disabled": name}, f"{name}: disabled, {then} within {seconds} seconds")


@command(app, example="sluice destination enable acme", aws=True)
def enable(run: Run, name: Name) -> None:
    """Deliver to a destination again, and first what was held meanwhile, in its order; runs go by themselves."""
    _release(run, connections.set_enabled(run.deployment.ports.definitions, name, enabled=True))


@command(app, example="sluice destination resume acme", aws=True)
def resume(run: Run, name: Name) -> None:
    """Send again, in its order, what is held for a destination that is enabled; runs go by themselves."""
    found = stored(run.deployment, name)
    if not listed(found)["enabled"]:
        raise Permanent(Code.EXISTS, f"{name} is disabled: sluice destination enable {name}")
    _release(run, found)


@command(app, example="sluice destination test acme", aws=True)
def test(run: Run, name: Name) -> None:
    """Verify the access of a stored destination, one question after the other."""
    checks = verification.verify(run, stored(run.deployment, name))
    run.result(checks, f"{name}: access is in order")


def stored(deployment: Deployment, name: str) -> Stored:
    """The destination of this name.

    Raises:
        Permanent: There is none.
    """
    return connections.stored(deployment.ports.definitions, name)


def _refuse_other_kind(destination: Destination, before: Stored) -> None:
    """What is on its way is of the kind that the destination has, and would be nobody's."""
    if destination.kind != before.kind:
        fault = Fault(
            code=Code.BAD_DEFINITION,
            path="kind",
            message=f"{destination.name} is of kind {before.kind}, which cannot be changed",
            cure="give the new destination another name",
        )
        raise Refused([fault])


def _store(
    run: Run,
    destination: Destination,
    document: Mapping[str, Any],
    *,
    before: Stored | None,
    verify: bool,
) -> None:
    definitions = run.deployment.ports.definitions
    connections.refuse_meeting(run, destination, what=What.DESTINATION)
    with connections.drafted(run, definitions, destination, document, before) as draft:
        new = connections.verified(run, draft, verify=verify)
        definitions.put(new)
    how = "access verified" if verify else "access not verified"
    run.result(listed(new), f"{new.name}: stored as version {new.version}, {how}")


def _release(run: Run, found: Stored) -> None:
    if found.kind == "streams":
        # They are parts in the data bucket and tasks that the planner makes, not messages that somebody keeps.
        text = f"{found.name}: enabled, the runs that waited are delivered by themselves"
        run.result({"enabled": found.name}, text)
        return
    sent = release_held(run, found.name)
    text = f"{found.name}: enabled, {sent} held messages are sent again"
    run.result({"enabled": found.name, "released": sent}, text)
