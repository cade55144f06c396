"""`sluice import`, and failures of files: what an operator sees of files, and does about those that fail."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.import_stage import Imports, lines, record
from tests.system.stage import Stage

FUNCTIONS = {"user_id": "user", "event_type": ["value", "seen"], "time": ["iso_time_to_ms", "at"]}


@pytest.fixture(scope="session")
def shared_imports(shared_stage: Stage) -> Imports:
    return Imports(shared_stage)


@pytest.fixture
def imports(stage: Stage, shared_imports: Imports) -> Iterator[Imports]:
    yield shared_imports
    shared_imports.untold()
    shared_imports.forget()


@pytest.fixture
def source(imports: Imports) -> str:
    """A source with one file that is done, of whose records one was refused, and one that has failed."""
    name = imports.source()
    imports.put(name, "a b.json", lines([record(1), record(2, type=None)]))
    imports.put(name, "bad.json", b"\x1f\x8b" + gzip.compress(b"{}\n")[2:-4])
    imports.define(name, converter=_gzip() if False else None) if False else None
    imports.work()
    return name


def _gzip() -> dict[str, Any]:
    return {}
