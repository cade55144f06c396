"""`sluice template`: key templates, tried without AWS."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.apps import group
from cli.documents import read_text
from cli.run import Run, command
from functions.core import json_members, messages
from functions.core.errors import Code, Fault, Permanent
from functions.core.instants import Instant
from functions.core.keys import object_key
from functions.core.templates.jmespath_keys import KeyTemplate

app = group("Key templates, tried without AWS.")

NO_ID = "00000000-0000-0000-0000-000000000000"
"""Stands for the id that SQS would give to a message which has none."""

Template = Annotated[
    str, typer.Argument(metavar="TEMPLATE", help="A JMESPath expression.", show_default=False)
]


@command(
    app, example="""sluice template render "join('/', [time.date, metadata.topic])" --message message.json"""
)
def render(
    run: Run,
    template: Template,
    message: Annotated[
        str, typer.Option(metavar="FILE|-", help="The SQS body, a JSON object.", show_default=False)
    ],
) -> None:
    """The key that a template gives for a message; fields that the message lacks get their defaults."""
    parsed = KeyTemplate.parse(template)
    sent = Instant.from_milliseconds(int(datetime.now(UTC).timestamp() * 1000))
    body = _with_defaults(read_text(message))
    given = messages.parse_message(body.encode(), message_id=NO_ID, sent=sent)
    metadata = messages.object_metadata(given, own={})
    key = object_key(prefix="", name=parsed.render(metadata=metadata, time=given.time, data=given.data))
    run.result(key, key)


@command(app, example="sluice template check 'metadata.operationId'")
def check(run: Run, template: Template) -> None:
    """All that can be known of a template without data; that it is not unique is a warning here."""
    parsed = KeyTemplate.parse(template)
    warnings = []
    if not parsed.unique:
        cure = 'refer to metadata."event-id" or metadata.operationId, or say `on_existing: overwrite`'
        warnings.append(
            Fault(
                code=Code.BAD_DEFINITION,
                message="the template refers to nothing that is unique to a message",
                cure=cure,
            )
        )
    run.result({"template": template, "unique": parsed.unique}, "in order", warnings)


def _with_defaults(text: str) -> str:
    try:
        members = json_members.members(text)
    except (ValueError, RecursionError) as error:
        raise Permanent(Code.BAD_MESSAGE, f"the message is not a JSON object: {error}") from None
    members = {"destination_id": '"destination"', "data": "{}"} | members
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"
