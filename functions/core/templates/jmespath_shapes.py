"""What the values that a JMESPath key template sees may be, known before any message is.

A *shape* stands for all values that something may be: `metadata.topic` is a string or null, `time` has just these
fields, of `data` only that it is an object is known.
"""

from collections.abc import Mapping

import msgspec

from functions.core.instants import TIME_FIELDS

DEFAULT = "join('', [time.rfc3339_nano, '_', metadata.\"event-id\", '.json'])"
"""Unique by itself: an instant and the event's id."""

METADATA_NAMES = (
    "projectId",
    "installationId",
    "connectionId",
    "destinationId",
    "operationId",
    "objectName",
    "event-id",
    "timestamp",
    "topic",
)
"""The metadata that senders use by convention; any other name is allowed too."""

UNIQUE_NAMES = frozenset({"event-id", "operationId"})
"""The metadata that no two messages share."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a value may be.

    `kinds` are JSON's; of an object the known `fields`, what the `others` are (None: anything), or that there
    are none (`closed`); of a list that is written out its `elements`.
    """

    kinds: frozenset[str]
    fields: Mapping[str, "Shape"] = {}
    others: "Shape | None" = None
    closed: bool = False
    elements: tuple["Shape", ...] = ()

    @classmethod
    def of(cls, *kinds: str) -> "Shape":
        """A value of one of these kinds, of which nothing else is known."""
        return cls(kinds=frozenset(kinds))


ANY = Shape.of("string", "number", "boolean", "array", "object", "null")
NULL = Shape.of("null")
STRING = Shape.of("string")
METADATA = Shape(
    kinds=frozenset({"object"}),
    fields=dict.fromkeys(("destinationId", "event-id", "timestamp"), STRING),
    others=Shape.of("string", "null"),
)
TIME = Shape(kinds=frozenset({"object"}), fields=dict.fromkeys(TIME_FIELDS, STRING), closed=True)
DATA = Shape.of("object")
SCOPE = Shape(
    kinds=frozenset({"object"}), fields={"metadata": METADATA, "time": TIME, "data": DATA}, closed=True
)

RESULTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("abs", "ceil", "floor", "length", "sum"), ("number",)),
    **dict.fromkeys(("avg", "to_number"), ("number", "null")),
    **dict.fromkeys(("contains", "ends_with", "starts_with"), ("boolean",)),
    **dict.fromkeys(("join", "to_string", "type"), ("string",)),
    **dict.fromkeys(("keys", "map", "sort", "sort_by", "to_array", "values"), ("array",)),
    **dict.fromkeys(("max", "min"), ("number", "string", "null")),
    "merge": ("object",),
    "reverse": ("array", "string"),
}
"""What JMESPath's functions give; those left out give whatever they are given."""
