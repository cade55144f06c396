"""What our own roles may do, as data: each permission is the calls of one job on exactly what it works with.

What customers grant us is in `functions/core/policies.py`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

_READ_AND_WRITE = ("s3:GetObject", "s3:PutObject")


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """One statement that allows; a resource with a wildcard says why it cannot be narrower."""

    sid: str
    actions: tuple[str, ...]
    resource: str | list[str]
    breadth: str = ""

    @property
    def statement(self) -> dict[str, Any]:
        """The statement as IAM reads it."""
        return {"Sid": self.sid, "Effect": "Allow", "Action": list(self.actions), "Resource": self.resource}


def document(granted: Sequence[Permission]) -> dict[str, Any]:
    """The policy document that grants these permissions."""
    return {"Version": "2012-10-17", "Statement": [permission.statement for permission in granted]}


def consume(queue_arn: str) -> Permission:
    """Read a queue: three calls of the event source mapping, and our own back-off after a passing failure."""
    mapping = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    return Permission(
        sid="ConsumeQueue", actions=(*mapping, "sqs:ChangeMessageVisibility"), resource=queue_arn
    )


def write_logs(log_group_arn: str) -> Permission:
    """Write the log group that the stack has made; its ARN ends in `:*`, which stands for its streams."""
    calls = ("logs:CreateLogStream", "logs:PutLogEvents")
    return Permission(sid="WriteLogs", actions=calls, resource=log_group_arn)


def send_traces() -> Permission:
    """Send trace segments."""
    calls = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
    why = "X-Ray has no resources that these calls could be confined to"
    return Permission(sid="SendTraces", actions=calls, resource="*", breadth=why)


def use_key(key_arn: str) -> Permission:
    """Read and write what the deployment's key encrypts: queues, tables, objects and secrets."""
    return Permission(sid="UseKey", actions=("kms:Decrypt", "kms:GenerateDataKey"), resource=key_arn)


def read_definitions(table_arn: str) -> Permission:
    """Fetch single definitions."""
    return Permission(sid="ReadDefinitions", actions=("dynamodb:GetItem",), resource=table_arn)


def find_definitions(table_arn: str) -> Permission:
    """Fetch single definitions, and ask which there are."""
    calls = ("dynamodb:GetItem", "dynamodb:Query")
    return Permission(sid="FindDefinitions", actions=calls, resource=table_arn)


def keep_ledger(table_arn: str) -> Permission:
    """Write single entries of the ledger."""
    calls = ("dynamodb:PutItem", "dynamodb:UpdateItem")
    return Permission(sid="KeepLedger", actions=calls, resource=table_arn)


def keep_runs(table_arn: str) -> Permission:
    """Read runs and change them in transactions, each of whose parts needs the right to it alone."""
    reads = ("dynamodb:GetItem", "dynamodb:BatchGetItem")
    writes = ("dynamodb:PutItem", "dynamodb:UpdateItem")
    return Permission(sid="KeepRuns", actions=(*reads, *writes), resource=table_arn)


def find_runs(table_arn: str) -> Permission:
    """Ask which runs are unfinished."""
    return Permission(sid="FindRuns", actions=("dynamodb:Query",), resource=table_arn)


def deliver_runs(table_arn: str) -> Permission:
    """Read sealed runs, hold their leases, and note what became of them."""
    reads = ("dynamodb:GetItem", "dynamodb:Query")
    writes = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
    return Permission(sid="DeliverRuns", actions=(*reads, *writes), resource=table_arn)


def keep_imports(table_arn: str) -> Permission:
    """Hold the leases of files, note how far they are read, and commit what was read, in transactions as above."""
    reads = ("dynamodb:GetItem", "dynamodb:Query")
    writes = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
    return Permission(sid="KeepImports", actions=(*reads, *writes), resource=table_arn)


def claim_insert_ids(table_arn: str) -> Permission:
    """Claim insert ids, and give back what is no longer output."""
    calls = ("dynamodb:PutItem", "dynamodb:DeleteItem")
    return Permission(sid="ClaimInsertIds", actions=calls, resource=table_arn)


def keep_profiles(table_arn: str) -> Permission:
    """Read and change the properties of users, groups and profiles."""
    calls = ("dynamodb:BatchGetItem", "dynamodb:PutItem")
    return Permission(sid="KeepProfiles", actions=calls, resource=table_arn)


def send_deliveries(queue_arn: str) -> Permission:
    """Ask for the delivery of a sealed run."""
    return Permission(sid="SendDeliveries", actions=("sqs:SendMessage",), resource=queue_arn)


def send_imports(queue_arn: str) -> Permission:
    """Ask for a file, for the rest of one, or for a look at what a bucket holds."""
    return Permission(sid="SendImports", actions=("sqs:SendMessage",), resource=queue_arn)


def send_events(queue_arns: Sequence[str]) -> Permission:
    """Send imported events to the queues that the deployment lists."""
    return Permission(sid="SendEvents", actions=("sqs:SendMessage",), resource=list(queue_arns))


def stage_parts(bucket_arn: str) -> Permission:
    """Keep rows until their run is sealed."""
    why = "A staging object's key is made for its invocation; nothing else lies under the prefix"
    return Permission(
        sid="StageParts", actions=("s3:PutObject",), resource=f"{bucket_arn}/parts/*", breadth=why
    )


def read_parts(bucket_arn: str) -> Permission:
    """Read the rows of a sealed run."""
    why = "The ledger names the objects that hold a run's rows; nothing else lies under the prefix"
    return Permission(
        sid="ReadParts", actions=("s3:GetObject",), resource=f"{bucket_arn}/parts/*", breadth=why
    )


def read_payloads(bucket_arn: str) -> Permission:
    """Fetch the offloaded bodies that messages point to."""
    why = "Senders name the payloads; nothing else lies under the prefix"
    return Permission(
        sid="ReadPayloads", actions=("s3:GetObject",), resource=f"{bucket_arn}/payloads/*", breadth=why
    )


def keep_failures(bucket_arn: str) -> Permission:
    """Keep the bodies of messages that failed for good or are held."""
    why = "A body's key is a hash of its message; nothing else lies under the prefix"
    return Permission(
        sid="KeepFailures", actions=("s3:PutObject",), resource=f"{bucket_arn}/failures/*", breadth=why
    )


def read_drops(bucket_arn: str) -> Permission:
    """Read the files that were dropped into our own bucket."""
    why = "Who drops a file names it; nothing but such files is in the bucket"
    return Permission(sid="ReadDrops", actions=("s3:GetObject",), resource=f"{bucket_arn}/*", breadth=why)


def list_drops(bucket_arn: str) -> Permission:
    """See what is in our own bucket for files."""
    return Permission(sid="ListDrops", actions=("s3:ListBucket",), resource=bucket_arn)


def keep_candidates(bucket_arn: str) -> Permission:
    """Keep a chunk's events until their insert ids are claimed, and read them again after an interruption."""
    why = "A candidate's key is a hash of its chunk; nothing else lies under the prefix"
    return Permission(
        sid="KeepCandidates", actions=_READ_AND_WRITE, resource=f"{bucket_arn}/candidates/*", breadth=why
    )


def keep_events(bucket_arn: str) -> Permission:
    """Add parts to the event store; those of a user who is erased are rewritten by an operator."""
    why = "Projects and hours come with the events; nothing else lies under the prefix"
    return Permission(
        sid="KeepEvents", actions=("s3:PutObject",), resource=f"{bucket_arn}/events/*", breadth=why
    )


def keep_rejects(bucket_arn: str) -> Permission:
    """Keep the rows that were refused."""
    why = "Sources are made after the deployment; nothing else lies under the prefix"
    return Permission(
        sid="KeepRejects", actions=("s3:PutObject",), resource=f"{bucket_arn}/rejects/*", breadth=why
    )


def read_secrets(secrets_arn: str) -> Permission:
    """Read the access keys of those customers who give us no role."""
    why = "Secrets are made with their destinations, after the deployment, under its prefix"
    return Permission(
        sid="ReadSecrets", actions=("secretsmanager:GetSecretValue",), resource=secrets_arn, breadth=why
    )


def assume_roles(roles_arn: str) -> Permission:
    """Become a customer's role."""
    why = (
        "Customers' accounts are not known beforehand; the pattern of their roles' names is the deployment's"
    )
    return Permission(
        sid="AssumeCustomersRoles", actions=("sts:AssumeRole",), resource=roles_arn, breadth=why
    )
