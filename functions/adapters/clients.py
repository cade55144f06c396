"""AWS clients and AWS's errors: the one place where botocore's exceptions become ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.errors import Code, Permanent, Transient

CONFIG = Config(
    # Our calls have the shapes that they have; botocore looks at every value of each at twice the cost of the rest.
    parameter_validation=False,
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    tcp_keepalive=True,
    max_pool_connections=512,  # as many as there can be writes at once
)
"""Bounds that leave a function time to report what did not work, in place of botocore's minute."""

THROTTLED = frozenset(
    {
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

_SERVER_ERROR = 500


class Clients:
    """The clients of one session, each made when it is first needed; `endpoint_url` stands for all services.

    boto3 makes clients on one thread at a time; what it has made is safe on all.
    """

    def __init__(
        self, session: boto3.session.Session | None = None, *, endpoint_url: str | None = None
    ) -> None:
        self.session = session or boto3.session.Session()
        self.endpoint_url = endpoint_url
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        """The session's region; AWS's oldest where it has none."""
        return self.session.region_name or "us-east-1"

    def get(self, service: str, *, config: Config = CONFIG) -> Any:
        """The client of a service, by boto3's name for it; `config` counts when it is first asked for."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self.session.client(
                    service,  # type: ignore[call-overload] # a name for its Literal
                    region_name=self.region,
                    endpoint_url=self.endpoint_url,
                    config=config,
                )
            return self._made[service]


def error_code(error: ClientError) -> str:
    """The service's name for the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(what: str, *, otherwise: Code | None = None) -> Iterator[None]:
    """Turn AWS's errors into ours.

    Raises:
        Transient: A throttle, a fault of the service or of the network; and, without `otherwise`, every other
            error, since it is then our own deployment that lacks something and no message's fault.
        Permanent: Every other error, with the code `otherwise`.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in THROTTLED:
            raise Transient(Code.THROTTLED, f"{what}: {code}") from None
        if status >= _SERVER_ERROR or otherwise is None:
            raise Transient(Code.UNAVAILABLE, f"{what}: {code}") from None
        raise Permanent(otherwise, f"{what}: {code}") from None
    except BotoCoreError as error:
        raise Transient(Code.UNAVAILABLE, f"{what}: {type(error).__name__}") from None
