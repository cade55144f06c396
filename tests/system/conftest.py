from collections.abc import Iterator

import pytest

from tests.system.import_stage import Imports, imports_staged
from tests.system.stage import Stage, staged
from tests.system.stream_stage import Streams


@pytest.fixture(scope="session")
def shared_stage() -> Iterator[Stage]:
    with staged("sluice-system", payload_budget_megabytes=32) as stage:
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    shared_stage.tidy()
    yield shared_stage
    shared_stage.tidy()


@pytest.fixture(scope="session")
def shared_streams(shared_stage: Stage) -> Streams:
    return Streams(shared_stage)


@pytest.fixture
def streams(stage: Stage, shared_streams: Streams) -> Iterator[Streams]:
    yield shared_streams
    shared_streams.forget_runs()


@pytest.fixture(scope="session")
def shared_imports() -> Iterator[Imports]:
    with imports_staged("sluice-imports") as imports:
        yield imports


@pytest.fixture
def imports(shared_imports: Imports) -> Iterator[Imports]:
    shared_imports.stage.tidy()
    yield shared_imports
    shared_imports.stage.tidy()
    shared_imports.forget()
