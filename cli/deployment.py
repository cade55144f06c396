"""The deployment that a command works on: found by its stack's outputs, in AWS or in the embedded cloud."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.clients import Clients, translated
from functions.adapters.sending import Sender
from functions.adapters.wiring import Ports
from functions.core.errors import Code, Permanent, Transient
from functions.core.records import Queue
from functions.core.settings import Settings

_PATIENT = Config(connect_timeout=3, read_timeout=90, retries={"total_max_attempts": 1})
"""A question may meet a cold start, and takes several requests; asked twice, it would be answered twice."""

_WORKERS = {"messages": "MessageWriter", "streams": "FileWriter", "files": "Importer"}
"""By the kind of a definition, who works in its bucket; the stack's outputs are called after it."""


class Deployment:
    """One deployment, with what the command line needs of it."""

    def __init__(self, clients: Clients, outputs: Mapping[str, str]) -> None:
        self.clients = clients
        self.outputs = outputs
        self.settings = Settings(
            definitions_table=outputs["DefinitionsTable"],
            ledger_table=outputs["LedgerTable"],
            data_bucket=outputs["DataBucket"],
            definition_max_age_seconds=int(outputs["DefinitionMaxAgeSeconds"]),
            assume_role_pattern=outputs["AssumeRolePattern"],
        )
        self.ports = Ports(self.settings, clients=clients)

    def role_arn(self, kind: str) -> str:
        """Our role that works on definitions of this kind, which customers' trust policies name."""
        return self.outputs[f"{_WORKERS[kind]}RoleArn"]

    @property
    def drop_bucket(self) -> str:
        """Our own bucket, into which files are dropped."""
        return self.outputs["DropBucket"]

    @property
    def secret_prefix(self) -> str:
        """What the names of all secrets of this deployment begin with."""
        return self.outputs["SecretPrefix"]

    def sender(self, queue: Queue = Queue.MESSAGES) -> Sender:
        """What sends to one of the deployment's queues."""
        return Sender(
            self.clients.get("sqs"),
            url=self.outputs[f"{queue.title()}QueueUrl"],
            bucket=self.ports.data_bucket,
            bucket_name=self.settings.data_bucket,
        )

    def ask(self, question: Mapping[str, Any], *, kind: str) -> Any:
        """The answer of the function that will use the access in question, to a definition of this kind.

        Raises:
            Transient: It cannot be asked now, or has no answer now.
            Permanent: It failed.
        """
        with translated("asking the function"):
            answer = self.clients.get("lambda", config=_PATIENT).invoke(
                FunctionName=self.outputs[f"{_WORKERS[kind]}Function"],
                Payload=msgspec.json.encode(question),
            )
        payload = msgspec.json.decode(answer["Payload"].read())
        if "FunctionError" in answer:
            kind = payload.get("errorType", "an error") if isinstance(payload, dict) else "an error"
            raise Permanent(Code.UNAVAILABLE, f"the function failed with {kind}; its log says more")
        if "later" in payload:
            raise Transient(Code.UNAVAILABLE, f"AWS does not answer now, try again: {payload['later']}")
        return payload


def find(
    *, profile: str | None, region: str | None, endpoint_url: str | None, stack: str, local: bool
) -> Deployment:
    """The deployment that these options name.

    Raises:
        Permanent: There is no such stack, no credentials, or no embedded cloud that is up.
    """
    if local:
        return _embedded()
    try:
        session = boto3.session.Session(profile_name=profile, region_name=region)
        clients = Clients(session, endpoint_url=endpoint_url or os.environ.get("AWS_ENDPOINT_URL"))
        found = clients.get("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError, ValueError) as error:  # a ValueError: what is no URL
        raise Permanent(Code.UNAVAILABLE, f"the stack `{stack}` cannot be looked at: {error}") from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found[0].get("Outputs", [])}
    return _deployment(clients, outputs, stack)


def _embedded() -> Deployment:
    # The embedded cloud's packages are not everybody's.
    from local import running  # noqa: PLC0415

    found = running.status()
    if found is None:
        raise Permanent(Code.UNAVAILABLE, "the embedded cloud is not up: sluice local up")
    return _deployment(local_clients(found.environment), found.outputs, found.name)


def local_clients(environment: Mapping[str, str]) -> Clients:
    """The clients of an embedded cloud, by the environment that it gives to others."""
    session = boto3.session.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    return Clients(session, endpoint_url=environment["AWS_ENDPOINT_URL"])


def _deployment(clients: Clients, outputs: Mapping[str, str], stack: str) -> Deployment:
    try:
        return Deployment(clients, outputs)
    except KeyError as error:
        text = f"the stack `{stack}` has no output {error}: is it a Sluice, and of this release?"
        raise Permanent(Code.UNAVAILABLE, text) from None
