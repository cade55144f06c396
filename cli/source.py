"""`sluice source`: sources, stored with their access verified and with their bucket telling us of files."""

import sys
import time
from typing import Annotated, Any

import msgspec
import typer

from cli import connections, secrets, verification
from cli.apps import group
from cli.arriving import begin_scan, count_existing, silence, tell_us
from cli.connections import listed
from cli.documents import read_source
from cli.run import Run, command
from functions.adapters.definitions import Definitions, Stored, What
from functions.core.definitions.connection import fault
from functions.core.definitions.discovery import Discovery, discovery, pinned
from functions.core.errors import Code, Fault, Permanent, Refused
from functions.core.failures import State

app = group("Sources, stored with their access verified.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The source.", show_default=False)]
File = Annotated[
    str, typer.Argument(metavar="FILE", help="Its definition, YAML or JSON.", show_default=False)
]
ConverterFile = Annotated[
    str | None, typer.Option("--converter", metavar="FILE", help="Its converter, in place of its own.")
]
NoVerify = Annotated[
    bool,
    typer.Option("--no-verify", help="Store it as it is; the record says so, and nothing is set up."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Import what lies there already, without being asked.")]


@command(app, example="sluice source create examples/acme-in.yaml --yes", aws=True)
def create(
    run: Run, file: File, *, converter: ConverterFile = None, no_verify: NoVerify = False, yes: Yes = False
) -> None:
    """Verify the access of a new source, say how much lies there already, and store it."""
    source, document = _read(run, file, converter)
    definitions = _definitions(run)
    connections.refuse_known(run, definitions, source.name, file)
    beginning = pinned(document, now=int(time.time()), before=None)
    with connections.drafted(run, definitions, source, beginning, None) as draft:
        new = connections.verified(run, draft, verify=not no_verify)
        existing = None
        if not no_verify and source.start_from is not None:
            existing = count_existing(run, new)
            _agree(existing, run, yes=yes)
        warnings = _store(run, new, before=None, set_up=not no_verify)
    shown = listed(new) | ({"existing": existing} if existing else {})
    run.result(shown, _stored_as(new), warnings)


@command(app, example="sluice source update examples/acme-in.yaml", aws=True)
def update(run: Run, file: File, *, converter: ConverterFile = None, no_verify: NoVerify = False) -> None:
    """Verify a changed source and store it as a new version, for files that are discovered afterwards.

    A masked secret stays what it is; so does `enabled` where the file does not say it, and so does `now` in
    `start_from`.
    """
    source, document = _read(run, file, converter)
    definitions = _definitions(run)
    before = connections.stored(definitions, source.name)
    was_enabled = before.document.get("enabled", True)
    document.setdefault("enabled", was_enabled)
    beginning = pinned(document, now=int(time.time()), before=before.document)
    with connections.drafted(run, definitions, source, beginning, before) as draft:
        new = connections.verified(run, draft, verify=not no_verify)
        warnings = _store(run, new, before=before, set_up=not no_verify)
    if document["enabled"] and not was_enabled:
        begin_scan(run.deployment, new.name)
    run.result(listed(new), _stored_as(new), warnings)


@command(app, example="sluice source show acme-in", aws=True)
def show(
    run: Run,
    name: Name,
    *,
    version: Annotated[int | None, typer.Option(help="As it was then; every version is kept.")] = None,
) -> None:
    """A source as it is stored, its secrets masked, with its external id."""
    found = connections.version(_definitions(run), name, version)
    failures = run.deployment.ports.failures.of(name)
    shown = listed(found) | {
        "definition": found.document,
        "failures_open": sum(failure.state is State.OPEN for failure in failures),
    }
    run.result(shown, msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())


@command(app, name="list", example="sluice source list", aws=True)
def list_all(run: Run) -> None:
    """All sources."""
    connections.show_all(run, _definitions(run))


@command(app, example="sluice source delete acme-in", aws=True)
def delete(run: Run, name: Name) -> None:
    """Delete a source: its bucket no longer tells us of files, and none is imported any more."""
    definitions = _definitions(run)
    found = connections.stored(definitions, name)
    warnings = silence(run, found)
    definitions.delete(found)
    if found.secret_arn is not None:
        secrets.forget(run.deployment, found.secret_arn)
    run.result({"deleted": name}, f"{name}: deleted, its versions are kept", warnings)


@command(app, example="sluice source disable acme-in", aws=True)
def disable(run: Run, name: Name) -> None:
    """Import nothing more from a source; its files wait where they are."""
    connections.set_enabled(_definitions(run), name, enabled=False)
    seconds = run.deployment.settings.definition_max_age_seconds
    run.result({"disabled": name}, f"{name}: disabled, its files wait within {seconds} seconds")


@command(app, example="sluice source enable acme-in", aws=True)
def enable(run: Run, name: Name) -> None:
    """Import from a source again, beginning with what came meanwhile; notifications are set up where they lack."""
    definitions = _definitions(run)
    tell_us(run, connections.stored(definitions, name))
    connections.set_enabled(definitions, name, enabled=True)
    begin_scan(run.deployment, name)
    run.result({"enabled": name}, f"{name}: enabled, what came meanwhile is looked for")


@command(app, example="sluice source resume acme-in", aws=True)
def resume(run: Run, name: Name) -> None:
    """Look now for the files that wait, in a source that is enabled."""
    found = connections.stored(_definitions(run), name)
    if not listed(found)["enabled"]:
        raise Permanent(Code.EXISTS, f"{name} is disabled: sluice source enable {name}")
    begin_scan(run.deployment, name)
    run.result({"resumed": name}, f"{name}: the files that wait are looked for")


@command(app, example="sluice source test acme-in", aws=True)
def test(run: Run, name: Name) -> None:
    """Verify the access of a stored source, one question after the other, and that its bucket tells us of files."""
    found = connections.stored(_definitions(run), name)
    checks = verification.verify(run, found)
    if _notified(found):
        checks += verification.ask(run, found, "notified")
    run.result(checks, f"{name}: access is in order")


def _read(run: Run, file: str, converter: str | None) -> tuple[Discovery, dict[str, Any]]:
    """The source in a file, with the deployment's own bucket where it has no credentials."""
    source, document = read_source(file, converter)
    ours = run.deployment.drop_bucket
    if source.ours and source.bucket not in {"", ours}:
        message = f"is missing: without credentials only the deployment's own bucket, {ours}, is read"
        raise Refused([fault("credentials", message)])
    if not source.ours and source.bucket in {ours, run.deployment.settings.data_bucket}:
        cure = "leave `bucket` and `credentials` out, and drop the files" if source.bucket == ours else ""
        raise Refused([fault("bucket", "is the deployment's own", cure)])
    if source.ours:
        source, document = msgspec.structs.replace(source, bucket=ours), document | {"bucket": ours}
    connections.refuse_meeting(run, source, what=What.SOURCE)
    _refuse_moved(run, source)
    return source, document


def _refuse_moved(run: Run, source: Discovery) -> None:
    """Files are known by their source and their key: in another bucket, one with a known key would be passed over.

    Raises:
        Refused: The source had another bucket, even if it was deleted since.
    """
    definitions = _definitions(run)
    last = definitions.version(source.name, definitions.last_version(source.name))
    if last is not None and last.bucket != source.bucket:
        message = f"was {last.bucket}, and files are known by the source and the key alone"
        raise Refused([fault("bucket", message, "make a source of another name")])


def _agree(existing: dict[str, int], run: Run, *, yes: bool) -> None:
    """Nobody is to be surprised by years of files.

    Raises:
        Permanent: There are files, and nobody has agreed to import them.
    """
    if not existing["files"]:
        return
    text = (
        f"{existing['files']:,} files of {existing['bytes']:,} bytes lie there already, and will be imported"
    )
    run.tell(text)
    if yes or (sys.stdin.isatty() and typer.confirm("Go on?", err=True)):
        return
    raise Permanent(Code.EXISTS, f"{text}: say --yes, or `start_from: now` in the definition")


def _store(run: Run, new: Stored, *, before: Stored | None, set_up: bool) -> list[Fault]:
    """Have the bucket tell us, store the source, and end what only the version before it needs."""
    warnings: list[Fault] = []
    if set_up:
        tell_us(run, new)
    elif _notified(new):
        warnings.append(fault("notifications", "are not set up", f"sluice source enable {new.name}"))
    try:
        _definitions(run).put(new)
    except BaseException:
        if set_up and before is None:
            silence(run, new)
        raise
    return [*warnings, *(silence(run, before) if before and not _notified(new) else [])]


def _notified(found: Stored) -> bool:
    source = discovery(found.document)
    return source.notifications and not source.ours


def _stored_as(new: Stored) -> str:
    how = "access verified" if new.verified else "access not verified"
    return f"{new.name}: stored as version {new.version}, {how}"


def _definitions(run: Run) -> Definitions:
    return run.deployment.ports.source_definitions
