"""The three functions of streams in this process, against moto: from events to files in a customer's bucket."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import msgspec
import pytest

from functions.adapters.definitions import Definitions, Stored
from functions.adapters.failures import FailureLedger
from functions.adapters.objects import Bucket
from functions.adapters.runs import RunLedger
from functions.core.errors import Code
from functions.core.messages import POINTER_CLASS
from functions.core.records import Queue
from functions.core.runs import RunState
from functions.core.settings import variables
from tests.adapters.aws import KEYS, REGION, Aws
from tests.adapters.conftest import credentials
from tests.adapters.telemetry_reading import logged, metrics_of
from tests.core.record_messages import RUN, end_body, rows_body
from tests.events import sqs_event
from tests.memory import FakeDefinitions
from tests.message_writer.test_handler import Context

FUNCTIONS = ("stager", "file_writer", "planner")
STARTED = {"started_at": "2025-04-14T11:23:45Z"}
Handler = Callable[[dict[str, Any], Context], Any]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One deployment with its handlers."""

    aws: Aws
    definitions: Definitions
    runs: RunLedger
    failures: FailureLedger
    data_bucket: str
    deliveries: str
    handlers: dict[str, Handler]

    def destination(self, **changes: Any) -> tuple[str, str]:
        """Store a destination with an empty bucket; its name and its bucket's."""
        name, bucket = self.aws.name("acme"), self.aws.bucket()
        self.definitions.put(_stored(name, bucket, **changes))
        return name, bucket

    def stage(self, *bodies: str) -> list[str]:
        """What of these must come back to the queue of records."""
        return _back(self.handlers["stager"](sqs_event(*bodies), Context()))

    def deliver(self, **changes: Any) -> list[str]:
        """Do the tasks that wait in the queue of deliveries; what must come back."""
        sqs, back = self.aws.client("sqs"), list[str]()
        while found := sqs.receive_message(QueueUrl=self.deliveries).get("Messages"):
            for message in found:
                event = sqs_event(message["Body"], **changes)
                event["Records"][0]["receiptHandle"] = message["ReceiptHandle"]
                back += _back(self.handlers["file_writer"](event, Context(milliseconds=900_000)))
                sqs.delete_message(QueueUrl=self.deliveries, ReceiptHandle=message["ReceiptHandle"])
        return back


def _back(answer: dict[str, Any]) -> list[str]:
    said = json.loads(json.dumps(answer))
    assert said.keys() == {"batchItemFailures"}
    return [item["itemIdentifier"] for item in said["batchItemFailures"]]


def _stored(name: str, bucket: str, **changes: Any) -> Stored:
    stored = FakeDefinitions().add(name, bucket=bucket, **changes)
    return msgspec.structs.replace(stored, version=1)


@pytest.fixture(scope="module")
def deployment(aws: Aws) -> Iterator[Deployment]:
    tables = {"definitions_table": aws.table(), "ledger_table": aws.table()}
    bucket, sqs = aws.bucket(), aws.client("sqs")
    records, deliveries = (
        sqs.create_queue(QueueName=aws.name(kind))["QueueUrl"] for kind in ("records", "deliveries")
    )
    environment = {
        "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.url,
        "POWERTOOLS_SERVICE_NAME": "streams",
        "POWERTOOLS_METRICS_NAMESPACE": "Sluice",
    }
    queues = {"stager": records, "file_writer": deliveries, "planner": ""}
    dynamodb, handlers = aws.client("dynamodb"), dict[str, Handler]()
    with pytest.MonkeyPatch.context() as patch:
        for function in FUNCTIONS:
            named = variables(
                **tables,
                data_bucket=bucket,
                queue_url=queues[function],
                deliveries_queue_url=deliveries,
                writes_at_once=4,
                definition_max_age_seconds=0,
            )
            for name, value in (environment | named).items():
                patch.setenv(name, value)
            # The module reads its environment when it is imported, once in a process of Lambda's.
            module = f"functions.{function}.handler"
            sys.modules.pop(module, None)
            handlers[function] = import_module(module).handler
            sys.modules.pop(module)
        yield Deployment(
            aws=aws,
            definitions=Definitions(dynamodb, table=tables["definitions_table"]),
            runs=RunLedger(dynamodb, table=tables["ledger_table"], part_days=90, marker_days=430),
            failures=FailureLedger(
                dynamodb,
                table=tables["ledger_table"],
                bucket=Bucket(bucket, region=REGION, credentials=credentials, endpoint_url=aws.url),
                retention_days=400,
                queue=Queue.DELIVERIES,
            ),
            data_bucket=bucket,
            deliveries=deliveries,
            handlers=handlers,
        )


def test_records_become_a_file(deployment: Deployment) -> None:
    name, bucket = deployment.destination(compression="gzip", format="csv", prefix="in/")
    said = {"destination_id": name, **STARTED}
    assert deployment.stage(rows_body(1, [{"n": 2}], **said), rows_body(0, [{"n": 1}], **said)) == []
    assert deployment.stage(end_body(2, 2, **said)) == []
    assert deployment.deliver() == []
    assert deployment.aws.keys(bucket) == ["in/Orders/2025_04_14/run-1_0000001.csv.gz"]
    [run] = deployment.runs.of(name)
    assert (run.state, run.files, run.tally.rows) == (RunState.DELIVERED, 1, 2)


def test_a_failure_of_a_run_is_kept_with_its_queue_and_retried(deployment: Deployment) -> None:
    name, bucket = deployment.destination()
    said = {"destination_id": name, **STARTED}
    deployment.stage(rows_body(0, **said), end_body(1, 7, **said))
    assert deployment.deliver() == []
    [failure] = deployment.failures.of(name)
    [run] = deployment.runs.of(name)
    assert (failure.id, failure.code, failure.queue) == (run.id, Code.BAD_MESSAGE, Queue.DELIVERIES)
    assert run.state is RunState.FAILED
    sqs, body = deployment.aws.client("sqs"), deployment.failures.body(failure.id).decode()
    sqs.send_message(QueueUrl=deployment.deliveries, MessageBody=body)
    assert deployment.deliver(attributes={"SluiceFailure": failure.id}) == []
    assert deployment.aws.keys(bucket) == ["Orders/2025_04_14/run-1_0000001.jsonl"]
    [failure] = deployment.failures.of(name)
    assert failure.state == "resolved"


def test_bad_records_are_kept_with_their_queue(deployment: Deployment) -> None:
    name, _ = deployment.destination()
    bad = rows_body(None, destination_id=name)
    key = f"payloads/{name}"
    deployment.aws.client("s3").put_object(
        Bucket=deployment.data_bucket, Key=key, Body=rows_body(0, destination_id=name).encode()
    )
    pointer = json.dumps([POINTER_CLASS, {"s3BucketName": deployment.data_bucket, "s3Key": key}])
    assert deployment.stage(bad, pointer) == []
    [failure] = deployment.failures.of(name)
    assert (failure.code, failure.queue) == (Code.BAD_MESSAGE, Queue.RECORDS)
    assert deployment.failures.body(failure.id).decode() == bad
    assert len(list(deployment.runs.of(name))) == 1


def test_without_time_all_comes_back(deployment: Deployment) -> None:
    name, _ = deployment.destination()
    event = sqs_event(rows_body(0, destination_id=name), end_body(1, destination_id=name))
    back = _back(deployment.handlers["stager"](event, Context(milliseconds=2_000)))
    assert back == ["message-0", "message-1"]
    assert list(deployment.runs.of(name)) == []


def test_the_planner_says_how_things_stand(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _ = deployment.destination(flush={"max_age_seconds": 1})
    deployment.stage(rows_body(0, destination_id=name))
    capsys.readouterr()
    assert deployment.handlers["planner"]({}, Context()) is None
    [told] = [event for event in metrics_of(capsys.readouterr().out) if "UnfinishedRuns" in event]
    assert told["UnfinishedRuns"][0] >= 1
    assert "OldestOpenRunSeconds" in told


def test_a_question_about_access_is_answered(deployment: Deployment) -> None:
    stored = msgspec.to_builtins(_stored("acme-new", deployment.aws.bucket()))
    question = {"stored": stored, "role_arn": "arn:aws:iam::999988887777:role/sluice-file-writer"}
    answer = json.loads(json.dumps(deployment.handlers["file_writer"](question, Context())))
    assert {check["name"] for check in answer["checks"]} >= {"role name", "role with external id"}


def test_no_row_is_in_anything_that_is_told(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _ = deployment.destination(format="csv", delimited={"quote": "none"})
    said: dict[str, Any] = {"destination_id": name}
    with logged() as lines:
        deployment.stage(
            rows_body(0, [{"a": "s3cr3t,"}], **said),
            end_body(1, **said),
            rows_body(9, [{"a": "s3cr3t"}], **said, stream_run_id="run-2"),
            end_body(1, 5, **said, stream_run_id="run-2"),
            rows_body(0, ["s3cr3t"], **said),
            rows_body(0, [], cursor="s3cr3t", **said),
            json.dumps(RUN | said | {"sequence": "s3cr3t", "records": []}),
            '{"s3cr3t": ',
        )
        deployment.stage(rows_body(1, [{"a": "s3cr3t"}], **said))
        deployment.deliver()
    told = capsys.readouterr()
    assert {line["code"] for line in lines} == {"BAD_MESSAGE", "BAD_FILE", "LATE"}
    assert "s3cr3t" not in repr(lines) + told.out + told.err
    assert "s3cr3t" not in repr(
        [failure.text for who in (name, "_") for failure in deployment.failures.of(who)]
    )
