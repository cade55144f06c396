"""Whether a connection's access is in order: asked of AWS itself, in the order in which it can be cured.

It runs in the function that will use the access: the same role, the same network, the same libraries.
"""

import fnmatch
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.adapters.clients import error_code, translated
from functions.adapters.sessions import assume
from functions.adapters.source_trials import source_trials
from functions.adapters.trials import Check, trials
from functions.core import policies
from functions.core.definitions.connection import Connection, RoleCredentials
from functions.core.definitions.destination import Destination
from functions.core.definitions.discovery import Discovery
from functions.core.errors import Code, Permanent

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

_REFUSALS = frozenset({"AccessDenied", "AccessDeniedException"})


def verify(
    connection: Destination | Discovery,
    *,
    external_id: str,
    role_pattern: str,
    role_arn: str,
    sts: Callable[[], "STSClient"],
    credentials: Callable[[], Mapping[str, Any]],
    region: str,
    endpoint_url: str | None,
    arrivals_arn: str = "",
) -> list[Check]:
    """The answers, up to and with the first that is not as it must be.

    `role_arn` is our own role, which may assume roles of the names in `role_pattern`; `credentials` gives
    the connection's own, as `Sessions` does; `region` is the deployment's, `endpoint_url` an emulator's;
    `arrivals_arn` is the queue that buckets of sources notify.

    Raises:
        Transient: AWS cannot be asked now.
    """
    checks: list[Check] = []
    trust = policies.trust(role_arn=role_arn, external_id=external_id)

    def questions() -> Generator[Check, None, None]:
        yield from _role(connection, trust=trust, external_id=external_id, role_pattern=role_pattern, sts=sts)
        try:
            own = credentials()
        except Permanent as error:
            yield Check(name="credentials", passed=False, text=error.text, code=error.code)
            return
        if isinstance(connection, Discovery):
            yield from source_trials(
                connection, own, queue_arn=arrivals_arn, region=region, endpoint_url=endpoint_url
            )
        else:
            yield from trials(connection, own, region=region, endpoint_url=endpoint_url)

    # Closed at once where a check fails, so that what was written for it is removed before the answer.
    with closing(questions()) as asked:
        for check in asked:
            checks.append(check)
            if not check.passed:
                break
    return checks


def _role(
    connection: Connection,
    *,
    trust: policies.Document,
    external_id: str,
    role_pattern: str,
    sts: Callable[[], "STSClient"],
) -> Iterator[Check]:
    """Questions that STS answers, each asked when the one before it was answered well."""
    if not isinstance(connection.credentials, RoleCredentials):
        return
    role = _Role(connection.name, connection.credentials.role_arn, sts, trust)
    yield _named_as_agreed(connection.credentials, role_pattern)
    yield role.assumed_with(external_id)
    yield role.refused("without", None)
    yield role.refused("with a wrong", f"{external_id}.wrong")


def _named_as_agreed(role: RoleCredentials, pattern: str) -> Check:
    passed = fnmatch.fnmatchcase(role.role_name, pattern)
    text = f"this deployment may assume roles called {pattern}"
    return Check(
        name="role name", passed=passed, text=text, code=None if passed else Code.INVALID_CREDENTIALS
    )


class _Role:
    """A customer's role, and what STS says of it."""

    def __init__(
        self, connection: str, role_arn: str, sts: Callable[[], "STSClient"], trust: policies.Document
    ) -> None:
        self._connection = connection
        self._role_arn = role_arn
        self._sts = sts
        self._trust = trust

    def assumed_with(self, external_id: str) -> Check:
        refusal = self._refusal(external_id)
        return self._check(
            "role with external id",
            passed=not refusal,
            good="the role can be assumed with the external id",
            bad=f"the role cannot be assumed with the external id: STS answered {refusal}",
        )

    def refused(self, how: str, external_id: str | None) -> Check:
        return self._check(
            f"role {how} external id",
            passed=bool(self._refusal(external_id)),
            good=f"the role cannot be assumed {how} external id",
            bad=f"the role can be assumed {how} external id, so any customer could name it as theirs (the confused"
            " deputy): its trust policy lacks the condition on sts:ExternalId",
        )

    def _refusal(self, external_id: str | None) -> str:
        """STS's reason for a refusal, empty where the role could be assumed."""
        with translated("assuming the role"):
            try:
                assume(self._sts(), self._connection, self._role_arn, external_id=external_id)
            except ClientError as error:
                if error_code(error) in _REFUSALS:
                    return error_code(error)
                raise
        return ""

    def _check(self, name: str, *, passed: bool, good: str, bad: str) -> Check:
        if passed:
            return Check(name=name, passed=True, text=good)
        return Check(name=name, passed=False, text=bad, code=Code.INVALID_CREDENTIALS, grant=self._trust)
