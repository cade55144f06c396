"""Who and what an event is about, and the ids that are made where none is given: functions of their input."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

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

_NAMESPACE = hashlib.sha1(bytes.fromhex("8f0c2b1f6d1a5f6e9d7a4c1b3e5d7f90"), usedforsecurity=False)
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def insert_id(event: Mapping[str, Any]) -> str | None:
    """The insert id that an event brings, under either of its names."""
    return event.get("insert_id") or event.get("$insert_id")


def made_insert_id(bucket: str, key: str, record: int) -> str:
    """The insert id of a record that brings none: the same whenever its file is read."""
    return uuid5(f"insert_id {record} {bucket} {key}")


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
    return (
        _number_of(project, "user_id", user)
        if user
        else _number_of(project, "device_id", event.get("device_id"))
    )


def event_uuid(project: int, device: str | None, insert_id: str) -> str:
    """The UUID of an event with an insert id."""
    return uuid5(f"event {project} {-1 if device is None else len(device)} {device} {insert_id}")


def uuid5(name: str) -> str:
    """The UUID of version 5 of a name; two things must not have one name."""
    digest = _NAMESPACE.copy()
    digest.update(name.encode("utf-8", "surrogatepass"))
    text = digest.hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


@lru_cache(maxsize=65_536)
def _number_of(project: int, kind: str, who: str | None) -> int:
    name = f"{kind} {project} {who}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big") >> 1
