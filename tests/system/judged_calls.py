"""The calls of our functions as IAM judges them, and the documents that it judges them by."""

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from local.calls import Call
from tests.policy_evaluator import Document, Request, allows
from tests.system.stage import Stage

BY_THE_EVENT_SOURCE_MAPPING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
NOT_EMULATED = {
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""What AWS's services and Lambda's own agents ask for on a function's behalf."""

_JUDGED_AS = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListObjectsV2": "ListBucket",
    "SendMessageBatch": "SendMessage",
}
"""Calls that have no permission of their own."""

_IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def granted(stage: Stage, role: str) -> Document:
    """The document of the role of this name, as CloudFormation resolved it."""
    iam = stage.cloud.client("iam")
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    # moto keeps a stack's document as what Python prints of it.
    found: dict[str, Any] = ast.literal_eval(document)
    for statement in found["Statement"]:
        if isinstance(statement["Action"], str):
            statement["Action"] = [statement["Action"]]
    return found


def requests(stage: Stage, call: Call) -> list[Request]:
    """What IAM is asked for this call: of a transaction, for each of its actions."""
    table = f"arn:aws:dynamodb:{stage.cloud.region}:123456789012:table/"
    if call.action == "TransactWriteItems":
        actions = [action for each in call.parameters["TransactItems"] for action in each.items()]
        return [
            Request(action=f"dynamodb:{_IN_TRANSACTIONS[kind]}", resource=table + what["TableName"])
            for kind, what in actions
        ]
    if call.action == "BatchGetItem":
        names = call.parameters["RequestItems"]
        return [Request(action="dynamodb:BatchGetItem", resource=table + name) for name in names]
    resources = {
        "s3": f"arn:aws:s3:::{call.resource}",
        "dynamodb": table + call.resource,
        "sqs": f"arn:aws:sqs:{stage.cloud.region}:123456789012:{call.resource}",
    }
    context = {"s3:prefix": call.parameters["prefix"]} if "prefix" in call.parameters else {}
    action = f"{call.service}:{_JUDGED_AS.get(call.action, call.action)}"
    return [Request(action=action, resource=resources.get(call.service, call.resource), context=context)]


def unused(document: Document, done: Iterable[Request]) -> set[str]:
    """What a function may do and did not do."""
    asked = set(map(_hashable, done))
    return {
        f"{action} on {statement['Resource']}"
        for statement in document["Statement"]
        for action in set(statement["Action"]) - BY_THE_EVENT_SOURCE_MAPPING - NOT_EMULATED
        if not any(
            allows({"Statement": [{**statement, "Action": [action]}]}, _request(each)) for each in asked
        )
    }


def _hashable(request: Request) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return request.action, request.resource, tuple(request.context.items())


def _request(asked: tuple[str, str, Iterable[tuple[str, str]]]) -> Request:
    context: Mapping[str, str] = dict(asked[2])
    return Request(action=asked[0], resource=asked[1], context=context)
