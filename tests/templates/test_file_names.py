from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent, Refused
from functions.core.instants import Instant
from functions.core.keys import object_key
from functions.core.templates.file_names import FileNameTemplate, parse_tokens
from functions.core.zones import LETTERS
from tests.cases import table
from tests.core.strategies import INSTANTS

TOKENS: dict[str, Any] = {
    "now": "2025-04-14T11:23:45.5Z",
    "dataset_name": "customers",
    "campaign_name": "spring",
    "group_name": "vip",
    "list_name": "all",
    "file_number": 3,
}
ZONES = st.sampled_from(
    [
        "America/Los_Angeles",
        "America/Sao_Paulo",
        "America/St_Johns",
        "Africa/Casablanca",
        "Antarctica/Troll",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Europe/Berlin",
        "Europe/Dublin",
        "Pacific/Apia",
        "Pacific/Kwajalein",
        "UTC",
    ]
)
NAMES = st.sampled_from(["dataset_name", "campaign_name", "group_name", "list_name"])
VALUES = st.one_of(
    st.sampled_from(["..", ".", "/", "a/b", "../../x", "//", "é😀", "\ud83d", "\x00"]), st.text(min_size=1)
)
# A day within the years that there are, wherever it is.
WITHIN = st.integers(-62_135_596_800 + 3 * 86_400, 253_402_300_799 - 3 * 86_400).map(
    lambda seconds: Instant(seconds * 10**9 + 5)
)
RECENT = st.integers(-2_208_988_800, 4_102_444_800)
"""Seconds of the years 1900 to 2100."""

PATTERNS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(LETTERS)), st.integers(1, 6)).map(lambda drawn: drawn[0] * drawn[1]),
        st.sampled_from(["-", "/", "_", "'T'", "''", "'o''clock'", "é", ":"]),
    ),
    min_size=1,
    max_size=6,
).map("".join)
TIMES = st.tuples(
    st.lists(st.one_of(st.just("next_day"), ZONES.map("local:'{}'".format)), max_size=2),
    st.one_of(st.just([]), PATTERNS.map(lambda pattern: [f'format:"{pattern}"'])),
    st.sampled_from(["|", " | ", "  |\t"]),
).map(lambda drawn: "{{" + drawn[2].join(["now", *drawn[0], *drawn[1]]) + "}}")
LITERALS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="./"), max_size=8
).filter(lambda text: "{" not in text)
TEMPLATES = (
    st.lists(
        st.one_of(TIMES, NAMES.map("{{{{{}}}}}".format), st.just("{{file_number}}"), LITERALS),
        min_size=1,
        max_size=4,
    )
    .map("".join)
    .filter(bool)
)


def _tokens(given: dict[str, Any]) -> dict[str, Any]:
    return given | {"now": given["now"] and Instant.parse(given["now"])}


def _rendered(template: str, **tokens: Any) -> str:
    return FileNameTemplate.parse(template).render(tokens)


@pytest.mark.parametrize("case", table("file_names"))
def test_a_template_gives_this_name_or_this_error_or_is_refused(case: dict[str, Any]) -> None:
    split = case.get("split", False)
    if "refused" in case:
        with pytest.raises(Refused) as refused:
            FileNameTemplate.parse(case["template"], split=split)
        faults = refused.value.faults
        assert [fault.column for fault in faults] == [column for column, _ in case["refused"]]
        for fault, (_, says) in zip(faults, case["refused"], strict=True):
            assert fault.code is Code.BAD_DEFINITION
            assert says in str(fault)
        return
    template = FileNameTemplate.parse(case["template"], split=split)
    tokens = _tokens(TOKENS | {"now": case.get("now", TOKENS["now"])} | case.get("with", {}))
    if "error" in case:
        with pytest.raises(Permanent) as raised:
            template.render(tokens)
        assert raised.value.code is Code.BAD_KEY
        assert case["error"] in raised.value.text
    else:
        assert template.render(tokens) == case["key"]


def test_a_fault_in_an_argument_points_at_its_place_with_a_caret() -> None:
    with pytest.raises(Refused) as refused:
        FileNameTemplate.parse("x/{{ now | format:'yyyy''T''w' }}.csv")
    assert str(refused.value).splitlines()[1:] == [
        "    x/{{ now | format:'yyyy''T''w' }}.csv",
        "                                ^",
    ]


def test_a_template_says_which_tokens_it_needs() -> None:
    template = FileNameTemplate.parse("{{now|next_day}}/{{list_name}}_{{file_number}}", split=True)
    assert template.tokens == {"now", "list_name", "file_number"}


def test_a_template_without_measure_is_refused() -> None:
    for text in (
        "{{" * 10**6,
        "{{now|format:'" * 10**5,
        "{{now|" + " '" * 2_000,
        "{{now|format:'" + "' " * 2_000,
    ):
        with pytest.raises(Refused):
            FileNameTemplate.parse(text)


def test_tokens_that_are_given_tell_all_their_faults() -> None:
    with pytest.raises(Refused) as refused:
        parse_tokens({"dataset_name": 1, "file_number": 0, "now": "x", "lst_name": "y"})
    assert {fault.path for fault in refused.value.faults} == {
        "dataset_name",
        "file_number",
        "now",
        "lst_name",
    }


@given(LITERALS.filter(bool))
def test_a_literal_stands_for_itself(text: str) -> None:
    template = FileNameTemplate.parse(text)
    assert template.render({}) == text
    assert not template.tokens


@given(INSTANTS)
def test_now_is_in_utc_and_to_the_second(nanoseconds: int) -> None:
    assert _rendered("{{now}}", now=Instant(nanoseconds)) == Instant(nanoseconds).rfc3339()


@given(WITHIN, ZONES)
def test_now_in_a_zone_is_the_same_instant(now: Instant, zone: str) -> None:
    text = _rendered(f"{{{{now|local:'{zone}'}}}}", now=now)
    moment = datetime.fromisoformat(text)
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) == now.nanoseconds // 10**9


@given(RECENT, ZONES)
def test_a_pattern_agrees_with_strftime(seconds: int, zone: str) -> None:
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(ZoneInfo(zone))
    pattern = "yyyy-MM-dd'T'HH:mm:ss yy DDD hh a EEE EEEE MMM MMMM"
    given = _rendered(f"{{{{now|local:'{zone}'|format:'{pattern}'}}}}", now=Instant(seconds * 10**9))
    assert given == f"{moment:%Y-%m-%dT%H:%M:%S %y %j %I %p %a %A %b %B}"


def _on_the_clock(wanted: datetime, zone: str) -> list[datetime]:
    """The instants at which the zone's clocks show this, by trying all offsets of the days around."""
    around = [(wanted.replace(tzinfo=UTC) + timedelta(hours=hours)) for hours in range(-48, 49)]
    offsets = {each.astimezone(ZoneInfo(zone)).utcoffset() or timedelta() for each in around}
    tried = sorted(wanted.replace(tzinfo=UTC) - offset for offset in offsets)
    return [each for each in tried if each.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == wanted]


@settings(max_examples=300)
@given(RECENT, ZONES)
def test_the_next_day_is_the_calendars(seconds: int, zone: str) -> None:
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(ZoneInfo(zone))
    wanted = moment.replace(tzinfo=None, fold=0) + timedelta(days=1)
    given = datetime.fromisoformat(
        _rendered(f"{{{{now|local:'{zone}'|next_day}}}}", now=Instant(seconds * 10**9))
    )
    shown = given.replace(tzinfo=None)
    if same := _on_the_clock(wanted, zone):
        assert shown == wanted
        assert given == same[0]
    else:
        assert wanted < shown <= wanted + timedelta(days=1)


@given(TEMPLATES, WITHIN, st.lists(VALUES, min_size=4, max_size=4), st.integers(1, 10**8))
def test_a_template_of_what_there_is_renders_and_its_key_stays_below_the_prefix(
    text: str, now: Instant, values: list[str], number: int
) -> None:
    names = ["dataset_name", "campaign_name", "group_name", "list_name"]
    tokens = dict(zip(names, values, strict=True)) | {"now": now, "file_number": number}
    template = FileNameTemplate.parse(text, split=True)
    name = template.render(tokens)
    assert name == template.render({token: tokens[token] for token in template.tokens})
    try:
        key = object_key(prefix="acme/", name=name)
    except Permanent:
        return
    assert key.startswith("acme/")
    assert not {".", ".."} & set(key.split("/"))


@settings(max_examples=1000)
@given(
    st.one_of(
        st.text(),
        st.text(alphabet="{}|:'\" nowyMdTform/.", max_size=24),
        st.text(alphabet="yMdTE'\" |}", max_size=12).map("{{{{now|format:'{}'}}}}".format),
        st.tuples(TEMPLATES, st.integers(0, 40), st.text(max_size=2)).map(
            lambda drawn: drawn[0][: drawn[1]] + drawn[2] + drawn[0][drawn[1] + 1 :]
        ),
    )
)
def test_no_text_crashes_the_parser_and_what_it_takes_renders(text: str) -> None:
    try:
        template = FileNameTemplate.parse(text, split=True)
    except Refused as refused:
        places = [fault.column or 0 for fault in refused.faults]
        assert 1 <= min(places) <= max(places) <= len(text) + 1
    else:
        assert template.render(_tokens(TOKENS))
