"""Tables of cases: each is a list whose first member is its sentence."""

import json
from pathlib import Path
from typing import Any

import pytest


def table(name: str) -> list[Any]:
    """The cases of one table, as parameters of a test."""
    cases: list[list[Any]] = json.loads((Path(__file__).parent / f"{name}.json").read_text("utf-8"))
    return [pytest.param(*case[1:3], case[3:], id=case[0]) for case in cases]
