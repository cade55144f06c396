"""`sluice template`: key templates and file names, tried without AWS."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.apps import group
from cli.documents import read_text
from cli.run import Run, command
from functions.core import json_members, messages
from functions.core.errors import Code, Fault, Permanent, Refused
from functions.core.instants import Instant
from functions.core.keys import object_key
from functions.core.templates.file_names import NOW, SPLIT_NAME, FileNameTemplate, parse_tokens
from functions.core.templates.jmespath_keys import KeyTemplate
from functions.core.templates.macros import MacroContext, MacroTemplate

app = group("Key templates and file names, tried without AWS.")

NO_ID = "00000000-0000-0000-0000-000000000000"
"""Stands for the id that SQS would give to a message which has none."""

Template = Annotated[
    str,
    typer.Argument(
        metavar="TEMPLATE", help="A JMESPath expression, or what the option says.", show_default=False
    ),
]
Macros = Annotated[bool, typer.Option("--macros", help="It is a stream destination's: {stream_name}/{date}.")]
FileName = Annotated[bool, typer.Option("--file-name", help="It is a dataset destination's: {{now}}.csv.")]


@command(
    app, example="""sluice template render "join('/', [time.date, metadata.topic])" --message message.json"""
)
def render(
    run: Run,
    template: Template,
    *,
    message: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="For JMESPath: the SQS body, a JSON object.")
    ] = None,
    macros: Macros = False,
    file_name: FileName = False,
    context: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="For the others: the values, a JSON object.")
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="For a file name: when the delivery began, RFC 3339."),
    ] = None,
) -> None:
    """The key that a template gives; fields that a message lacks get their defaults."""
    _refuse_both(macros=macros, file_name=file_name)
    if now is not None and not file_name:
        raise typer.BadParameter("--now is for --file-name alone")
    if macros or file_name:
        if context is None or message is not None:
            raise typer.BadParameter("--macros and --file-name need --context, and take no --message")
        name = _from_tokens(template, context, now) if file_name else _from_macros(template, context)
    else:
        if message is None or context is not None:
            raise typer.BadParameter("a JMESPath expression needs --message, and takes no --context")
        name = _from_message(template, message)
    key = object_key(prefix="", name=name)
    run.result(key, key)


@command(app, example="sluice template check 'metadata.operationId'")
def check(run: Run, template: Template, *, macros: Macros = False, file_name: FileName = False) -> None:
    """All that can be known of a template without data; that it is not unique is a warning here."""
    _refuse_both(macros=macros, file_name=file_name)
    if macros:
        known, warnings = _check_macros(template)
    elif file_name:
        known, warnings = _check_file_name(template)
    else:
        known, warnings = _check_jmespath(template)
    run.result({"template": template} | known, "in order", warnings)


def _refuse_both(*, macros: bool, file_name: bool) -> None:
    if macros and file_name:
        raise typer.BadParameter("a template has --macros or is a --file-name, not both")


def _from_message(template: str, file: str) -> str:
    parsed = KeyTemplate.parse(template)
    sent = Instant.from_milliseconds(int(datetime.now(UTC).timestamp() * 1000))
    body = _with_defaults(read_text(file))
    given = messages.parse_message(body.encode(), message_id=NO_ID, sent=sent)
    metadata = messages.object_metadata(given, own={})
    return parsed.render(metadata=metadata, time=given.time, data=given.data)


def _with_defaults(text: str) -> str:
    try:
        members = json_members.members(text)
    except (ValueError, RecursionError) as error:
        raise Permanent(Code.BAD_MESSAGE, f"the message is not a JSON object: {error}") from None
    members = {"destination_id": '"destination"', "data": "{}"} | members
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"


def _from_macros(template: str, file: str) -> str:
    parsed = MacroTemplate.parse(template)
    return parsed.render(MacroContext.parse(_read_context(file)))


def _from_tokens(template: str, file: str, now: str | None) -> str:
    # Whether the file is split is not known here: that there is a number in the context says it.
    parsed = FileNameTemplate.parse(template, split=True)
    if now is None and NOW in parsed.tokens:
        raise typer.BadParameter("the file name uses `now`: say --now INSTANT")
    return parsed.render(parse_tokens(_read_context(file)) | {NOW: None if now is None else _instant(now)})


def _instant(text: str) -> Instant:
    try:
        return Instant.parse(text)
    except Permanent:
        example = "2025-04-14T11:23:45Z"
        raise typer.BadParameter(f"--now is an RFC 3339 timestamp such as {example}, not {text!r}") from None


def _read_context(file: str) -> Any:
    text = read_text(file)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"this is not JSON: {error}"
        raise Refused([Fault(code=Code.BAD_DEFINITION, path=file, message=message)]) from None


def _check_jmespath(template: str) -> tuple[dict[str, Any], list[Fault]]:
    parsed = KeyTemplate.parse(template)
    if parsed.unique:
        return {"unique": True}, []
    message = "the template refers to nothing that is unique to a message"
    cure = 'refer to metadata."event-id" or metadata.operationId, or say `on_existing: overwrite`'
    return {"unique": False}, [_warning(message, cure)]


def _check_macros(template: str) -> tuple[dict[str, Any], list[Fault]]:
    parsed = MacroTemplate.parse(template)
    warnings = []
    if not parsed.unique_in_run:
        warnings.append(_warning("two files of one run can get the same key", "refer to {part}"))
    if not parsed.unique_between_runs:
        warnings.append(_warning("two runs can give the same key", "refer to {stream_run_id}"))
    return {"unique": not warnings}, warnings


def _check_file_name(template: str) -> tuple[dict[str, Any], list[Fault]]:
    parsed = FileNameTemplate.parse(template, split=True)
    message = f"`{SPLIT_NAME}` is known only where the file is split"
    warnings = [_warning(message, "put it into `split.file_name`")] if SPLIT_NAME in parsed.tokens else []
    return {"tokens": sorted(parsed.tokens)}, warnings


def _warning(message: str, cure: str) -> Fault:
    return Fault(code=Code.BAD_DEFINITION, message=message, cure=cure)
