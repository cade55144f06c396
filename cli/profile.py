"""`sluice profile`: what is kept of users, groups and profiles, and how a user is erased."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from cli.apps import group
from cli.deployment import Deployment
from cli.run import Run, command, faults_of
from functions.adapters.erasure import Erasure
from functions.adapters.profiles import ProfileBook
from functions.core.errors import Code, Fault, Permanent, Transient
from functions.core.events.mutations import Stamp
from functions.core.profiles import Kept, Kind, Subject

app = group("What is kept of users, groups and profiles, and how a user is erased.")

Project = Annotated[int, typer.Option(min=0, help="The project.", show_default=False)]
User = Annotated[str | None, typer.Option(metavar="ID", help="A user.")]
Device = Annotated[str | None, typer.Option(metavar="ID", help="A device whose user is not known.")]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@command(
    app,
    example="sluice profile show --project 187520 --user datamonster@example.com",
    aws=True,
    without=frozenset({"profile"}),
)
def show(
    run: Run,
    *,
    project: Project,
    user: User = None,
    device: Device = None,
    of_group: Annotated[
        tuple[str, str] | None, typer.Option("--group", metavar="TYPE ID", help="A group.")
    ] = None,
    of_profile: Annotated[
        str | None, typer.Option("--profile", metavar="ID", help="A profile of a mirror, by its user.")
    ] = None,
) -> None:
    """The properties of a user, a device, a group or a profile.

    `--profile` is not that of the AWS CLI here; AWS_PROFILE is.
    """
    kind, name = of_group or ("", None)
    subject = _one(
        project, {Kind.USER: user, Kind.DEVICE: device, Kind.GROUP: name, Kind.PROFILE: of_profile}, kind
    )
    kept = _book(run.deployment).read(subject)
    if kept is None:
        raise Permanent(Code.MISSING_FILE, f"nothing is kept of {_named(subject)} of project {project}")
    run.result(_shown(kept), _lines(kept))


@command(app, example="sluice profile erase --project 187520 --user datamonster@example.com", aws=True)
def erase(
    run: Run,
    *,
    project: Project,
    user: User = None,
    device: Device = None,
    after: Annotated[str, typer.Option(metavar="KEY", help="Go on after this part of the event store.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a user's properties and profile, and all events of that user from the event store.

    With `--device`, those of a device that have no user. What has been exported is not ours to erase. An import
    that is under way may bring events again: repeat it then.
    """
    subject = _one(project, {Kind.USER: user, Kind.DEVICE: device})
    book = _book(run.deployment)
    if not yes:
        question = f"Erase {_named(subject)} of project {project} for good, with all events?"
        typer.confirm(question, abort=True, err=True)
    twins = [subject, msgspec.structs.replace(subject, kind=Kind.PROFILE)] if user is not None else [subject]
    gone = [book.erase(each) for each in twins]
    _erase_events(run, subject, after=after, properties=any(gone))


def _erase_events(run: Run, subject: Subject, *, after: str, properties: bool) -> None:
    parts = rewritten = events = 0
    last = after
    faults: list[Fault] = []
    try:
        for looked in _erasure(run.deployment).run(subject, after=after):
            parts, last = parts + 1, looked.key
            rewritten, events = rewritten + bool(looked.events), events + looked.events
            faults += faults_of(looked.fault) if looked.fault else []
            run.progress(f"{parts} parts, {events} events erased, at {last}")
    except Transient as error:
        raise Transient(error.code, f"{error.text}; to go on where it stopped: --after '{last}'") from None
    finally:
        run.progress("")
    result = {"properties": properties, "parts": parts, "rewritten": rewritten, "events": events}
    if faults:
        raise run.fail(faults, result)
    kept = "properties are erased" if properties else "there were no properties"
    run.result(result, f"{kept}; {events} events are erased from {rewritten} of {parts} parts")


def _one(project: int, named: dict[Kind, str | None], group_type: str = "") -> Subject:
    """The one subject that the options name.

    Raises:
        typer.BadParameter: They name none, or several.
    """
    given = [(kind, name) for kind, name in named.items() if name is not None]
    if len(given) != 1:
        options = ", ".join(f"--{kind}" for kind in named)
        raise typer.BadParameter(f"exactly one of {options} is needed")
    [(kind, name)] = given
    return Subject(project, kind, name, group_type)


def _named(subject: Subject) -> str:
    names = [str(subject.kind), subject.group_type, subject.id]
    return " ".join(each if each.isprintable() else ascii(each)[1:-1] for each in names if each)


def _book(deployment: Deployment) -> ProfileBook:
    return ProfileBook(deployment.clients.get("dynamodb"), table=deployment.outputs["ProfilesTable"])


def _erasure(deployment: Deployment) -> Erasure:
    return Erasure(
        deployment.clients.get("s3"),
        deployment.clients.get("dynamodb"),
        bucket=deployment.settings.data_bucket,
        ledger_table=deployment.settings.ledger_table,
    )


def _shown(kept: Kept) -> dict[str, Any]:
    """As JSON has it, for which numbers of more digits than a double has are rounded."""
    shown: dict[str, Any] = {
        **msgspec.to_builtins(kept.subject),
        "properties": msgspec.json.decode(_ENCODER.encode(kept.values())),
    }
    if kept.subject.kind is Kind.PROFILE:
        shown |= {"exists": kept.state.exists, "written": kept.state.written, "deleted": kept.state.deleted}
    return shown


def _lines(kept: Kept) -> Iterator[str]:
    yield f"{_named(kept.subject)} of project {kept.subject.project}"
    if kept.subject.kind is Kind.PROFILE:
        if kept.state.written:
            yield f"written by {_place(kept.state.written)}"
        if kept.state.deleted:
            yield f"deleted by {_place(kept.state.deleted)}"
    for name, value in sorted(kept.values().items()):
        yield f"  {_text(name)}\t{_text(value)}"


def _place(stamp: Stamp) -> str:
    return f"record {stamp.record} of {_text(stamp.key)}"


def _text(value: Any) -> str:
    return _ENCODER.encode(value).decode()
