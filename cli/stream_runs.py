"""Runs of streams as the command line names them: whose rows, for whom, and under which ids.

The ids and times that are given, and the rows, decide every message; so that what is sent again with the same is
a repetition, and is staged once.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

import msgspec
import typer

from cli.deployment import Deployment
from cli.destination import stored
from functions.core.errors import Code, Permanent
from functions.core.instants import Instant
from functions.core.record_batches import StreamRun

_CHARACTERS = 1_024

Destination = Annotated[str, typer.Option(metavar="NAME", help="For whom.", show_default=False)]
Connection = Annotated[str, typer.Option(metavar="ID", help="Where the rows come from, for whom.")]
Cursor = Annotated[
    str | None, typer.Option(metavar="INSTANT", help="Up to where the rows go, RFC 3339; for file names.")
]
StartedAt = Annotated[
    str | None,
    typer.Option(metavar="INSTANT", help="When the run began, RFC 3339; now, unless a run is sent again."),
]


class ConnectionRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run over all streams of a connection."""

    destination: str
    connection: str
    id: str
    started_at: str
    cursor: str | None

    def stream_run(self, stream: str) -> StreamRun:
        """The run of one stream: its id is a UUIDv5 of this run's id and the stream's name."""
        return StreamRun(
            destination_id=self.destination,
            connection_id=self.connection,
            connection_run_id=self.id,
            stream=stream,
            stream_run_id=str(uuid5(_namespace(self.id), stream)),
            started_at=self.started_at,
            cursor=self.cursor,
        )

    def again(self, option: str) -> str:
        """The options under which the run is sent again as the one that it was."""
        return f"{option} {self.id} --started-at {self.started_at}"


def connection_run(
    *, destination: str, connection: str, given: str | None, started_at: str | None, cursor: str | None
) -> ConnectionRun:
    """The run that the options name; without `given` a new one, that begins now unless something else is said.

    Raises:
        typer.BadParameter: A name or an instant is none.
    """
    return ConnectionRun(
        destination=destination,
        connection=named(connection, "--connection"),
        id=str(uuid4()) if given is None else named(given, "the run"),
        started_at=_instant(started_at, "--started-at") or _now(),
        cursor=_instant(cursor, "--cursor"),
    )


def named(text: str, what: str) -> str:
    """A name that messages can carry.

    Raises:
        typer.BadParameter: It is none.
    """
    if not 0 < len(text) <= _CHARACTERS or not text.isprintable():
        raise typer.BadParameter(f"{what} is 1 to {_CHARACTERS} printable characters, not {text[:40]!a}")
    return text


def check_destination(deployment: Deployment, name: str) -> None:
    """Refuse rows for what is no destination of streams.

    Raises:
        Permanent: It is not there, or of another kind.
    """
    kind = stored(deployment, name).document.get("kind")
    if kind != "streams":
        text = f"{name} is a destination of {kind}; rows go to one of `kind: streams`"
        raise Permanent(Code.BAD_DEFINITION, text)


def _namespace(run: str) -> UUID:
    """The run's own id where it is a UUID, as ours are; schedulers name their runs otherwise."""
    try:
        return UUID(run)
    except ValueError:
        return uuid5(NAMESPACE_OID, run)


def _instant(text: str | None, option: str) -> str | None:
    if text is None:
        return None
    try:
        Instant.parse(text)
    except Permanent:
        example = "2025-04-14T11:23:45Z"
        raise typer.BadParameter(
            f"{option} is an RFC 3339 timestamp such as {example}, not {text!r}"
        ) from None
    return text


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
