"""The whole function in this process, against moto: what the table, buckets and queue look like after it."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.adapters.definitions import Definitions, Stored
from functions.adapters.failures import FailureLedger
from functions.adapters.objects import Bucket
from functions.core.errors import Code
from functions.core.failures import State
from functions.core.messages import POINTER_CLASS
from functions.core.settings import variables
from tests.adapters.aws import KEYS, REGION, Aws
from tests.adapters.conftest import credentials
from tests.adapters.telemetry_reading import logged, metrics_of
from tests.events import recorded, sqs_event
from tests.message_writer.records import body_of

HANDLER = "functions.message_writer.handler"
ROLE = {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"}


@dataclass(frozen=True)
class Context:
    """Of Lambda's context what the handler asks for."""

    milliseconds: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One deployment with its handler."""

    aws: Aws
    definitions: Definitions
    ledger: FailureLedger
    ledger_table: str
    data_bucket: str
    queue_url: str
    handler: Callable[[dict[str, Any], Context], dict[str, Any]]

    def invoke(self, event: dict[str, Any], context: Context | None = None) -> list[str]:
        """What must come back; the answer is one that Lambda can send."""
        answer = json.loads(json.dumps(self.handler(event, context or Context())))
        assert answer.keys() == {"batchItemFailures"}
        return [item["itemIdentifier"] for item in answer["batchItemFailures"]]

    def destination(self, name: str | None = None, **changes: Any) -> tuple[str, str]:
        """Store a destination with an empty bucket; its name and its bucket's."""
        name = name or self.aws.name("acme")
        bucket = changes.pop("bucket", None) or self.aws.bucket()
        self.definitions.put(_stored(name, bucket, **changes))
        return name, bucket


def _stored(name: str, bucket: str, **changes: Any) -> Stored:
    document = {"name": name, "kind": "messages", "bucket": bucket, "credentials": ROLE} | changes
    return Stored(
        name=name,
        version=1,
        document=document,
        created_at="2025-10-14T02:58:59Z",
        external_id="sluice-1",
    )


@pytest.fixture(scope="module")
def deployment(aws: Aws) -> Iterator[Deployment]:
    tables = {"definitions_table": aws.table(), "ledger_table": aws.table()}
    bucket = aws.bucket()
    queue_url = aws.client("sqs").create_queue(QueueName=aws.name("queue"))["QueueUrl"]
    environment = variables(**tables, data_bucket=bucket, queue_url=queue_url, writes_at_once=4) | {
        "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.url,
        "POWERTOOLS_SERVICE_NAME": "message-writer",
        "POWERTOOLS_METRICS_NAMESPACE": "Sluice",
    }
    dynamodb = aws.client("dynamodb")
    own = Bucket(bucket, region=REGION, credentials=credentials, endpoint_url=aws.url)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        # The module reads its environment when it is imported, once in a process of Lambda's.
        sys.modules.pop(HANDLER, None)
        yield Deployment(
            aws=aws,
            definitions=Definitions(dynamodb, table=tables["definitions_table"]),
            ledger=FailureLedger(dynamodb, table=tables["ledger_table"], bucket=own, retention_days=400),
            ledger_table=tables["ledger_table"],
            data_bucket=bucket,
            queue_url=queue_url,
            handler=import_module(HANDLER).handler,
        )
        sys.modules.pop(HANDLER)


def test_a_recorded_event_becomes_objects(deployment: Deployment) -> None:
    _, bucket = deployment.destination("acme", prefix="in/")
    assert deployment.invoke(recorded()) == []
    assert deployment.aws.keys(bucket) == [
        "in/2025-10-09T08:53:20Z_71d4a5b0-0000-4000-8000-000000000001.json",
        "in/2025-10-14T02:58:59.323Z_evt-1.json",
    ]
    assert deployment.aws.body(bucket, "in/2025-10-14T02:58:59.323Z_evt-1.json") == b'{"data": {"n":  1.0}}'


def test_a_batch_that_is_delivered_again_changes_nothing(deployment: Deployment) -> None:
    name, bucket = deployment.destination()
    event = sqs_event(*(body_of(name, id=str(number)) for number in range(5)))
    assert deployment.invoke(event) == []
    before = {key: deployment.aws.body(bucket, key) for key in deployment.aws.keys(bucket)}
    assert deployment.invoke(event) == []
    assert {key: deployment.aws.body(bucket, key) for key in deployment.aws.keys(bucket)} == before


@pytest.mark.parametrize("existing", ["overwrite", "keep"])
def test_a_message_that_is_twice_in_one_batch_is_one_object(deployment: Deployment, existing: str) -> None:
    name, bucket = deployment.destination(on_existing=existing)
    assert deployment.invoke(sqs_event(*[body_of(name, id="evt")] * 6)) == []
    assert len(deployment.aws.keys(bucket)) == 1
    assert list(deployment.ledger.of(name)) == []


def test_bad_messages_are_kept_and_the_others_of_their_batch_delivered(deployment: Deployment) -> None:
    name, bucket = deployment.destination(key_template="data.name", on_existing="overwrite")
    good = [body_of(name, data={"name": f"n{number}"}) for number in range(4)]
    bad = [body_of(name, data={"name": "../x"}), body_of(name, data={})]
    assert deployment.invoke(sqs_event(good[0], bad[0], *good[1:3], bad[1], good[3])) == []
    assert deployment.aws.keys(bucket) == ["n0", "n1", "n2", "n3"]
    failures = list(deployment.ledger.of(name))
    assert {failure.code for failure in failures} == {Code.BAD_KEY}
    assert sorted(deployment.ledger.body(failure.id).decode() for failure in failures) == sorted(bad)


def test_a_failure_that_is_cured_and_retried_is_resolved(deployment: Deployment) -> None:
    bucket = deployment.aws.name("bucket-of-later")
    name, _ = deployment.destination(bucket=bucket)
    body = body_of(name)
    assert deployment.invoke(sqs_event(body)) == []
    [failure] = deployment.ledger.of(name)
    assert (failure.state, failure.code) == (State.OPEN, Code.INVALID_BUCKET)
    deployment.aws.client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    original = {
        "SluiceFailure": failure.id,
        "SluiceMessageId": failure.message_id,
        "SluiceSentTimestamp": str(failure.sent_ms),
    }
    assert deployment.invoke(sqs_event(body, attributes=original)) == []
    [settled] = deployment.ledger.of(name)
    assert settled.state is State.RESOLVED
    assert deployment.aws.keys(bucket) == ["2025-10-14T02:58:59.323Z_message-0.json"]


def test_a_disabled_destinations_messages_are_held_in_order(deployment: Deployment) -> None:
    name, bucket = deployment.destination(enabled=False)
    bodies = [body_of(name, id=str(number)) for number in range(4)]
    event = sqs_event(*bodies)
    for number, each in enumerate(event["Records"]):
        each["attributes"]["SentTimestamp"] = str(1_760_410_739_323 + number)
    assert deployment.invoke(event) == []
    assert deployment.aws.keys(bucket) == []
    held = [deployment.ledger.body(found.id).decode() for found in deployment.ledger.held(name)]
    assert held == bodies


def test_a_body_that_sqs_did_not_take_is_fetched(deployment: Deployment) -> None:
    name, bucket = deployment.destination(body="payload")
    key = f"payloads/{name}"
    body = body_of(name, data={"x": "y" * 2_000_000})
    deployment.aws.client("s3").put_object(Bucket=deployment.data_bucket, Key=key, Body=body.encode())
    pointer = json.dumps([POINTER_CLASS, {"s3BucketName": deployment.data_bucket, "s3Key": key}])
    assert deployment.invoke(sqs_event(pointer)) == []
    [written] = deployment.aws.keys(bucket)
    assert len(deployment.aws.body(bucket, written)) == 2_000_009


def test_when_the_time_is_over_all_comes_back_and_nothing_was_begun(deployment: Deployment) -> None:
    name, bucket = deployment.destination()
    event = sqs_event(*(body_of(name, id=str(number)) for number in range(3)))
    assert deployment.invoke(event, Context(milliseconds=2_000)) == ["message-0", "message-1", "message-2"]
    assert deployment.aws.keys(bucket) == []


def _received(deployment: Deployment, body: str) -> dict[str, Any]:
    """An event of a message as the queue really delivered it."""
    sqs = deployment.aws.client("sqs")
    sqs.send_message(QueueUrl=deployment.queue_url, MessageBody=body)
    [found] = sqs.receive_message(QueueUrl=deployment.queue_url, VisibilityTimeout=5)["Messages"]
    event = sqs_event(body)
    event["Records"][0] |= {"messageId": found["MessageId"], "receiptHandle": found["ReceiptHandle"]}
    return event


def test_what_cannot_be_kept_comes_back_later(deployment: Deployment) -> None:
    event = _received(deployment, "bad")
    dynamodb = deployment.aws.client("dynamodb")
    keys = dynamodb.describe_table(TableName=deployment.ledger_table)["Table"]
    dynamodb.delete_table(TableName=deployment.ledger_table)
    try:
        back = deployment.invoke(event)
    finally:
        dynamodb.create_table(
            TableName=deployment.ledger_table,
            KeySchema=keys["KeySchema"],
            AttributeDefinitions=keys["AttributeDefinitions"],
            BillingMode="PAY_PER_REQUEST",
        )
    assert back == [event["Records"][0]["messageId"]]
    assert "Messages" not in deployment.aws.client("sqs").receive_message(QueueUrl=deployment.queue_url)


def test_no_senders_attributes_keep_a_batch_from_being_delivered(deployment: Deployment) -> None:
    name, bucket = deployment.destination()
    hostile = {"SluiceSentTimestamp": "9" * 5_000, "SluiceFailure": "../../x:y", "SluiceMessageId": ""}
    assert deployment.invoke(sqs_event(body_of(name, id="evt"), attributes=hostile)) == []
    assert len(deployment.aws.keys(bucket)) == 1


def test_a_question_about_access_is_answered(deployment: Deployment) -> None:
    stored = msgspec.to_builtins(_stored("acme-new", deployment.aws.bucket()))
    question = {"stored": stored, "role_arn": "arn:aws:iam::999988887777:role/sluice-message-writer"}
    answer = json.loads(json.dumps(deployment.handler(question, Context())))
    checks = {check["name"]: check["passed"] for check in answer["checks"]}
    # moto lets anybody assume any role without an external id, which is just what must be refused.
    assert checks == {"role name": True, "role with external id": True, "role without external id": False}


def test_a_payload_is_in_nothing_that_is_told(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _ = deployment.destination(key_template="data.name", on_existing="overwrite")
    bodies = [
        body_of(name, data={"name": {"s3cr3t": 1}}),
        body_of(name, data={"name": "fine", "x": "s3cr3t"}),
        body_of(name, data={"name": "x"}, metadata={"a": "s3cr3t\n"}),
        body_of(name, time="s3cr3t"),
        '{"s3cr3t": ',
    ]
    with logged() as lines:
        deployment.invoke(sqs_event(*bodies))
    told = capsys.readouterr()
    assert len(lines) == 4
    assert "s3cr3t" not in repr(lines) + told.out + told.err
    assert metrics_of(told.out)


# Tenants: destinations of several customers, two of them in one bucket, whose messages come in one batch.

TENANTS = ("tenant-a", "tenant-b", "tenant-c", "tenant-d")
_PARTS = st.sampled_from(["x", "..", ".", "", "../tenant-b", "a/../../b", "%2e%2e", "tenant-b/", "é", "//"])
_MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "tenant": st.sampled_from(TENANTS),
            "name": st.lists(_PARTS, min_size=1, max_size=3).map("/".join),
            "claimed": st.sampled_from([*TENANTS, ""]),
        }
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def tenants(deployment: Deployment) -> dict[str, tuple[str, str]]:
    """Each tenant's bucket and prefix."""
    shared = deployment.aws.bucket()
    places = {
        "tenant-a": (shared, "tenant-a/"),
        "tenant-b": (shared, "tenant-b/"),
        "tenant-c": (deployment.aws.bucket(), ""),
        "tenant-d": (deployment.aws.bucket(), "in-"),
    }
    template = "join('/', [metadata.claimed || 'none', data.name])"
    for name, (bucket, prefix) in places.items():
        deployment.destination(
            name, bucket=bucket, prefix=prefix, key_template=template, on_existing="overwrite"
        )
    return places


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_MESSAGES)
def test_no_tenants_payload_lands_with_another(
    deployment: Deployment, tenants: dict[str, tuple[str, str]], messages: list[dict[str, str]]
) -> None:
    bodies = [
        body_of(
            message["tenant"],
            id=str(number),
            metadata={"claimed": message["claimed"]},
            data={"name": message["name"], "of": message["tenant"]},
        )
        for number, message in enumerate(messages)
    ]
    assert deployment.invoke(sqs_event(*bodies)) == []
    for bucket in {bucket for bucket, _ in tenants.values()}:
        for key in deployment.aws.keys(bucket):
            of = json.loads(deployment.aws.body(bucket, key))["data"]["of"]
            assert tenants[of][0] == bucket
            assert key.startswith(tenants[of][1])
            deployment.aws.client("s3").delete_object(Bucket=bucket, Key=key)
