from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from functions.adapters.definitions import Definitions, Stored
from functions.adapters.destinations import ABSENT_SECONDS, Destinations
from functions.adapters.sessions import Sessions
from functions.core.definitions.connection import KeyCredentials, RoleCredentials
from functions.core.definitions.destination import Destination
from functions.core.errors import Code, Permanent, Transient
from tests.adapters.aws import REGION, Aws
from tests.adapters.stub_s3 import StubS3

ROLE = {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"}


class Told(Sessions):
    """Sessions that remember for whom they were opened; each has keys of its own."""

    def __init__(self, seconds: float = 3_000.0) -> None:
        super().__init__(sts=pytest.fail, secrets=pytest.fail)
        self.opened: list[tuple[str, str, str | None]] = []
        self.fault: Exception | None = None
        self._seconds = seconds

    def open(
        self,
        name: str,
        credentials: RoleCredentials | KeyCredentials | None,
        *,
        external_id: str,
        secret_arn: str | None,
    ) -> tuple[dict[str, Any], float]:
        if self.fault:
            raise self.fault
        self.opened.append((name, external_id, secret_arn))
        keys = {"access_key_id": f"AKIA{name.upper()}", "secret_access_key": "s", "token": None}
        return keys | {"expires_at": None}, self._seconds


def _stored(version: int = 1, *, name: str = "acme", **changes: Any) -> Stored:
    document = {"name": name, "kind": "messages", "bucket": f"{name}-data", "credentials": ROLE} | changes
    return Stored(
        name=name,
        version=version,
        document=document,
        created_at="2025-10-14T02:58:59Z",
        external_id=f"sluice-{name}",
    )


@pytest.fixture
def definitions(aws: Aws) -> Definitions:
    return Definitions(aws.client("dynamodb"), table=aws.table())


@pytest.fixture
def sessions() -> Told:
    return Told()


def _destinations(
    definitions: Definitions,
    sessions: Sessions,
    *,
    kind: str = "messages",
    url: str | None = None,
    age: float = 60,
) -> Destinations[Destination]:
    return Destinations(
        definitions, sessions, kind=kind, region=REGION, max_age_seconds=age, endpoint_url=url
    )


def test_a_definition_is_looked_up_once_while_it_may_be_used(
    definitions: Definitions, sessions: Told
) -> None:
    destinations = _destinations(definitions, sessions)
    definitions.put(_stored(1, prefix="one/"))
    first = destinations.definition("acme")
    definitions.put(_stored(2, prefix="two/"))
    assert first is not None
    assert destinations.definition("acme") is first


def test_a_newer_version_is_found_once_the_older_is_too_old(definitions: Definitions, sessions: Told) -> None:
    destinations = _destinations(definitions, sessions, age=0)
    for version, prefix in ((1, "one/"), (2, "two/")):
        definitions.put(_stored(version, prefix=prefix))
        found = destinations.definition("acme")
        assert found is not None
        assert found.prefix == prefix


def test_a_destination_that_there_is_not_is_none_and_not_for_long(
    definitions: Definitions, sessions: Told
) -> None:
    destinations = _destinations(definitions, sessions)
    assert destinations.definition("acme") is None
    with pytest.raises(Permanent) as raised:
        destinations.bucket("acme")
    assert raised.value.code is Code.BAD_MESSAGE
    assert ABSENT_SECONDS <= 1


def test_each_destination_has_its_own_bucket_and_its_own_credentials(
    definitions: Definitions, sessions: Told, stub: StubS3
) -> None:
    destinations = _destinations(definitions, sessions, url=stub.url)
    for name in ("acme", "beta"):
        definitions.put(_stored(name=name))
    for name in ("acme", "beta", "acme"):
        destinations.bucket(name).put("a", b"{}")
    assert [asked.path for asked in stub.asked] == ["/acme-data/a", "/beta-data/a", "/acme-data/a"]
    signed = [asked.headers["authorization"].split("Credential=")[1].split("/")[0] for asked in stub.asked]
    assert signed == ["AKIAACME", "AKIABETA", "AKIAACME"]
    assert sessions.opened == [("acme", "sluice-acme", None), ("beta", "sluice-beta", None)]


def test_a_new_version_is_opened_anew(definitions: Definitions, sessions: Told, stub: StubS3) -> None:
    destinations = _destinations(definitions, sessions, url=stub.url, age=0)
    definitions.put(_stored(1))
    destinations.bucket("acme").put("a", b"{}")
    definitions.put(_stored(2, bucket="acme-elsewhere", owner="111122223333"))
    destinations.bucket("acme").put("a", b"{}")
    assert [asked.path for asked in stub.asked] == ["/acme-data/a", "/acme-elsewhere/a"]
    assert stub.asked[1].headers["x-amz-expected-bucket-owner"] == "111122223333"
    assert len(sessions.opened) == 2


def test_a_session_that_is_over_is_opened_anew(definitions: Definitions, stub: StubS3) -> None:
    sessions = Told(seconds=0)
    destinations = _destinations(definitions, sessions, url=stub.url)
    definitions.put(_stored())
    for _ in range(2):
        destinations.bucket("acme").put("a", b"{}")
    assert len(sessions.opened) == 2


def test_credentials_that_cannot_be_had_are_told_each_time(definitions: Definitions, sessions: Told) -> None:
    destinations = _destinations(definitions, sessions)
    definitions.put(_stored())
    sessions.fault = Permanent(Code.INVALID_CREDENTIALS, "no")
    for _ in range(2):
        with pytest.raises(Permanent):
            destinations.bucket("acme")
    sessions.fault = None
    destinations.bucket("acme")
    assert len(sessions.opened) == 1


def test_the_bucket_is_in_the_definitions_region_before_the_deployments(
    definitions: Definitions, sessions: Told, stub: StubS3
) -> None:
    destinations = _destinations(definitions, sessions, url=stub.url)
    definitions.put(_stored(name="here"))
    definitions.put(_stored(name="there", region="us-west-2"))
    for name in ("here", "there"):
        destinations.bucket(name).put("a", b"{}")
    regions = [asked.headers["authorization"].split("Credential=")[1].split("/")[2] for asked in stub.asked]
    assert regions == [REGION, "us-west-2"]


def test_a_table_that_cannot_be_read_is_transient(aws: Aws, sessions: Told) -> None:
    destinations = _destinations(Definitions(aws.client("dynamodb"), table="no-such-table"), sessions)
    with pytest.raises(Transient):
        destinations.definition("acme")


def test_a_stored_definition_that_is_at_fault_is_told(definitions: Definitions, sessions: Told) -> None:
    definitions.put(msgspec.structs.replace(_stored(), document={"name": "acme"}))
    with pytest.raises(Permanent) as raised:
        _destinations(definitions, sessions).definition("acme")
    assert raised.value.code is Code.BAD_DEFINITION


class Vanishing(Definitions):
    """A table from which a definition is deleted after it was read once; its versions stay."""

    def __init__(self) -> None:
        self._answers: list[Stored | None] = [_stored()]

    def current(self, name: str) -> Stored | None:
        return self._answers.pop() if self._answers else None

    def version(self, name: str, number: int) -> Stored | None:
        return _stored() if number == 1 else None


def test_a_destination_that_is_deleted_before_it_is_opened_is_opened_as_it_was(sessions: Told) -> None:
    _destinations(Vanishing(), sessions, age=0).bucket("acme")
    assert sessions.opened == [("acme", "sluice-acme", None)]


STREAMS = {"kind": "streams", "format": "csv"}


@pytest.mark.parametrize(
    ("kind", "stored", "queue"), [("messages", STREAMS, "records"), ("streams", {}, "messages")]
)
def test_a_destination_of_another_kind_is_told_with_the_queue_that_is_meant(
    definitions: Definitions, sessions: Told, kind: str, stored: dict[str, Any], queue: str
) -> None:
    destinations = _destinations(definitions, sessions, kind=kind)
    definitions.put(_stored(**stored))
    calls: list[Callable[[], object]] = [
        lambda: destinations.definition("acme"),
        lambda: destinations.bucket("acme"),
        lambda: destinations.version("acme", 1),
    ]
    for call in calls:
        with pytest.raises(Permanent, match=f"belongs to the queue of {queue}") as raised:
            call()
        assert raised.value.code is Code.BAD_MESSAGE
    assert sessions.opened == []


def test_a_pinned_version_is_written_to_with_the_credentials_of_now(
    definitions: Definitions, sessions: Told, stub: StubS3
) -> None:
    definitions.put(_stored(1, **STREAMS, prefix="one/"))
    newer = _stored(2, **STREAMS, bucket="acme-elsewhere", prefix="two/")
    definitions.put(msgspec.structs.replace(newer, secret_arn="arn:new"))
    destinations = _destinations(definitions, sessions, kind="streams", url=stub.url)
    for _ in range(2):
        pinned = destinations.version("acme", 1)
        assert pinned.destination.prefix == "one/"
        pinned.bucket.put("one/a", b"{}")
    destinations.version("acme", 2).bucket.put("two/a", b"{}")
    assert [asked.path for asked in stub.asked] == [
        "/acme-data/one/a",
        "/acme-data/one/a",
        "/acme-elsewhere/two/a",
    ]
    assert sessions.opened == [("acme", "sluice-acme", "arn:new")] * 2


@pytest.mark.parametrize("successor", [None, "sluice-somebody-else"], ids=["deleted", "of-another"])
def test_a_version_of_a_connection_that_is_no_more_has_its_own_credentials(
    definitions: Definitions, sessions: Told, successor: str | None
) -> None:
    first = msgspec.structs.replace(_stored(1, **STREAMS), secret_arn="arn:old")
    definitions.put(first)
    definitions.delete(first)
    if successor:
        second = msgspec.structs.replace(_stored(2, **STREAMS), external_id=successor, secret_arn="arn:new")
        definitions.put(second)
    _destinations(definitions, sessions, kind="streams").version("acme", 1)
    assert sessions.opened == [("acme", "sluice-acme", "arn:old")]


def test_a_version_that_there_never_was(definitions: Definitions, sessions: Told) -> None:
    definitions.put(_stored(1, **STREAMS))
    with pytest.raises(Permanent, match="no version 7"):
        _destinations(definitions, sessions, kind="streams").version("acme", 7)
