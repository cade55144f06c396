from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.definitions.discovery import Discovery, discovery, pinned
from functions.core.definitions.parsing import parse_definition, parse_destination
from functions.core.definitions.sources import STRATEGIES, Rejects, Source, Strategy, parse_source
from functions.core.errors import Code, Permanent, Refused
from functions.core.events.fields import DataType
from tests.cases import rows
from tests.core.attempts import attempted
from tests.core.source_documents import SMALLEST


def _faults(document: Any) -> list[tuple[str, str]]:
    found = attempted(lambda: parse_source(document))
    if not isinstance(found, Permanent):
        return []
    assert isinstance(found, Refused)
    assert all(fault.code is Code.BAD_DEFINITION for fault in found.faults)
    return [(fault.path, str(fault)) for fault in found.faults]


@pytest.mark.parametrize("case", rows("source_definitions"), ids=lambda case: case["name"])
def test_a_document_has_all_of_these_faults_and_no_others(case: dict[str, Any]) -> None:
    document = case["only"] if "only" in case else SMALLEST | case["with"]
    found = sorted(_faults(document))
    expected = sorted((path, says) for path, says in case["faults"])
    assert [path for path, _ in found] == [path for path, _ in expected]
    for path, says in expected:
        assert any(at == path and says in text for at, text in found), found
    if not expected:
        source = parse_source(document)
        gives = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in case.get("gives", {}).items()
        }
        assert {name: getattr(source, name) for name in gives} == gives


@pytest.mark.parametrize("data_type", DataType)
@pytest.mark.parametrize("strategy", Strategy)
def test_the_strategies_of_a_data_type(data_type: DataType, strategy: Strategy) -> None:
    told = {path for path, _ in _faults(SMALLEST | {"data_type": data_type, "strategy": strategy})}
    assert ("strategy" in told) is (strategy not in STRATEGIES[data_type])


def test_rejects_are_what_the_document_says() -> None:
    assert parse_source(SMALLEST).rejects == Rejects(max_percent=None, all_or_nothing=False)
    given = SMALLEST | {"rejects": {"max_percent": 5}}
    assert parse_source(given).rejects == Rejects(max_percent=5.0)


def test_a_source_takes_what_its_pattern_its_prefix_and_its_start_allow() -> None:
    source = parse_source(SMALLEST | {"prefix": "in/", "start_from": "1970-01-02"})
    day = 86_400_000
    assert source.takes("in/a.json", day)
    assert not source.takes("in/a.json", day - 1)
    assert not source.takes("out/a.json", day)
    assert not source.takes("in/a.csv", day)
    assert not parse_source(SMALLEST | {"start_from": "now"}).takes("a.json", day)


def test_now_is_pinned_once() -> None:
    document = SMALLEST | {"start_from": "now"}
    stored = pinned(document, now=86_400, before=None)
    assert stored["start_from"] == "1970-01-02T00:00:00Z"
    assert pinned(document, now=90_000, before=stored) == stored
    assert pinned(document, now=90_000, before=SMALLEST)["start_from"] == "1970-01-02T01:00:00Z"
    assert pinned(SMALLEST, now=90_000, before=stored) == SMALLEST


def test_the_discovery_of_a_document_is_known_without_its_converter() -> None:
    document = SMALLEST | {"converter": {"not": "looked at"}, "notifications": True, "scan_every_minutes": 5}
    found = discovery(document | {"enabled": False})
    assert (found.notifications, found.scan_every_minutes, found.enabled) == (True, 5, False)
    assert type(found) is Discovery


def test_a_definition_is_what_its_kind_says() -> None:
    assert isinstance(parse_definition(SMALLEST), Source)
    with pytest.raises(Refused, match="sluice source"):
        parse_destination(SMALLEST)
    with pytest.raises(Refused, match="messages, streams, files"):
        parse_definition(SMALLEST | {"kind": "tables"})


@pytest.mark.parametrize(
    ("prefix", "other", "expected"),
    [
        ("in/", "in/", True),
        ("", "in/", True),
        ("in/a/", "in/", True),
        ("in/", "out/", False),
        ("in", "in/", True),
    ],
)
def test_connections_meet_where_one_object_could_belong_to_both(
    prefix: str,
    other: str,
    expected: bool,  # noqa: FBT001 - a table's column
) -> None:
    source, theirs = parse_source(SMALLEST | {"prefix": prefix}), parse_source(SMALLEST | {"prefix": other})
    assert source.meets(theirs) is expected
    assert theirs.meets(source) is expected
    assert not source.meets(parse_source(SMALLEST | {"prefix": other, "bucket": "acme-data-2"}))


_ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters()), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.text(), st.integers()), inner, max_size=3)
    ),
    max_leaves=5,
)
_OWN = ["converter", "data_type", "strategy", "dedup", "made_insert_ids", "rejects", "outputs", "start_from"]


@settings(max_examples=200)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*SMALLEST, *_OWN], _ANYTHING)))
def test_no_document_crashes_the_checks(drawn: dict[str, Any]) -> None:
    for _, text in _faults(SMALLEST | drawn):
        assert text
