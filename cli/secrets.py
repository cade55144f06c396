"""Access keys that a definition brings: into Secrets Manager before anything else sees them, and out of it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from cli.deployment import Deployment
from functions.adapters.clients import translated
from functions.adapters.definitions import Stored
from functions.core.definitions.connection import MASK, Connection, KeyCredentials
from functions.core.errors import Code, Fault, Refused

RECOVERY_DAYS = 30
"""How long a secret that is no longer used can be had back."""


@contextmanager
def kept(deployment: Deployment, connection: Connection, before: Stored | None) -> Iterator[str | None]:
    """The ARN of the secret that holds the connection's keys, or None where it has none.

    Masked keys stay what they are. A new secret is gone again if what follows does not succeed; if it does, the
    one before it goes.

    Raises:
        Refused: Keys are masked, and none are stored.
        Transient: Secrets Manager cannot be reached.
    """
    keys = connection.credentials
    old = before.secret_arn if before else None
    if not isinstance(keys, KeyCredentials):
        yield None
    elif MASK in {keys.access_key_id, keys.secret_access_key, keys.session_token}:
        if old is None or {keys.access_key_id, keys.secret_access_key} != {MASK}:
            raise Refused([_masked_fault()])
        yield old
        return
    else:
        made = _create(deployment, connection.name, keys)
        try:
            yield made
        except BaseException:
            forget(deployment, made, at_once=True)
            raise
    if old is not None:
        forget(deployment, old)


def forget(deployment: Deployment, secret_arn: str, *, at_once: bool = False) -> None:
    """Delete a secret; unless at once, it can be had back for a month."""
    with translated("deleting a secret"):
        if at_once:
            deployment.clients.get("secretsmanager").delete_secret(
                SecretId=secret_arn, ForceDeleteWithoutRecovery=True
            )
        else:
            deployment.clients.get("secretsmanager").delete_secret(
                SecretId=secret_arn, RecoveryWindowInDays=RECOVERY_DAYS
            )


def _create(deployment: Deployment, name: str, keys: KeyCredentials) -> str:
    with translated("storing the keys"):
        created = deployment.clients.get("secretsmanager").create_secret(
            Name=f"{deployment.secret_prefix}{name}/{secrets.token_hex(8)}",
            KmsKeyId=deployment.outputs["KeyArn"],
            SecretString=msgspec.json.encode(keys).decode(),
        )
    return str(created["ARN"])


def _masked_fault() -> Fault:
    return Fault(
        code=Code.BAD_DEFINITION,
        path="credentials",
        message=f"{MASK} stands for keys that are stored, and there are none",
        cure="give the keys, all of them",
    )
