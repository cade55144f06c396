"""Every call that is made on a customer's bucket, recorded as it goes over the wire and judged by the policy."""

from typing import Any

import pytest

from functions.adapters.objects import Bucket
from functions.core import policies
from functions.core.outcomes import State
from functions.message_writer.write import MessageWriter
from tests.adapters.conftest import credentials
from tests.adapters.judging import needed
from tests.adapters.stub_s3 import Answer, Asked, StubS3, refusal
from tests.fakes import FakeDestinations, FakeFailures, FakePayloads, FakeQueue, Journal
from tests.message_writer.records import body_of, record
from tests.policy_evaluator import Document, Request, allows, without_each

KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
OWNER = "111122223333"

JOBS: list[dict[str, Any]] = [
    {},
    {"on_existing": "keep"},
    {"kms_key_arn": KEY_ARN},
    {"on_existing": "keep", "kms_key_arn": KEY_ARN, "owner": OWNER, "storage_class": "GLACIER_IR"},
]
IDS = ["put", "keep", "encrypted", "all"]


class Opened(FakeDestinations):
    """Destinations whose buckets are at the stub's address."""

    def __init__(self, stub: StubS3) -> None:
        super().__init__()
        self._stub = stub

    def bucket(self, name: str) -> Any:
        """As the port says."""
        definition = self.definition(name)
        assert definition is not None
        return Bucket(
            definition.bucket,
            region="eu-central-1",
            credentials=credentials,
            owner=definition.owner,
            kms_key_arn=definition.kms_key_arn,
            endpoint_url=self._stub.url,
        )


class Remembering:
    """Answers as a bucket does that keeps what is there, and says which message that is."""

    def __init__(self) -> None:
        self._there: dict[str, str] = {}

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "HEAD":
            return Answer(headers={"x-amz-meta-sluice-id": self._there[asked.key]})
        if asked.key in self._there and "if-none-match" in asked.headers:
            return refusal(412, "PreconditionFailed")
        self._there[asked.key] = asked.headers["x-amz-meta-sluice-id"]
        return Answer()


def _recorded(stub: StubS3, changes: dict[str, Any]) -> list[Request]:
    """Deliver two messages, one of them under an odd key, and each once more."""
    stub.answer = Remembering()
    destinations = Opened(stub)
    destinations.add(prefix="in/", key_template='metadata."event-id"', **changes)
    journal = Journal()
    writer = MessageWriter(
        destinations=destinations,
        payloads=FakePayloads(journal),
        failures=FakeFailures(journal),
        queue=FakeQueue(journal),
    )
    for name in ("a", "a", "a//b", "a//b"):
        assert writer.write(record(body_of(id=name))).state is State.DELIVERED
    return [request for asked in stub.asked for request in needed(asked)]


def _policy(changes: dict[str, Any]) -> Document:
    destinations = FakeDestinations()
    destinations.add(prefix="in/", **changes)
    definition = destinations.definition("acme")
    assert definition is not None
    return policies.access(definition)


@pytest.mark.parametrize("changes", JOBS, ids=IDS)
def test_every_call_is_allowed_and_none_of_the_policy_is_idle(stub: StubS3, changes: dict[str, Any]) -> None:
    calls = _recorded(stub, changes)
    document = _policy(changes)
    assert [call for call in calls if not allows(document, call)] == []
    for missing, rest in without_each(document):
        assert not all(allows(rest, call) for call in calls), f"nothing needs {missing}"


@pytest.mark.parametrize("changes", JOBS, ids=IDS)
def test_every_call_expects_the_owner_where_it_is_known(stub: StubS3, changes: dict[str, Any]) -> None:
    _recorded(stub, changes)
    assert {asked.headers.get("x-amz-expected-bucket-owner") for asked in stub.asked} == {
        changes.get("owner")
    }
