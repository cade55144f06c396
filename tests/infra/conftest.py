from typing import Any

import pytest

from infra import app
from tests.infra.resolution import resolved


@pytest.fixture(scope="session")
def raw_template() -> dict[str, Any]:
    """As it is synthesised for a deployment that says nothing; cdk-nag has passed it."""
    return app.template({})


@pytest.fixture(scope="session")
def template(raw_template: dict[str, Any]) -> dict[str, Any]:
    return resolved(raw_template)
