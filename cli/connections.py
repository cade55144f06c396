"""What the commands of destinations and of sources have in common: versions of definitions, stored and shown."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from cli import secrets, verification
from cli.run import Run
from functions.adapters.definitions import Definitions, Stored, What
from functions.core.definitions.connection import Connection, RoleCredentials, masked
from functions.core.errors import Code, Fault, Permanent, Refused


def stored(definitions: Definitions, name: str) -> Stored:
    """The definition of this name.

    Raises:
        Permanent: There is none.
    """
    found = definitions.current(name)
    if found is None:
        what = definitions.what
        raise Permanent(Code.MISSING_FILE, f"there is no {what} {name}: sluice {what} list")
    return found


def version(definitions: Definitions, name: str, number: int | None) -> Stored:
    """One version of a definition; None is the current one.

    Raises:
        Permanent: There is none.
    """
    if number is None:
        return stored(definitions, name)
    found = definitions.version(name, number)
    if found is None:
        raise Permanent(Code.MISSING_FILE, f"there is no version {number} of {name}")
    return found


def refuse_known(run: Run, definitions: Definitions, name: str, file: str) -> None:
    """Check that a new definition's name is new: failures are told by it alone, whatever they are of.

    Raises:
        Permanent: `EXISTS`; a destination or a source has it.
    """
    if definitions.current(name) is not None:
        raise Permanent(Code.EXISTS, f"{name} is there: sluice {definitions.what} update {file}")
    ports = run.deployment.ports
    for other in (ports.definitions, ports.source_definitions):
        if other.what is not definitions.what and other.current(name) is not None:
            raise Permanent(Code.EXISTS, f"a {other.what} is called {name}: give it another name")


def refuse_foreign_external_id(connection: Connection, issued: str) -> None:
    """An external id is made by us, for one connection; one that somebody chose protects nobody.

    Raises:
        Refused: The definition brings another than the one that was issued to it.
    """
    role = connection.credentials
    if isinstance(role, RoleCredentials) and role.external_id not in {None, issued}:
        fault = Fault(
            code=Code.BAD_DEFINITION,
            path="credentials.external_id",
            message=f"was not issued to {connection.name}",
            cure=f"leave it out; the one that was issued is {issued}",
        )
        raise Refused([fault])


def refuse_meeting(run: Run, connection: Connection, *, what: What) -> None:
    """What we write is never imported: a source and a destination have no object in common.

    Raises:
        Refused: A definition of the other sort, enabled or not, is about some of the same objects.
    """
    for other in _others(run, connection, what=what):
        if connection.meets(other):
            theirs = "what is written to the destination" if what is What.SOURCE else "what the source reads:"
            fault = Fault(
                code=Code.BAD_DEFINITION,
                path="prefix",
                message=f"meets {theirs} {other.name}, s3://{other.bucket}/{other.prefix}",
                cure="neither prefix may begin with the other: what we write is never imported",
            )
            raise Refused([fault])


def _others(run: Run, connection: Connection, *, what: What) -> Iterator[Connection]:
    ports = run.deployment.ports
    definitions = ports.definitions if what is What.SOURCE else ports.source_definitions
    names = definitions.names() if what is What.SOURCE else definitions.of_bucket(connection.bucket)
    for name in names:
        found = definitions.current(name)
        if found is not None and found.bucket == connection.bucket:
            yield Connection(
                name=name,
                kind=found.kind,
                bucket=found.bucket,
                prefix=found.document.get("prefix") or "",
            )


@contextmanager
def drafted(
    run: Run,
    definitions: Definitions,
    connection: Connection,
    document: Mapping[str, Any],
    before: Stored | None,
) -> Iterator[Stored]:
    """The next version of a definition, not stored yet; its keys are in Secrets Manager, and go if it is not.

    Raises:
        Refused: It has a foreign external id, or masked keys that nobody has stored.
    """
    external_id = definitions.issue_external_id(connection.name)
    refuse_foreign_external_id(connection, external_id)
    with secrets.kept(run.deployment, connection, before) as secret_arn:
        yield Stored(
            name=connection.name,
            version=1 + (before.version if before else definitions.last_version(connection.name)),
            document=masked(document),
            created_at=now(),
            external_id=external_id,
            secret_arn=secret_arn,
        )


def verified(run: Run, new: Stored, *, verify: bool) -> Stored:
    """The version with the time at which its access was found in order, unless nobody is to ask.

    Raises:
        Refused: It is not in order.
    """
    if not verify:
        return new
    verification.verify(run, new)
    return msgspec.structs.replace(new, verified=now())


def set_enabled(definitions: Definitions, name: str, *, enabled: bool) -> Stored:
    """The definition, stored anew if it was not so already."""
    found = stored(definitions, name)
    if found.document.get("enabled", True) is enabled:
        return found
    changed = msgspec.structs.replace(
        found,
        version=found.version + 1,
        created_at=now(),
        document=found.document | {"enabled": enabled},
    )
    definitions.put(changed)
    return changed


def listed(found: Stored) -> dict[str, Any]:
    """What is shown of every definition."""
    return {
        "name": found.name,
        "version": found.version,
        "kind": found.kind,
        "bucket": found.bucket,
        "enabled": found.document.get("enabled", True),
        "created_at": found.created_at,
        "verified": found.verified,
        "external_id": found.external_id,
    }


def show_all(run: Run, definitions: Definitions) -> None:
    """A row for each definition."""
    for name in definitions.names():
        found = definitions.current(name)
        if found is not None:
            shown = listed(found)
            state = "enabled" if shown["enabled"] else "disabled"
            run.row(shown, f"{name}\t{shown['bucket']}\tversion {found.version}\t{state}")


def now() -> str:
    """The time, as definitions have it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
