"""A user's events taken out of a part."""

import gzip
import json
from typing import Any

import pytest

from functions.core.erasure import without
from functions.core.errors import Refused
from functions.core.event_groups import EventPart
from functions.core.profiles import Kind, Subject

ADA = Subject(7, Kind.USER, "ada@example.com")
PHONE = Subject(7, Kind.DEVICE, "phone-1")


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in events)


HERS = {"user_id": "ada@example.com", "device_id": "phone-1", "n": 1}
NOBODYS = {"user_id": None, "device_id": "phone-1", "n": 2}
HIS = {
    "user_id": "bob@example.com",
    "device_id": "phone-1",
    "event_properties": {"user_id": "ada@example.com"},
}


@pytest.mark.parametrize(("subject", "left"), [(ADA, [NOBODYS, HIS]), (PHONE, [HERS, HIS])])
def test_the_events_of_a_user_or_of_a_device_without_one_go(
    subject: Subject, left: list[dict[str, Any]]
) -> None:
    cleared = without(gzip.compress(lines(HERS, NOBODYS, HIS)), "part", subject)
    assert cleared is not None
    assert gzip.decompress(cleared.body) == lines(*left)
    assert (cleared.events, cleared.bytes, cleared.removed) == (2, len(lines(*left)), 1)
    part = cleared.of(EventPart(key="part", events=3, bytes=9, compressed=9, origin="chunk 1"))
    assert part == EventPart(
        key="part", events=2, bytes=cleared.bytes, compressed=len(cleared.body), origin="chunk 1"
    )


def test_a_part_without_events_of_the_user_stays() -> None:
    assert without(gzip.compress(lines(NOBODYS, HIS)), "part", ADA) is None


def test_a_part_may_become_empty() -> None:
    cleared = without(gzip.compress(lines(HERS)), "part", ADA)
    assert cleared is not None
    assert (gzip.decompress(cleared.body), cleared.events) == (b"", 0)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"no json\n"), gzip.compress(lines(HERS))[:-9]]
)
def test_a_damaged_part_is_told(content: bytes) -> None:
    with pytest.raises(Refused, match="part"):
        without(content, "part", ADA)
