from collections.abc import Iterator

import pytest

from tests.system.stage import Stage, staged


@pytest.fixture(scope="session")
def shared_stage() -> Iterator[Stage]:
    with staged("sluice-system", payload_budget_megabytes=32) as stage:
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    shared_stage.tidy()
    yield shared_stage
    shared_stage.tidy()
