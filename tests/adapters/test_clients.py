from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.adapters.clients import THROTTLED, Clients, error_code, translated
from functions.core.errors import Code, Permanent, Transient
from tests.adapters.aws import REGION, Aws


def _error(code: str, status: int) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "s3cr3t"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Call")


@pytest.mark.parametrize("code", sorted(THROTTLED))
@pytest.mark.parametrize("otherwise", [None, Code.INVALID_CREDENTIALS])
def test_a_throttle_is_transient(code: str, otherwise: Code | None) -> None:
    with pytest.raises(Transient) as raised, translated("calling", otherwise=otherwise):
        raise _error(code, 400)
    assert raised.value.code is Code.THROTTLED


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("otherwise", [None, Code.INVALID_CREDENTIALS])
def test_a_fault_of_the_service_is_transient(status: int, otherwise: Code | None) -> None:
    with pytest.raises(Transient) as raised, translated("calling", otherwise=otherwise):
        raise _error("InternalFailure", status)
    assert raised.value.code is Code.UNAVAILABLE


def test_what_our_own_deployment_lacks_is_transient() -> None:
    with pytest.raises(Transient) as raised, translated("calling"):
        raise _error("AccessDeniedException", 400)
    assert raised.value.text == "calling: AccessDeniedException"


def test_what_a_customer_lacks_is_permanent() -> None:
    with pytest.raises(Permanent) as raised, translated("calling", otherwise=Code.INVALID_CREDENTIALS):
        raise _error("AccessDenied", 403)
    assert (raised.value.code, raised.value.text) == (Code.INVALID_CREDENTIALS, "calling: AccessDenied")


def test_a_network_that_is_gone_is_transient() -> None:
    with pytest.raises(Transient) as raised, translated("calling", otherwise=Code.INVALID_CREDENTIALS):
        raise EndpointConnectionError(endpoint_url="http://s3cr3t")
    assert "s3cr3t" not in raised.value.text


def test_what_is_not_awss_is_left_alone() -> None:
    with pytest.raises(LookupError), translated("calling"):
        raise LookupError("of ours")


def test_an_error_without_a_code_has_none() -> None:
    assert error_code(ClientError({}, "Call")) == ""


def test_each_client_is_made_once(aws: Aws) -> None:
    clients = Clients(aws.session, endpoint_url=aws.url)
    assert clients.get("sts") is clients.get("sts")
    assert clients.get("sqs").meta.endpoint_url == aws.url
    assert clients.region == REGION


def test_a_session_without_a_region_has_awss_oldest(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
    assert Clients(boto3.session.Session()).region == "us-east-1"
