"""A deployment as far as rows are sent to it: tables, a bucket, a queue of records, and its stack's outputs."""

import json
from typing import Any

from cli.deployment import Deployment, local_clients
from functions.adapters.definitions import Stored
from functions.core.messages import parse_pointer
from tests.adapters.aws import KEYS, REGION, Aws
from tests.cli.terminal import Ran, Terminal

_TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    },
}


class RecordsQueue:
    """Sends by the command line, and shows what the queue was given."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        name = aws.name("records")
        outputs = {
            "DefinitionsTable": {"Ref": "Definitions"},
            "LedgerTable": {"Ref": "Ledger"},
            "DataBucket": {"Ref": "Data"},
            "RecordsQueueUrl": {"Ref": "Records"},
            "DefinitionMaxAgeSeconds": "0",
            "AssumeRolePattern": "*",
        }
        resources = {
            "Definitions": _TABLE,
            "Ledger": _TABLE,
            "Data": {"Type": "AWS::S3::Bucket"},
            "Records": {"Type": "AWS::SQS::Queue"},
        }
        body = {"Resources": resources, "Outputs": {each: {"Value": of} for each, of in outputs.items()}}
        cloudformation = aws.client("cloudformation")
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body))
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        environment = {
            "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": aws.url,
        }
        self._outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        self._deployment = Deployment(local_clients(environment), self._outputs)
        self._sluice = Terminal(environment | {"SLUICE_STACK": name})

    def destination(self, *, kind: str = "streams") -> str:
        """Store a destination; gives its name."""
        name = self._aws.name("acme")
        document = {"name": name, "kind": kind}
        self._deployment.ports.definitions.put(
            Stored(
                name=name, version=1, document=document, created_at="2025-01-01T00:00:00Z", external_id="e"
            )
        )
        return name

    def __call__(self, *arguments: str, given: str | bytes = b"") -> Ran:
        """Run one command with this on its standard input."""
        return self._sluice(*arguments, given=given)

    def bodies(self) -> list[str]:
        """Take what waits in the queue, pointers as what they point to; by sequence within a stream, ends last."""
        sqs, url, found = self._aws.client("sqs"), self._outputs["RecordsQueueUrl"], []
        while some := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [self._whole(message["Body"]) for message in some]
            for message in some:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found, key=_place)

    def messages(self) -> list[dict[str, Any]]:
        """The same, parsed."""
        return [json.loads(body) for body in self.bodies()]

    def _whole(self, body: str) -> str:
        pointer = parse_pointer(body)
        return self._aws.body(pointer.bucket, pointer.key).decode() if pointer else body


def _place(body: str) -> tuple[str, float]:
    message = json.loads(body)
    return message["stream"]["name"], message.get("sequence", float("inf"))
