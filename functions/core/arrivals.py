"""What comes to the queue of arrivals: notifications of objects, in both of their shapes, and tasks of our own."""

from typing import Annotated, Any
from urllib.parse import unquote_plus

import msgspec
from msgspec import Meta

from functions.core.errors import Code, Permanent

_Key = Annotated[str, Meta(min_length=1)]


class ObjectArrived(msgspec.Struct, frozen=True):
    """An object was created, or may have been: whoever is told looks for itself."""

    bucket: str
    key: str


class FileTask(msgspec.Struct, frozen=True, kw_only=True, tag_field="task", tag="file"):
    """Begin a file of a source, or go on with it."""

    source_id: _Key
    key: _Key


class ScanTask(msgspec.Struct, frozen=True, kw_only=True, tag_field="task", tag="scan"):
    """Go on with the pass over a source's bucket that began then, in seconds since the epoch; with 0 begin another.

    Where it goes on is the ledger's.
    """

    source_id: _Key
    began: int = 0


Arrival = ObjectArrived | FileTask | ScanTask

_Task = FileTask | ScanTask


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Object(msgspec.Struct, frozen=True):
    key: str


class _S3(msgspec.Struct, frozen=True):
    bucket: _Named
    object: _Object


class _Notification(msgspec.Struct, frozen=True, kw_only=True):
    event_name: str = msgspec.field(name="eventName")
    s3: _S3


class _Detail(msgspec.Struct, frozen=True):
    bucket: _Named
    object: _Object


def parse_arrivals(body: bytes) -> list[Arrival]:
    """What a message tells: a notification may tell of several objects, or of none that matters.

    S3's own shape: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html,
    keys form-encoded; EventBridge's: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html, keys
    as they are.

    Raises:
        Permanent: `BAD_MESSAGE`; it is none of these.
    """
    try:
        given = msgspec.json.decode(body)
        if not isinstance(given, dict):
            raise _unknown()
        if "task" in given:
            return [msgspec.convert(given, _Task)]
        if "Records" in given:
            records = msgspec.convert(given["Records"], list[_Notification])
            return [_arrived(record) for record in records if _creates(record)]
        if given.get("source") == "aws.s3":
            return _by_event_bridge(given)
        if given.get("Event") == "s3:TestEvent":
            return []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _unknown() from None
    raise _unknown()


def _by_event_bridge(given: dict[str, Any]) -> list[Arrival]:
    if given.get("detail-type") != "Object Created":
        return []
    detail = msgspec.convert(given.get("detail"), _Detail)
    return [ObjectArrived(detail.bucket.name, detail.object.key)]


def _creates(record: _Notification) -> bool:
    return record.event_name.removeprefix("s3:").startswith("ObjectCreated:")


def _arrived(record: _Notification) -> ObjectArrived:
    return ObjectArrived(record.s3.bucket.name, unquote_plus(record.s3.object.key, errors="strict"))


def _unknown() -> Permanent:
    return Permanent(Code.BAD_MESSAGE, "the body is neither a notification of S3's nor a task of import")
