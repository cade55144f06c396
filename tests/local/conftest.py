from collections.abc import Iterator

import pytest

from local.cloud import Cloud
from local.faults import Faults
from tests.local.templates import STACK


@pytest.fixture(scope="session")
def shared_faults() -> Faults:
    return Faults()


@pytest.fixture(scope="session")
def cloud(shared_faults: Faults) -> Iterator[Cloud]:
    with Cloud(STACK, name="embedded", faults=shared_faults) as running:
        yield running


@pytest.fixture
def faults(shared_faults: Faults) -> Iterator[Faults]:
    shared_faults.clear()
    yield shared_faults
    shared_faults.clear()
