"""Our stack, a customer's account with its bucket and role, and what tests do and see there."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cli.deployment import Deployment, local_clients
from functions.adapters.definitions import Stored
from functions.adapters.payloads import PREFIX
from functions.core.failures import Failure, State
from infra.access_stack import Access, customer_template
from infra.app import template
from local.calls import Call
from local.cloud import Cloud
from local.faults import Faults
from local.function import Function
from local.mappings import Delivery
from local.mappings import Mapping as QueueMapping
from local.sandbox import Outcome

REGION = "us-east-1"
CUSTOMER = "111122223333"
EXTERNAL_ID = "sluice-issued-to-the-stage"
LONG_AGO = "2025-01-01T00:00:00Z"
"""When definitions are said to have been stored: every function knows them, so nothing is sent with a delay."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A failure or a held message as far as a test can know it beforehand: attempts and times it cannot."""

    state: State
    code: str | None
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All that a destination's messages have come to: objects by their names below its prefix, and what is kept."""

    objects: Mapping[str, bytes] = field(default_factory=dict)
    failures: tuple[Kept, ...] = ()
    held: tuple[Kept, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Object:
    """An object in the customer's bucket; the names of its metadata in small letters."""

    body: bytes
    content_type: str
    storage_class: str
    metadata: Mapping[str, str]


class Stage:
    """One deployment in an embedded cloud, whose messages move only when a test says so."""

    def __init__(self, cloud: Cloud, faults: Faults) -> None:
        self.cloud = cloud
        self.faults = faults
        self.deployment = Deployment(local_clients(cloud.environment), cloud.outputs)
        self.mapping = self.mapping_of("MessageWriter")
        self.writer = self.mapping.function
        self.bucket = f"{cloud.name}-landing"
        pattern = cloud.outputs["AssumeRolePattern"]
        self.role_arn = f"arn:aws:iam::{CUSTOMER}:role/{pattern.replace('*', cloud.name)}"
        self._sqs = cloud.client("sqs")
        self._dynamodb = cloud.client("dynamodb")
        self._s3 = cloud.client("s3", account=CUSTOMER)
        self._numbers = itertools.count(1)

    def function_of(self, worker: str) -> Function:
        """A worker's function, by the worker's name in the stack: `Planner`."""
        return self.cloud.functions[self.cloud.outputs[f"{worker}Function"]]

    def mapping_of(self, worker: str) -> QueueMapping:
        """The mapping that feeds a worker: `MessageWriter`, `Stager`, `FileWriter`."""
        return self.cloud.mapping_of(self.cloud.outputs[f"{worker}Function"])

    def tick(self) -> Outcome:
        """Start the planner once, as its rule does every minute."""
        [outcome] = self.cloud.tick()
        return outcome

    @property
    def queue(self) -> str:
        """The queue of messages."""
        return self.cloud.outputs["MessagesQueueUrl"]

    @property
    def dead_letters(self) -> str:
        """Where messages end that nobody could say anything about."""
        return self.cloud.outputs["MessagesDeadLetterQueueUrl"]

    def new_name(self) -> str:
        """A name that no destination here has."""
        return f"d{next(self._numbers)}"

    def destination(self, **fields: Any) -> str:
        """Store a destination of its own name and prefix; `fields` are its definition's. Gives the name."""
        name = self.new_name()
        self.define(name, **fields)
        return name

    def define(self, name: str, *, secret_arn: str | None = None, **fields: Any) -> None:
        """Store the next version of a destination."""
        document = {
            "name": name,
            "kind": "messages",
            "bucket": self.bucket,
            "prefix": f"{name}/",
            "credentials": {"role_arn": self.role_arn},
            "key_template": 'metadata."event-id"',
        }
        stored = Stored(
            name=name,
            version=self.deployment.ports.definitions.last_version(name) + 1,
            document=document | fields,
            created_at=LONG_AGO,
            external_id=EXTERNAL_ID,
            secret_arn=secret_arn,
        )
        stored.destination()
        self.deployment.ports.definitions.put(stored)
        # As if it had been issued: one role of the customer's does for all.
        issued = {"pk": f"destination#{name}", "sk": "external-id", "external_id": EXTERNAL_ID}
        self._dynamodb.put_item(
            TableName=self.cloud.outputs["DefinitionsTable"],
            Item={field: {"S": value} for field, value in issued.items()},
        )

    def send(self, *bodies: str, attributes: Mapping[str, str] | None = None) -> list[str]:
        """Put messages into the queue, in this order; gives the ids that SQS gave them."""
        given = {
            name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()
        }
        return [
            self._sqs.send_message(QueueUrl=self.queue, MessageBody=body, MessageAttributes=given)[
                "MessageId"
            ]
            for body in bodies
        ]

    def poll(self) -> Delivery:
        """Give the function one batch, of which there must be one."""
        delivery = self.mapping.poll_once()
        assert delivery, "the queue has no visible message"
        return delivery

    def redeliver(self) -> Delivery:
        """What SQS does once the visibility timeout has ended."""
        self.mapping.expire_visibility()
        return self.poll()

    def deliver(self, *bodies: str) -> None:
        """Send messages and have them done with: none of them may come back."""
        self.send(*bodies)
        delivery = self.poll()
        assert not delivery.outcome.failed, delivery.outcome.payload
        assert not delivery.failed

    def objects(self, destination: str) -> dict[str, bytes]:
        """The objects below a destination's prefix, by their names there."""
        prefix = f"{destination}/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return {
            key.removeprefix(prefix): self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            for key in keys
        }

    def put(self, destination: str, name: str, body: bytes) -> None:
        """Write an object of the customer's own."""
        self._s3.put_object(Bucket=self.bucket, Key=f"{destination}/{name}", Body=body)

    def get(self, destination: str, name: str) -> Object:
        """One object, which must be there."""
        found = self._s3.get_object(Bucket=self.bucket, Key=f"{destination}/{name}")
        return Object(
            body=found["Body"].read(),
            content_type=found["ContentType"],
            storage_class=found.get("StorageClass", "STANDARD"),
            metadata={name.lower(): value for name, value in found["Metadata"].items()},
        )

    def keep_payload(self, name: str, body: bytes) -> None:
        """Put a body where pointers may point."""
        s3 = self.cloud.client("s3")
        s3.put_object(Bucket=self.cloud.outputs["DataBucket"], Key=PREFIX + name, Body=body)

    def failures(self, connection: str) -> list[Failure]:
        """The failures of a connection, those that are done with among them."""
        return list(self.deployment.ports.failures.of(connection))

    def failure_of(self, message_id: str, *, connection: str) -> Failure:
        """The one failure of a message."""
        [found] = [each for each in self.failures(connection) if each.message_id == message_id]
        return found

    def kept_body(self, failure: str) -> bytes:
        """The body that is kept of a failed or held message."""
        return self.deployment.ports.failures.body(failure)

    def seen(self, destination: str) -> Seen:
        """What there is of a destination now."""
        return Seen(
            objects=self.objects(destination),
            failures=self._kept(self.failures(destination)),
            held=self._kept(list(self.deployment.ports.failures.held(destination))),
        )

    def _kept(self, found: list[Failure]) -> tuple[Kept, ...]:
        kept = [Kept(state=each.state, code=each.code, body=self.kept_body(each.id)) for each in found]
        return tuple(sorted(kept, key=lambda each: each.body))

    def bodies_kept(self, connection: str) -> int:
        """How many bodies are kept for a connection, with a record or without."""
        bucket = self.cloud.outputs["DataBucket"]
        found = self.cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"failures/{connection}/")
        return int(found["KeyCount"])

    def waiting(self) -> dict[str, int]:
        """How many messages are in the queue and among the dead letters."""
        dead = self._sqs.get_queue_attributes(
            QueueUrl=self.dead_letters, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return {
            "queue": sum(self.mapping.waiting().values()),
            "dead letters": int(dead["Attributes"]["ApproximateNumberOfMessages"]),
        }

    def calls(self, action: str, *, containing: str = "") -> list[Call]:
        """The calls that the function made since the test began."""
        return [call for call in self.faults.calls if call.action == action and containing in call.resource]

    def log(self) -> str:
        """Everything that the function has logged."""
        log = self.writer.settings.log
        return log.read_text() if log.exists() else ""

    def tidy(self) -> None:
        """Leave nothing to the next test: no fault, no recorded call, no message that can be received."""
        self.faults.clear()
        for mapping in self.cloud.mappings:
            mapping.expire_visibility()
        for queue in (url for name, url in self.cloud.outputs.items() if name.endswith("QueueUrl")):
            # Not by PurgeQueue, which is allowed once a minute.
            while left := self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
                for each in left:
                    self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])


NOTHING_WAITS = {"queue": 0, "dead letters": 0}


@contextmanager
def staged(name: str, *, timeout: int | None = None, **context: Any) -> Iterator[Stage]:
    """Our stack under a name that no other cloud of this process has, and a customer's account beside it.

    `context` is the deployment's; `timeout` that of `message_writer` in seconds, which may be shorter than one can
    deploy.
    """
    ours = template({"name": name, "definition_max_age_seconds": 0, **context})
    if timeout is not None:
        [writer] = [
            each["Properties"]
            for each in ours["Resources"].values()
            if each["Properties"].get("Handler") == "functions.message_writer.handler.handler"
        ]
        writer["Timeout"] = timeout
    faults = Faults()
    with Cloud(ours, name=name, region=REGION, faults=faults) as cloud:
        stage = Stage(cloud, faults)
        access = Access(
            role_name=stage.role_arn.rpartition("/")[2],
            role_name_pattern=cloud.outputs["AssumeRolePattern"],
            trusted_role_arn=cloud.outputs["MessageWriterRoleArn"],
            external_id=EXTERNAL_ID,
            bucket=stage.bucket,
            keep=True,
            create_bucket=True,
        )
        cloud.create_stack(customer_template(access), name=f"{name}-access", account=CUSTOMER)
        yield stage


def message(destination: str, id: str | None = None, **fields: Any) -> str:  # noqa: A002 - the field's own name
    """The body of a message; its payload tells it from others."""
    given = {"id": id} if id is not None else {}
    return json.dumps({"destination_id": destination, **given, "data": {"of": id}, **fields})


def enveloped(id: str) -> bytes:  # noqa: A002 - as above
    """The object that `message` becomes."""
    return b'{"data": {"of": "%s"}}' % id.encode()
