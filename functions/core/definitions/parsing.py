"""A document becomes a destination or a source, by its kind."""

from typing import TYPE_CHECKING, Any

from functions.core import documents
from functions.core.definitions.connection import across
from functions.core.definitions.destination import FIELDS, ONLY, SOURCE
from functions.core.documents import Field
from functions.core.errors import Refused

if TYPE_CHECKING:
    from functions.core.definitions.messages import MessageDestination
    from functions.core.definitions.sources import Source
    from functions.core.definitions.streams import StreamDestination


def parse_definition(document: Any) -> "MessageDestination | StreamDestination | Source":
    """The destination or the source that a document describes.

    Raises:
        Refused: Every fault of the document, each with its path.
    """
    if isinstance(document, dict) and document.get("kind") == SOURCE:
        from functions.core.definitions import sources  # noqa: PLC0415 - as said below

        return sources.parse_source(document)
    return parse_destination(document)


def parse_destination(document: Any) -> "MessageDestination | StreamDestination":
    """The destination that a document describes.

    Raises:
        Refused: Every fault of the document, each with its path.
    """
    kind = document.get("kind") if isinstance(document, dict) else None
    # A kind is imported when it is met: the function of one has not the libraries of the other.
    if kind == "messages":
        from functions.core.definitions import messages  # noqa: PLC0415 - as said

        return messages.parse(document)
    if kind == "streams":
        from functions.core.definitions import streams  # noqa: PLC0415 - as said

        return streams.parse(document)
    raise Refused(_faults_of_no_kind(document))


def _faults_of_no_kind(document: Any) -> list[Any]:
    """All that can be said of a document that is of none of our kinds."""
    unjudged = {name: Field(lambda value: value) for names in ONLY.values() for name in names}
    values, faults = documents.collect(
        document, {**FIELDS, "key_template": Field(lambda value: value), **unjudged}
    )
    return [*faults, *across(values)]
