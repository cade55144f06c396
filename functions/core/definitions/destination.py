"""What every destination has: a connection to the customer's bucket, and how objects are stored there."""

from collections.abc import Callable, Mapping
from typing import Any

from functions.core import documents, metadata
from functions.core.definitions import connection
from functions.core.definitions.connection import Connection, KeyCredentials, RoleCredentials, fault
from functions.core.documents import Field, wrong
from functions.core.errors import Code, Permanent, Refused
from functions.core.records import Queue

STORAGE_CLASSES = (
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
)
ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""The storage classes whose objects cannot be read back at once."""


ONLY: Mapping[str, tuple[str, ...]] = {
    "messages": ("body", "on_existing"),
    "streams": (
        "format",
        "compression",
        "delimited",
        "parquet",
        "split",
        "columns",
        "pgp_public_key",
        "success_file",
        "manifest",
        "content_encoding",
        "flush",
        "seal_after_seconds",
    ),
}
"""The kinds, each with the fields that it alone has: known here, since no kind imports the modules of another."""


SOURCE = "files"
"""The kind of sources, which are no destinations."""


class Destination(Connection, frozen=True, kw_only=True):
    """A checked destination of any kind; only `parse_destination` makes one."""

    credentials: RoleCredentials | KeyCredentials
    storage_class: str = "STANDARD"
    metadata: Mapping[str, str] = {}


def of_another_kind(name: str, kind: str) -> Permanent:
    """What is said of a message that came to the queue of one kind, for a destination of another."""
    queue = Queue.RECORDS if kind == "streams" else Queue.MESSAGES
    text = f"the destination `{name}` is of kind {kind}: what is for it belongs to the queue of {queue}"
    return Permanent(Code.BAD_MESSAGE, text)


def fields_of(kind: str, own: Mapping[str, Field]) -> dict[str, Field]:
    """All fields of a kind: the shared ones, its `own`, and those of other kinds, which say whose they are."""
    foreign = {
        name: Field(_belongs_to(other)) for other, names in ONLY.items() if other != kind for name in names
    }
    return {**FIELDS, **own, **foreign}


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise wrong("must be a mapping of names to text")
    faults = [
        fault(str(name), f"must be text, not {documents.kind(given)}", "quote it")
        for name, given in value.items()
        if not isinstance(given, str)
    ]
    texts = {name: given for name, given in value.items() if isinstance(given, str)}
    faults += [fault(name, why) for name, why in metadata.faults(texts)]
    faults += [fault(name, "is reserved") for name in value if name.lower() == metadata.RESERVED]
    if not faults and (size := metadata.size(metadata.encoded(texts))) > metadata.MAX_BYTES:
        faults.append(fault("", f"has {size} bytes, S3 takes at most {metadata.MAX_BYTES}"))
    if faults:
        raise Refused(faults)
    return value


def _belongs_to(kind: str) -> Callable[[Any], Any]:
    def check(_: Any) -> Any:
        raise wrong(f"belongs to destinations of kind {kind}", f"leave it out, or say `kind: {kind}`")

    return check


def _kind(value: Any) -> str:
    kind = documents.one_of(*ONLY, SOURCE)(value)
    if kind == SOURCE:
        raise wrong("is that of a source, and not of a destination", "use the commands of `sluice source`")
    return kind


FIELDS: dict[str, Field] = {
    **connection.FIELDS,
    "kind": Field(_kind, required=True),
    "storage_class": Field(documents.one_of(*STORAGE_CLASSES, fold=str.upper), default="STANDARD"),
    "metadata": Field(_metadata, default={}),
}
"""The fields of destinations of all kinds."""
