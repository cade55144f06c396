"""How the files of a source are found: what is known of it without its converter.

Who plans listings, and who asks for access, have neither the formats nor their libraries, and nothing here
imports them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from functions.core import documents
from functions.core.definitions import connection
from functions.core.definitions.connection import Connection, across, fault
from functions.core.definitions.destination import ONLY, SOURCE
from functions.core.documents import Field, wrong
from functions.core.errors import Fault, Permanent
from functions.core.instants import Instant

_SCAN_MINUTES = (1, 1_440)
_DAY = len("2026-01-01")


class Discovery(Connection, frozen=True, kw_only=True):
    """Where a source's files lie, and how they are found.

    Without `credentials` the bucket is our own, into which files are dropped, and empty until the deployment has
    filled it in. `start_from` is in milliseconds since the epoch; None is `now`, and in no stored source.
    """

    notifications: bool = False
    scan_every_minutes: int = 15
    start_from: int | None = 0

    @property
    def ours(self) -> bool:
        """Whether it reads our own bucket."""
        return self.credentials is None

    def in_time(self, modified: int) -> bool:
        """Whether a file of this age is one of the source's; an upload counts from its beginning, as in S3."""
        return self.start_from is not None and modified >= self.start_from


def discovery(document: Mapping[str, Any]) -> Discovery:
    """The discovery of a stored document.

    Raises:
        Refused: Its fields are none.
    """
    given = {name: document.get(name) for name in FIELDS}
    values = documents.read(given, FIELDS)
    return Discovery(**{name: values[name] for name in Discovery.__struct_fields__})


def pinned(document: Mapping[str, Any], *, now: int, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The document with the moment that `now` is, in seconds since the epoch.

    In an update `now` is what it was: an update does not pass files over that nobody has imported yet.
    """
    if document.get("start_from") != "now":
        return dict(document)
    start = before.get("start_from", "beginning") if before else "beginning"
    if start == "beginning":
        start = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {**document, "start_from": start}


def between(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults that lie between the fields of a discovery."""
    yield from across(values)
    if "credentials" not in values or "bucket" not in values:
        return
    if values["credentials"] is None:
        for name in ("region", "owner", "kms_key_arn"):
            if values.get(name) is not None:
                message = "is of a customer's bucket, which is read by `credentials`"
                yield fault(name, message, "leave it out, or give the credentials")
    elif not values["bucket"]:
        yield fault("bucket", "is missing", "without `credentials` it is the deployment's own")


def _start(value: Any) -> int | None:
    """Milliseconds since the epoch."""
    if value == "beginning":
        return 0
    if value == "now":
        return None
    try:
        instant = Instant.parse(f"{value}T00:00:00Z" if len(str(value)) == _DAY else str(value))
    except Permanent:
        message = "must be `beginning`, `now`, a day in UTC, or an instant such as 2026-01-01T00:00:00Z"
        raise wrong(message) from None
    return instant.nanoseconds // 1_000_000


FIELDS: dict[str, Field] = {
    **connection.FIELDS,
    "kind": Field(documents.one_of(SOURCE), required=True),
    "bucket": msgspec.structs.replace(connection.BUCKET, default="", required=False),
    "credentials": msgspec.structs.replace(connection.CREDENTIALS, required=False),
    "notifications": Field(documents.boolean, default=False),
    "scan_every_minutes": Field(documents.whole(*_SCAN_MINUTES), default=15),
    "start_from": Field(_start, default=0),
    **{
        name: Field(connection.belongs_to(f"destinations of kind {kind}"))
        for kind, names in ONLY.items()
        for name in names
    },
    **{
        name: Field(connection.belongs_to("what writes objects"))
        for name in ("storage_class", "metadata", "key_template")
    },
}
"""The fields of sources that are known here, and those of destinations, which say whose they are."""
