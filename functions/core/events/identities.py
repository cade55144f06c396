"""Who and what an event is about, and the ids that are made where none is given: functions of their input."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

MIN_ID_LENGTH = 5
"""The default of a source."""

NO_IDS = frozenset(
    {
        *(
            "anonymous",
            "nil",
            "none",
            "null",
            "n/a",
            "na",
            "undefined",
            "unknown",
            "",
            "{}",
            "lmy47d",
            "0",
            "-1",
        ),
        "00000000-0000-0000-0000-000000000000",
    }
)
"""What senders write for want of an id; compared without regard to capitals."""

_NAMESPACE = bytes.fromhex("8f0c2b1f6d1a5f6e9d7a4c1b3e5d7f90")
_ENCODE = msgspec.json.Encoder().encode


def insert_id(event: Mapping[str, Any]) -> str | None:
    """The insert id that an event brings, under either of its names."""
    return event.get("insert_id") or event.get("$insert_id")


def made_insert_id(bucket: str, key: str, record: int) -> str:
    """The insert id of a record that brings none: the same whenever its file is read."""
    return uuid5("insert_id", bucket, key, record)


def event_identity(event: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """What tells an event of a mirror from others: user, insert id and time."""
    return event.get("user_id"), insert_id(event), event.get("time")


def claim(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """What two events of one project have in common if one repeats the other; None without an insert id.

    The insert id and the device, or the user of an event without device.
    """
    given = insert_id(event)
    return (given, event.get("device_id") or event.get("user_id") or "") if given else None


def amplitude_id(project: int, event: Mapping[str, Any]) -> int:
    """63 bits that are the same for the same user of a project, else device, unless the event brings its own."""
    given = event.get("amplitude_id")
    if given is not None:
        return int(given)
    user = event.get("user_id")
    of = ["user_id", user] if user else ["device_id", event.get("device_id")]
    return int.from_bytes(hashlib.sha256(_ENCODE([project, *of])).digest()[:8], "big") >> 1


def uuid5(*parts: Any) -> str:
    """A UUID of version 5 whose name is these parts, as JSON."""
    digest = bytearray(hashlib.sha1(_NAMESPACE + _ENCODE(parts), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
