"""Hypothesis's profile, and one moto server for all tests that speak to AWS."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from moto.server import ThreadedMotoServer

from tests.adapters.aws import Aws

# Without deadlines, since two cores are shared; derandomized, so that a red run can be repeated.
settings.register_profile(
    "sluice",
    deadline=None,
    derandomize=True,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sluice")


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Aws(f"http://{host}:{port}")
    server.stop()
