"""Sources in the table of definitions, and as the importer uses them."""

from typing import Any

import msgspec
import pytest

from functions.adapters.definitions import Definitions, Stored, What
from functions.adapters.sources import Sources
from functions.core.errors import Code, Permanent
from tests.adapters.aws import REGION, Aws
from tests.adapters.stub_s3 import Answer, StubS3
from tests.adapters.test_destinations import Told
from tests.core.source_documents import SMALLEST


def _stored(version: int = 1, *, name: str = "acme-in", **changes: Any) -> Stored:
    return Stored(
        name=name,
        version=version,
        document=SMALLEST | {"name": name} | changes,
        created_at="2025-10-14T02:58:59Z",
        external_id=f"sluice-{name}",
    )


@pytest.fixture
def table(aws: Aws) -> str:
    return aws.table()


@pytest.fixture
def definitions(aws: Aws, table: str) -> Definitions:
    return Definitions(aws.client("dynamodb"), table=table, what=What.SOURCE)


def _sources(
    definitions: Definitions, *, sessions: Told | None = None, age: float = 60, url: str | None = None
) -> Sources:
    return Sources(definitions, sessions or Told(), region=REGION, max_age_seconds=age, endpoint_url=url)


def _items(aws: Aws, table: str) -> set[tuple[str, str]]:
    found = aws.client("dynamodb").scan(TableName=table)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]) for item in found}


def test_a_source_is_found_by_its_name_and_by_its_bucket(
    aws: Aws, table: str, definitions: Definitions
) -> None:
    definitions.put(_stored())
    assert _items(aws, table) == {
        ("source#acme-in", "current"),
        ("source#acme-in", "v000001"),
        ("sources", "acme-in"),
        ("bucket#acme-data", "acme-in"),
    }
    assert definitions.current("acme-in") == _stored()
    assert list(definitions.names()) == ["acme-in"]
    assert Definitions(aws.client("dynamodb"), table=table).current("acme-in") is None


def test_the_index_of_buckets_follows_every_version(definitions: Definitions) -> None:
    definitions.put(_stored())
    definitions.put(_stored(name="beta"))
    definitions.put(_stored(2, bucket="acme-elsewhere"))
    assert list(definitions.of_bucket("acme-data")) == ["beta"]
    assert list(definitions.of_bucket("acme-elsewhere")) == ["acme-in"]
    definitions.put(_stored(3, bucket="acme-data"))
    assert list(definitions.of_bucket("acme-data")) == ["acme-in", "beta"]
    definitions.delete(_stored(3, bucket="acme-data"))
    assert list(definitions.of_bucket("acme-data")) == ["beta"]
    definitions.put(_stored(4, bucket="acme-elsewhere"))
    assert list(definitions.of_bucket("acme-elsewhere")) == ["acme-in"]


def test_a_version_that_is_refused_leaves_the_index_as_it_was(definitions: Definitions) -> None:
    definitions.put(_stored())
    with pytest.raises(Permanent):
        definitions.put(_stored(3, bucket="acme-elsewhere"))
    assert list(definitions.of_bucket("acme-data")) == ["acme-in"]
    assert list(definitions.of_bucket("acme-elsewhere")) == []


def test_a_destination_has_no_place_in_the_index(aws: Aws, table: str) -> None:
    document = {"name": "acme", "kind": "messages", "bucket": "acme-data"}
    Definitions(aws.client("dynamodb"), table=table).put(
        msgspec.structs.replace(_stored(name="acme"), document=document)
    )
    assert {pk for pk, _ in _items(aws, table)} == {"destination#acme", "destinations"}


def test_sources_are_looked_up_once_while_they_may_be_used(definitions: Definitions) -> None:
    definitions.put(_stored())
    definitions.put(_stored(name="off", enabled=False))
    sources = _sources(definitions)
    assert [each.name for each in sources.of_bucket("acme-data")] == ["acme-in", "off"]
    definitions.put(_stored(2, prefix="new/"))
    definitions.put(_stored(name="later"))
    [found, _] = sources.of_bucket("acme-data")
    assert (found.version, found.source.prefix) == (1, "")
    assert sources.get("acme-in") == found
    now = _sources(definitions, age=0)
    assert [(each.name, each.version) for each in now.of_bucket("acme-data")] == [
        ("acme-in", 2),
        ("later", 1),
        ("off", 1),
    ]


def test_what_there_is_not(definitions: Definitions) -> None:
    sources = _sources(definitions)
    assert sources.of_bucket("acme-data") == []
    assert sources.get("acme-in") is None
    with pytest.raises(Permanent, match="no version 1 of the source") as raised:
        sources.version("acme-in", 1)
    assert raised.value.code is Code.BAD_MESSAGE


def test_a_version_is_read_with_the_credentials_of_now(definitions: Definitions, stub: StubS3) -> None:
    definitions.put(_stored(owner="111122223333"))
    definitions.put(msgspec.structs.replace(_stored(2, prefix="new/"), secret_arn="arn:new"))
    sessions = Told()
    opened = _sources(definitions, sessions=sessions, url=stub.url).version("acme-in", 1)
    assert (opened.source.prefix, opened.version) == ("", 1)
    assert opened.bucket.head("a").size == 0
    assert [(asked.method, asked.path) for asked in stub.asked] == [("HEAD", "/acme-data/a")]
    assert stub.asked[0].headers["x-amz-expected-bucket-owner"] == "111122223333"
    assert sessions.opened == [("acme-in", "sluice-acme-in", "arn:new")]


def test_whether_a_bucket_still_tells_us_is_asked_of_it_where_it_is_to(
    definitions: Definitions, stub: StubS3
) -> None:
    arrivals = "arn:aws:sqs:eu-central-1:999988887777:sluice-arrivals"
    definitions.put(_stored())
    definitions.put(_stored(name="told", notifications=True))
    sources = _sources(definitions, url=stub.url)
    stub.answer = lambda _: Answer(
        body=b"<NotificationConfiguration/>", headers={"Content-Type": "application/xml"}
    )
    assert sources.version("acme-in", 1).is_told(arrivals)
    assert stub.asked == []
    assert not sources.version("told", 1).is_told(arrivals)
    queue = f"<Queue>{arrivals}</Queue><Event>s3:ObjectCreated:*</Event>"
    rule = f"<QueueConfiguration>{queue}</QueueConfiguration>"
    found = f"<NotificationConfiguration>{rule}</NotificationConfiguration>".encode()
    stub.answer = lambda _: Answer(body=found, headers={"Content-Type": "application/xml"})
    assert sources.version("told", 1).is_told(arrivals)
