"""Destinations of kind `messages`: every message becomes one object."""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.core import documents
from functions.core.definitions.connection import across, fault
from functions.core.definitions.destination import Destination, fields_of
from functions.core.documents import Field, wrong
from functions.core.errors import Fault, Refused
from functions.core.templates.jmespath_keys import KeyTemplate
from functions.core.templates.jmespath_shapes import DEFAULT


class MessageDestination(Destination, frozen=True, kw_only=True):
    """A checked destination of messages; `keep` and `envelope` are what `on_existing` and `body` say."""

    template: KeyTemplate
    envelope: bool = True
    keep: bool = False


def parse(document: Any) -> MessageDestination:
    """The destination that a document of kind `messages` describes.

    Raises:
        Refused: Every fault of the document, each with its path.
    """
    values, faults = documents.collect(document, _FIELDS)
    faults += [*across(values), *_across(values)]
    if faults:
        raise Refused(faults)
    values["template"] = values.pop("key_template")
    values["envelope"] = values.pop("body") == "envelope"
    values["keep"] = values.pop("on_existing") == "keep"
    return MessageDestination(**{name: values[name] for name in MessageDestination.__struct_fields__})


def _across(values: Mapping[str, Any]) -> Iterator[Fault]:
    template, existing = values.get("key_template"), values.get("on_existing", "overwrite")
    if template and not template.unique and existing != "overwrite":
        cure = 'refer to metadata."event-id" or metadata.operationId, or say `on_existing: overwrite`'
        yield fault("key_template", "refers to nothing that is unique to a message", cure)


def _template(value: Any) -> KeyTemplate:
    if not isinstance(value, str):
        raise wrong(f"must be text, not {documents.kind(value)}")
    return KeyTemplate.parse(value)


_FIELDS = fields_of(
    "messages",
    {
        "key_template": Field(_template, default=KeyTemplate.parse(DEFAULT)),
        "body": Field(documents.one_of("envelope", "payload"), default="envelope"),
        "on_existing": Field(documents.one_of("overwrite", "keep")),
    },
)
