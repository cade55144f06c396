"""When the runs of a stream end: what is known of a destination before its files are thought of.

Who takes rows in, and who seals, have neither the formats nor their libraries, and nothing here imports them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from functions.core import documents
from functions.core.documents import Field

_MEGABYTES = (1, 2_000)
_RECORDS = (1, 100_000_000)
_AGE_SECONDS = (1, 86_400)
_SEAL_SECONDS = (1, 30 * 86_400)
"""Well before the rows that are staged expire."""


class Flush(msgspec.Struct, frozen=True, kw_only=True):
    """When what has collected of a continuous stream becomes a file: as soon as one of these is reached.

    Megabytes are those of the staged rows, 1,000,000 bytes each; None is no limit.
    """

    max_megabytes: int = 128
    max_records: int | None = None
    max_age_seconds: int = 900


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What taking rows in needs of a definition, of whatever kind; `flush` is for continuous streams alone."""

    kind: str
    enabled: bool = True
    flush: Flush | None = None
    seal_after_seconds: int | None = None


def intake(document: Mapping[str, Any]) -> Intake:
    """The intake of a stored document.

    Raises:
        Refused: Its `flush` or `seal_after_seconds` are none.
    """
    given = {name: document.get(name) for name in INTAKE_FIELDS}
    return Intake(
        kind=str(document.get("kind")),
        enabled=document.get("enabled") is not False,
        **documents.read(given, INTAKE_FIELDS),
    )


def _flush(value: Any) -> Flush:
    return Flush(**documents.read(value, _FLUSH))


_FLUSH = {
    "max_megabytes": Field(documents.whole(*_MEGABYTES), default=128),
    "max_records": Field(documents.whole(*_RECORDS)),
    "max_age_seconds": Field(documents.whole(*_AGE_SECONDS), default=900),
}
INTAKE_FIELDS: dict[str, Field] = {
    "flush": Field(_flush),
    "seal_after_seconds": Field(documents.whole(*_SEAL_SECONDS)),
}
"""The fields of destinations of streams that say when a run ends."""
