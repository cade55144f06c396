"""The customers' credentials: sessions of their roles, assumed with our external ids, and keys they gave us."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.adapters.clients import error_code, translated
from functions.core.definitions.connection import KeyCredentials, RoleCredentials
from functions.core.errors import Code, Permanent, Transient

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

SESSION_SECONDS = 3600
"""The longest that AWS allows a role which is assumed by another role."""

MARGIN_SECONDS = 300
"""How long before its end a session is no longer used: longer than any invocation works on one batch."""

KEY_SECONDS = 3600.0
"""How long keys are used before Secrets Manager is asked again; a new version of a definition asks at once."""


OWN_SECONDS = 900.0
"""How long our own credentials are used before the process is asked for them anew."""


class Sessions:
    """Makes credentials; keeps none. Clients are made when they are first needed.

    `own` gives the credentials that this process runs with, for our own bucket of dropped files.
    """

    def __init__(
        self,
        *,
        sts: Callable[[], "STSClient"],
        secrets: Callable[[], "SecretsManagerClient"],
        own: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self._sts = sts
        self._secrets = secrets
        self._own = own

    def open(
        self,
        name: str,
        credentials: RoleCredentials | KeyCredentials | None,
        *,
        external_id: str,
        secret_arn: str | None,
    ) -> tuple[dict[str, Any], float]:
        """Credentials for the connection `name` as obstore wants them, and the seconds they may be used.

        None stands for our own.

        Raises:
            Permanent: `INVALID_CREDENTIALS`; the role cannot be assumed, or the keys are not there.
        """
        if credentials is None:
            if self._own is None:
                raise Permanent(Code.INVALID_CREDENTIALS, "only sources are read with our own credentials")
            return {**self._own(), "expires_at": None}, OWN_SECONDS
        if isinstance(credentials, RoleCredentials):
            with translated("assuming the role", otherwise=Code.INVALID_CREDENTIALS):
                return assume(self._sts(), name, credentials.role_arn, external_id=external_id)
        if secret_arn is None:
            raise Permanent(Code.INVALID_CREDENTIALS, "the definition's keys are not stored")
        with translated("reading the keys", otherwise=Code.INVALID_CREDENTIALS):
            secret = self._secret(secret_arn)
        keys = msgspec.json.decode(secret, type=KeyCredentials)
        return {
            "access_key_id": keys.access_key_id,
            "secret_access_key": keys.secret_access_key,
            "token": keys.session_token,
            "expires_at": None,
        }, KEY_SECONDS

    def _secret(self, secret_arn: str) -> str:
        try:
            return self._secrets().get_secret_value(SecretId=secret_arn)["SecretString"]
        except ClientError as error:
            if error_code(error) != "InvalidRequestException":
                raise
            # It waits for its deletion: a newer definition has newer keys, and is known here soon.
            raise Transient(Code.UNAVAILABLE, "the keys are being replaced") from None


def assume(
    sts: "STSClient", name: str, role_arn: str, *, external_id: str | None
) -> tuple[dict[str, Any], float]:
    """One session of a role, called after the connection, and the seconds it may be used.

    Raises:
        ClientError: STS's refusal, as it is: verification wants to know it exactly.
    """
    given: Any = {} if external_id is None else {"ExternalId": external_id}
    found = sts.assume_role(
        RoleArn=role_arn,
        RoleSessionName=f"sluice-{name}"[:64],
        DurationSeconds=SESSION_SECONDS,
        **given,
    )["Credentials"]
    left = (found["Expiration"] - datetime.now(UTC)).total_seconds()
    return {
        "access_key_id": found["AccessKeyId"],
        "secret_access_key": found["SecretAccessKey"],
        "token": found["SessionToken"],
        "expires_at": None,  # whoever opened the bucket opens it anew in time
    }, max(left - MARGIN_SECONDS, 1.0)
