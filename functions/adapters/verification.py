"""Whether a connection's access is in order: asked of AWS itself, in the order in which it can be cured.

It runs in the function that will use the access: the same role, the same network, the same libraries.
"""

import fnmatch
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.adapters.clients import error_code, translated
from functions.adapters.objects import Bucket
from functions.adapters.sessions import assume
from functions.core import policies
from functions.core.definitions import Destination, RoleCredentials
from functions.core.errors import Code, Permanent

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

TEST_NAME = ".sluice-test"
"""The object that is written below the prefix; a role that may only put cannot remove it."""

_REFUSALS = frozenset({"AccessDenied", "AccessDeniedException"})


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question and its answer; `grant` is the policy that would mend what is wrong."""

    name: str
    passed: bool
    text: str
    code: Code | None = None
    grant: dict[str, Any] | None = None


def verify(
    destination: Destination,
    *,
    external_id: str,
    role_pattern: str,
    role_arn: str,
    sts: Callable[[], "STSClient"],
    open_bucket: Callable[[Destination], Bucket],
) -> list[Check]:
    """The answers, up to and with the first that is not as it must be.

    `role_arn` is our own role, which may assume roles of the names in `role_pattern`; `open_bucket` opens the
    destination's bucket with the destination's credentials.

    Raises:
        Transient: AWS cannot be asked now.
    """
    checks: list[Check] = []
    trust = policies.trust(role_arn=role_arn, external_id=external_id)
    questions = chain(
        _role(destination, trust=trust, external_id=external_id, role_pattern=role_pattern, sts=sts),
        _objects(destination, open_bucket),
    )
    for check in questions:
        checks.append(check)
        if not check.passed:
            break
    return checks


def _role(
    destination: Destination,
    *,
    trust: policies.Document,
    external_id: str,
    role_pattern: str,
    sts: Callable[[], "STSClient"],
) -> Iterator[Check]:
    """Questions that STS answers, each asked when the one before it was answered well."""
    if not isinstance(destination.credentials, RoleCredentials):
        return
    role = _Role(destination.name, destination.credentials.role_arn, sts, trust)
    yield _named_as_agreed(destination.credentials, role_pattern)
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


def _objects(destination: Destination, open_bucket: Callable[[Destination], Bucket]) -> Iterator[Check]:
    """Questions that S3 answers: whether this job's requests are allowed, made as the job makes them."""
    key = destination.prefix + TEST_NAME
    yield _asked("object written", destination, lambda: _write_test_object(destination, open_bucket, key))
    if destination.keep:
        yield _asked("object looked at", destination, lambda: open_bucket(destination).metadata(key))


def _write_test_object(
    destination: Destination, open_bucket: Callable[[Destination], Bucket], key: str
) -> None:
    body = b'{"sluice": "tests its access with this object, and overwrites it each time"}'
    try:
        open_bucket(destination).put(key, body, storage_class=destination.storage_class)
    except Permanent as error:
        if destination.owner and error.code is Code.MISSING_PERMISSION:
            # S3 says the same of both, and asking without the expected owner could write to a stranger.
            text = (
                f"{error}: the role may not write there, or the bucket is not of account {destination.owner}"
            )
            raise Permanent(error.code, text) from None
        raise


def _asked(name: str, destination: Destination, ask: Callable[[], object]) -> Check:
    try:
        ask()
    except Permanent as error:
        lacks = error.code in {Code.MISSING_PERMISSION, Code.KMS_DENIED}
        grant = policies.access(destination) if lacks else None
        return Check(name=name, passed=False, text=error.text, code=error.code, grant=grant)
    return Check(
        name=name, passed=True, text=f"{name}: s3://{destination.bucket}/{destination.prefix}{TEST_NAME}"
    )
