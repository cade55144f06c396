"""What each function's role may do, whole: a permission more or less must be written down here too."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra import app
from tests.infra.resolution import ACCOUNT, REGION, of_type, resolved

Template = dict[str, Any]
Statement = dict[str, Any]

BUCKET = "arn:aws:s3:::DataBucket"
DEFINITIONS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/DataDefinitions"
LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/DataLedger"
CLAIMS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/DataClaims"
PROFILES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/DataProfiles"
SQS = f"arn:aws:sqs:{REGION}:{ACCOUNT}"


def allow(sid: str, calls: str, resource: str) -> Statement:
    """A statement that allows these calls: `sqs: SendMessage DeleteMessage`."""
    service, *names = calls.split()
    actions = [service + name for name in names]
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions if len(actions) > 1 else actions[0],
        "Resource": resource,
    }


def of_every_function(worker: str) -> Iterator[Statement]:
    logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{worker}Logs:*"
    yield allow("WriteLogs", "logs: CreateLogStream PutLogEvents", logs)
    yield allow("SendTraces", "xray: PutTraceSegments PutTelemetryRecords", "*")
    yield allow("UseKey", "kms: Decrypt GenerateDataKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/DataKey")


def consume(queue: str) -> Statement:
    calls = "sqs: ReceiveMessage DeleteMessage GetQueueAttributes ChangeMessageVisibility"
    return allow("ConsumeQueue", calls, f"{SQS}:{queue}")


READ_DEFINITIONS = allow("ReadDefinitions", "dynamodb: GetItem", DEFINITIONS)
FIND_DEFINITIONS = allow("FindDefinitions", "dynamodb: GetItem Query", DEFINITIONS)
KEEP_RUNS = allow(
    "KeepRuns",
    "dynamodb: GetItem BatchGetItem PutItem UpdateItem",
    LEDGER,
)
FIND_RUNS = allow("FindRuns", "dynamodb: Query", LEDGER)
SEND_DELIVERIES = allow("SendDeliveries", "sqs: SendMessage", f"{SQS}:DeliveriesQueue")
SEND_IMPORTS = allow("SendImports", "sqs: SendMessage", f"{SQS}:ArrivalsQueue")
READ_PAYLOADS = allow("ReadPayloads", "s3: GetObject", f"{BUCKET}/payloads/*")
KEEP_FAILURES = allow("KeepFailures", "s3: PutObject", f"{BUCKET}/failures/*")
AS_CUSTOMERS = [
    allow(
        "ReadSecrets",
        "secretsmanager: GetSecretValue",
        f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:sluice/*",
    ),
    allow("AssumeCustomersRoles", "sts: AssumeRole", "arn:aws:iam::*:role/sluice-*"),
]

ROLES = {
    "MessageWriter": (
        "sluice-message-writer",
        [
            consume("MessagesQueue"),
            READ_DEFINITIONS,
            allow("KeepLedger", "dynamodb: PutItem UpdateItem", LEDGER),
            READ_PAYLOADS,
            KEEP_FAILURES,
            *AS_CUSTOMERS,
        ],
    ),
    "Stager": (
        "sluice-stager",
        [
            consume("RecordsQueue"),
            READ_DEFINITIONS,
            KEEP_RUNS,
            SEND_DELIVERIES,
            allow("StageParts", "s3: PutObject", f"{BUCKET}/parts/*"),
            READ_PAYLOADS,
            KEEP_FAILURES,
        ],
    ),
    "FileWriter": (
        "sluice-file-writer",
        [
            consume("DeliveriesQueue"),
            READ_DEFINITIONS,
            allow("DeliverRuns", "dynamodb: GetItem Query PutItem UpdateItem DeleteItem", LEDGER),
            allow("ReadParts", "s3: GetObject", f"{BUCKET}/parts/*"),
            KEEP_FAILURES,
            *AS_CUSTOMERS,
        ],
    ),
    "Importer": (
        "sluice-importer",
        [
            consume("ArrivalsQueue"),
            FIND_DEFINITIONS,
            allow("KeepImports", "dynamodb: GetItem Query PutItem UpdateItem DeleteItem", LEDGER),
            allow("ClaimInsertIds", "dynamodb: PutItem DeleteItem", CLAIMS),
            allow("KeepProfiles", "dynamodb: BatchGetItem PutItem", PROFILES),
            allow("ReadDrops", "s3: GetObject", "arn:aws:s3:::DropBucket/*"),
            allow("ListDrops", "s3: ListBucket", "arn:aws:s3:::DropBucket"),
            READ_PAYLOADS,
            allow("KeepCandidates", "s3: GetObject PutObject", f"{BUCKET}/candidates/*"),
            allow("KeepEvents", "s3: PutObject", f"{BUCKET}/events/*"),
            allow("KeepRejects", "s3: PutObject", f"{BUCKET}/rejects/*"),
            KEEP_FAILURES,
            SEND_IMPORTS,
            *AS_CUSTOMERS,
        ],
    ),
    "Planner": ("sluice-planner", [FIND_DEFINITIONS, KEEP_RUNS, FIND_RUNS, SEND_DELIVERIES, SEND_IMPORTS]),
}


@pytest.mark.parametrize("worker", ROLES)
def test_a_role_is_lambdas_and_may_do_its_job_only(template: Template, worker: str) -> None:
    name, job = ROLES[worker]
    by_lambda = {"Service": "lambda.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": by_lambda, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [*of_every_function(worker), *job]}
    assert of_type(template, "AWS::IAM::Role")[f"{worker}Role"] == {
        "RoleName": name,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [{"PolicyName": "job", "PolicyDocument": document}],
    }
    function = of_type(template, "AWS::Lambda::Function")[f"{worker}Function"]
    assert function["Role"] == f"arn:aws:iam::{ACCOUNT}:role/{worker}Role"


def test_there_are_no_other_roles_and_policies(template: Template) -> None:
    assert list(of_type(template, "AWS::IAM::Role")) == [f"{worker}Role" for worker in ROLES]
    assert not of_type(template, "AWS::IAM::Policy")


def test_events_are_sent_to_no_queue_but_those_that_the_deployment_lists() -> None:
    queues = [f"arn:aws:sqs:eu-central-1:444455556666:{name}" for name in ("first", "second.fifo")]
    template = resolved(app.template({"output_queue_arns": ", ".join(queues)}))
    granted = {
        name: statement["Resource"]
        for name, role in of_type(template, "AWS::IAM::Role").items()
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
        if statement["Sid"] == "SendEvents"
    }
    assert granted == {"ImporterRole": queues}
