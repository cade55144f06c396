from typing import Any

import pytest

from functions.adapters.definitions import Definitions
from functions.adapters.intakes import Intakes
from functions.core.definitions.intake import Flush
from functions.core.errors import Code, Permanent, Transient
from tests.memory import FakeDefinitions


@pytest.fixture
def definitions() -> FakeDefinitions:
    return FakeDefinitions()


def test_what_taking_rows_in_needs_is_read_with_its_version(definitions: FakeDefinitions) -> None:
    definitions.add()
    definitions.add(flush={"max_records": 7}, enabled=False)
    found = Intakes(definitions, max_age_seconds=60).get("acme")
    assert found is not None
    assert (found.version, found.intake.kind, found.intake.enabled) == (2, "streams", False)
    assert found.intake.flush == Flush(max_records=7)


def test_a_destination_is_looked_up_once_in_a_while(definitions: FakeDefinitions) -> None:
    definitions.add()
    intakes = Intakes(definitions, max_age_seconds=60)
    for _ in range(3):
        intakes.get("acme")
    assert definitions.journal.deeds() == ["define"]


def test_a_destination_that_there_is_not_is_none(definitions: FakeDefinitions) -> None:
    assert Intakes(definitions, max_age_seconds=60).get("acme") is None


def test_a_name_that_dynamodb_would_refuse_is_no_destinations() -> None:
    nobody_asks: Any = None
    intakes = Intakes(Definitions(nobody_asks, table="t"), max_age_seconds=60)
    for name in ("x" * 65, "😀" * 1_024):
        assert intakes.get(name) is None


def test_destinations_of_other_kinds_have_an_intake_too(definitions: FakeDefinitions) -> None:
    definitions.add(kind="messages")
    found = Intakes(definitions, max_age_seconds=60).get("acme")
    assert found is not None
    assert (found.intake.kind, found.intake.flush) == ("messages", None)


def test_what_cannot_be_read_is_told_and_asked_for_again(definitions: FakeDefinitions) -> None:
    definitions.add(flush=[])
    intakes = Intakes(definitions, max_age_seconds=60)
    with pytest.raises(Permanent) as raised:
        intakes.get("acme")
    assert raised.value.code is Code.BAD_DEFINITION
    definitions.journal.fail("define", Transient(Code.THROTTLED, "later"))
    with pytest.raises(Transient):
        intakes.get("acme")
    definitions.add()
    assert intakes.get("acme") is not None
