"""What a handler finds around it: definitions in their table, and its environment."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3

from bench import messages
from functions.adapters.definitions import Definitions, Stored
from functions.core.settings import variables

LEDGER = "ledger"
DATA_BUCKET = "data-bucket"
DELIVERIES = "http://127.0.0.1/123456789012/deliveries"
"""The queue that tasks are sent to; SQS's clients take the endpoint from their settings, and this for a name."""

DEFINITIONS = "definitions"
_REGION = "us-east-1"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
    "AWS_SECRET_ACCESS_KEY": "example-" * 5,
    # As long as those that a role's sessions in AWS have, since it is signed and sent with each request.
    "AWS_SESSION_TOKEN": "example/" * 80,
}
_ROLE = {"role_arn": "arn:aws:iam::123456789012:role/sluice-bench"}
_NOT_OURS = ("AWS_", "PEER_", "POWERTOOLS_", "SLUICE_", "PYTHONDONTWRITEBYTECODE")


def define(url: str, documents: Iterable[Mapping[str, Any]]) -> None:
    """Store destinations, in the table that they are looked up in; all are reached by one role."""
    definitions = Definitions(client("dynamodb", url), table=DEFINITIONS)
    for document in documents:
        name = document["name"]
        definitions.put(
            Stored(
                name=name,
                version=1,
                document={**document, "credentials": _ROLE},
                created_at="2025-10-14T00:00:00Z",
                external_id=definitions.issue_external_id(name),
            )
        )


def client(service: str, url: str) -> Any:
    """boto3's client of a service at this URL."""
    return boto3.client(
        service,  # type: ignore[call-overload] # a name for its Literal
        endpoint_url=url,
        region_name=_REGION,
        aws_access_key_id=_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def environment(url: str, *, byte_code: Path, peer_checksum: str) -> dict[str, str]:
    """The environment of a function, ours or the peer, whose AWS is at `url`.

    Both find their byte code compiled, in the folder `byte_code`.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    return {
        **kept,
        **_CREDENTIALS,
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_ENDPOINT_URL": url,
        "PYTHONPYCACHEPREFIX": str(byte_code),
        "POWERTOOLS_SERVICE_NAME": "message_writer",
        "POWERTOOLS_METRICS_NAMESPACE": "Sluice",
        "PEER_BUCKET": messages.BUCKET,
        "PEER_PREFIX": messages.PREFIX,
        "PEER_TEMPLATE": messages.TEMPLATE,
        "PEER_CHECKSUM": peer_checksum,
        **variables(
            definitions_table=DEFINITIONS,
            ledger_table=LEDGER,
            data_bucket=DATA_BUCKET,
            queue_url=f"{url}/123456789012/messages",
            deliveries_queue_url=DELIVERIES,
        ),
    }
