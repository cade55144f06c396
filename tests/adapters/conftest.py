from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.adapters.objects import Bucket
from tests.adapters.aws import REGION, Aws
from tests.adapters.stub_s3 import StubS3


@pytest.fixture
def stub() -> Iterator[StubS3]:
    with StubS3() as running:
        yield running


@pytest.fixture
def opened(aws: Aws) -> Callable[..., Bucket]:
    """Opens a bucket of moto's, or of the endpoint that is given."""
    at_moto: dict[str, Any] = {"region": REGION, "credentials": credentials, "endpoint_url": aws.url}

    def open_bucket(name: str, **options: Any) -> Bucket:
        return Bucket(name, **(at_moto | options))

    return open_bucket


def credentials() -> dict[str, Any]:
    return {
        "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "secret",
        "token": None,
        "expires_at": None,
    }
