from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.settings import Settings, SettingsError, variables

REQUIRED: dict[str, Any] = {
    "definitions_table": "d",
    "ledger_table": "l",
    "data_bucket": "b",
}


def test_what_is_set_is_read_back() -> None:
    settings = Settings.from_environment(variables(**REQUIRED, writes_at_once=8) | {"HOME": "/"})
    assert settings == Settings(**REQUIRED, writes_at_once=8)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from(["sluice-*", "*", "acme"]))
def test_every_value_is_read_back(seconds: int, megabytes: int, pattern: str) -> None:
    given_: dict[str, Any] = {
        "definition_max_age_seconds": seconds,
        "payload_budget_megabytes": megabytes,
        "assume_role_pattern": pattern,
    }
    settings = Settings.from_environment(variables(**REQUIRED, **given_))
    assert {name: getattr(settings, name) for name in given_} == given_


@pytest.mark.parametrize("name", REQUIRED)
def test_a_variable_that_is_absent_is_named(name: str) -> None:
    there = {other: value for other, value in REQUIRED.items() if other != name}
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(variables(**there))


def test_a_variable_that_is_malformed_is_named() -> None:
    with pytest.raises(SettingsError, match="writes_at_once"):
        Settings.from_environment(variables(**REQUIRED, writes_at_once="many"))


def test_a_setting_that_there_is_not_cannot_be_set() -> None:
    with pytest.raises(SettingsError, match="no such settings: bucket"):
        variables(bucket="b")
