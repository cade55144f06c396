"""Tables of cases: each file is a list of objects, each of which has a `name`, its sentence."""

import json
from pathlib import Path
from typing import Any

import pytest


def table(name: str) -> list[Any]:
    """The cases of one table, as parameters of a test."""
    return [pytest.param(case, id=case["name"]) for case in rows(name)]


def rows(name: str) -> list[dict[str, Any]]:
    """The cases of one table."""
    cases: list[dict[str, Any]] = json.loads((Path(__file__).parent / f"{name}.json").read_text())
    return cases
