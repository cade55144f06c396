from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from functions.adapters.sessions import KEY_SECONDS, OWN_SECONDS, Sessions
from functions.core.definitions.connection import KeyCredentials, RoleCredentials
from functions.core.errors import Code, Permanent, SluiceError, Transient
from tests.adapters.aws import KEYS, REGION, Aws

ROLE = RoleCredentials(role_arn="arn:aws:iam::111122223333:role/sluice-acme")
MASKED = KeyCredentials(access_key_id="****", secret_access_key="****")


@contextmanager
def _stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client(  # type: ignore[call-overload] # a name for its Literal
        service, region_name=REGION, config=Config(retries={"total_max_attempts": 1}), **KEYS
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def _never() -> Any:
    pytest.fail("the client is not needed")


def _answer(left: timedelta = timedelta(hours=1)) -> dict[str, Any]:
    return {
        "Credentials": {
            "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "SecretAccessKey": "s3cr3t",
            "SessionToken": "token",
            "Expiration": datetime.now(UTC) + left,
        }
    }


def _open(sessions: Sessions, name: str = "acme") -> tuple[dict[str, Any], float]:
    return sessions.open(name, ROLE, external_id="sluice-1", secret_arn=None)


@pytest.mark.parametrize(("name", "session"), [("acme", "sluice-acme"), ("x" * 64, f"sluice-{'x' * 57}")])
def test_a_role_is_assumed_with_the_external_id_and_the_connections_name(name: str, session: str) -> None:
    with _stubbed("sts") as (sts, stubber):
        expected = {
            "RoleArn": ROLE.role_arn,
            "RoleSessionName": session,
            "ExternalId": "sluice-1",
            "DurationSeconds": 3600,
        }
        stubber.add_response("assume_role", _answer(), expected)
        credentials, _ = _open(Sessions(sts=lambda: sts, secrets=_never), name)
    assert credentials["access_key_id"] == "ASIAIOSFODNN7EXAMPLE"
    assert credentials["secret_access_key"] == "s3cr3t"
    assert credentials["token"] == "token"


def test_a_session_is_used_until_shortly_before_it_expires() -> None:
    with _stubbed("sts") as (sts, stubber):
        stubber.add_response("assume_role", _answer())
        _, seconds = _open(Sessions(sts=lambda: sts, secrets=_never))
    assert 2_700 < seconds <= 3_600 - 120


def test_a_session_that_is_nearly_over_is_used_for_a_moment() -> None:
    with _stubbed("sts") as (sts, stubber):
        stubber.add_response("assume_role", _answer(timedelta(seconds=10)))
        _, seconds = _open(Sessions(sts=lambda: sts, secrets=_never))
    assert 0 < seconds <= 10


@pytest.mark.parametrize(
    ("code", "status", "kind", "expected"),
    [
        ("AccessDenied", 403, Permanent, Code.INVALID_CREDENTIALS),
        ("RegionDisabledException", 403, Permanent, Code.INVALID_CREDENTIALS),
        ("Throttling", 400, Transient, Code.THROTTLED),
        ("ServiceUnavailable", 503, Transient, Code.UNAVAILABLE),
        ("InternalFailure", 500, Transient, Code.UNAVAILABLE),
    ],
)
def test_what_sts_refuses_is_told_without_its_text(
    code: str, status: int, kind: type[SluiceError], expected: Code
) -> None:
    with _stubbed("sts") as (sts, stubber):
        stubber.add_client_error("assume_role", code, "s3cr3t", http_status_code=status)
        with pytest.raises(SluiceError) as raised:
            _open(Sessions(sts=lambda: sts, secrets=_never))
    assert (type(raised.value), raised.value.code) == (kind, expected)
    assert "s3cr3t" not in raised.value.text
    assert code in raised.value.text


def test_sts_that_cannot_be_reached_is_transient() -> None:
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=0.2)
    sts = boto3.client("sts", region_name=REGION, endpoint_url="http://127.0.0.1:9", config=config, **KEYS)
    with pytest.raises(Transient) as raised:
        _open(Sessions(sts=lambda: sts, secrets=_never))
    assert raised.value.code is Code.UNAVAILABLE


def test_keys_come_from_secrets_manager(aws: Aws) -> None:
    secrets = aws.client("secretsmanager")
    text = '{"access_key_id": "AKIA", "secret_access_key": "s3cr3t", "session_token": "t"}'
    arn = secrets.create_secret(Name=aws.name("sluice/acme"), SecretString=text)["ARN"]
    found = Sessions(sts=_never, secrets=lambda: secrets).open(
        "acme", MASKED, external_id="sluice-1", secret_arn=arn
    )
    assert found == (
        {"access_key_id": "AKIA", "secret_access_key": "s3cr3t", "token": "t", "expires_at": None},
        KEY_SECONDS,
    )


def test_keys_need_no_session_token(aws: Aws) -> None:
    secrets = aws.client("secretsmanager")
    text = '{"access_key_id": "AKIA", "secret_access_key": "s3cr3t"}'
    arn = secrets.create_secret(Name=aws.name("sluice/acme"), SecretString=text)["ARN"]
    credentials, _ = Sessions(sts=_never, secrets=lambda: secrets).open(
        "acme", MASKED, external_id="sluice-1", secret_arn=arn
    )
    assert credentials["token"] is None


def test_keys_that_are_not_stored_are_invalid_credentials(aws: Aws) -> None:
    secrets = aws.client("secretsmanager")
    gone = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:sluice/gone-AbCdEf"
    for secret_arn, provide in ((None, _never), (gone, lambda: secrets)):
        with pytest.raises(Permanent) as raised:
            Sessions(sts=_never, secrets=provide).open(
                "acme", MASKED, external_id="sluice-1", secret_arn=secret_arn
            )
        assert raised.value.code is Code.INVALID_CREDENTIALS


def test_our_own_bucket_is_read_with_our_own_credentials_and_nothing_else_is() -> None:
    own = {"access_key_id": "AKIA", "secret_access_key": "s", "token": "t", "expires_at": "a time"}
    given: dict[str, Any] = {"external_id": "sluice-1", "secret_arn": None}
    found, seconds = Sessions(sts=_never, secrets=_never, own=lambda: own).open("acme", None, **given)
    assert found == own | {"expires_at": None}
    assert seconds == OWN_SECONDS
    with pytest.raises(Permanent) as raised:
        Sessions(sts=_never, secrets=_never).open("acme", None, **given)
    assert raised.value.code is Code.INVALID_CREDENTIALS
