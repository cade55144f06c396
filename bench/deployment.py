"""What a handler finds around it: a definition in its table, and its environment."""

import os
from pathlib import Path
from typing import Any

import boto3

from bench import messages
from functions.adapters.definitions import Definitions, Stored
from functions.core.settings import variables

_TABLE = "definitions"
_REGION = "us-east-1"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
    "AWS_SECRET_ACCESS_KEY": "example-" * 5,
    # As long as those that a role's sessions in AWS have, since it is signed and sent with each request.
    "AWS_SESSION_TOKEN": "example/" * 80,
}
_NOT_OURS = ("AWS_", "PEER_", "POWERTOOLS_", "SLUICE_", "PYTHONDONTWRITEBYTECODE")


def define(url: str) -> None:
    """Store the destination, in the table that it is looked up in."""
    client: Any = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=_REGION,
        aws_access_key_id=_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_table(
        TableName=_TABLE,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    definitions = Definitions(client, table=_TABLE)
    document = {
        "name": messages.DESTINATION,
        "kind": "messages",
        "bucket": messages.BUCKET,
        "prefix": messages.PREFIX,
        "credentials": {"role_arn": "arn:aws:iam::123456789012:role/sluice-bench"},
        "key_template": messages.TEMPLATE,
    }
    definitions.put(
        Stored(
            name=messages.DESTINATION,
            version=1,
            document=document,
            created_at="2025-10-14T00:00:00Z",
            external_id=definitions.issue_external_id(messages.DESTINATION),
        )
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
            definitions_table=_TABLE,
            ledger_table="ledger",
            data_bucket="data-bucket",
            queue_url=f"{url}/123456789012/messages",
        ),
    }
