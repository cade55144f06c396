from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent, Refused
from functions.core.instants import Instant
from functions.core.keys import MAX_KEY_BYTES, object_key
from functions.core.templates.macros import DEFAULT, MACROS, MacroContext, MacroTemplate
from tests.cases import table
from tests.core.strategies import INSTANTS


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


DOCUMENT: dict[str, Any] = {
    "extension": "csv",
    "load_time": "2025-04-14T11:23:45Z",
    "stream": {"id": "stream-1", "name": "sales_summary_daily"},
    "connection_id": "connection-1",
    "connection_run_id": "connection-run-1",
    "stream_run_id": "run-1",
    "cursor": "2024-02-29T01:02:03Z",
    "part": 1,
}
CONTEXT = MacroContext.parse(DOCUMENT)
VALUES = st.one_of(
    st.sampled_from(["..", ".", "/", "a/b", "../../x", "//", "é😀", "\ud83d", "\x00"]), st.text(min_size=1)
)
CONTEXTS = st.builds(
    MacroContext,
    extension=VALUES,
    load_time=INSTANTS.map(Instant),
    stream_id=VALUES,
    stream_name=VALUES,
    connection_id=VALUES,
    connection_run_id=VALUES,
    stream_run_id=st.uuids().map(str),
    cursor=INSTANTS.map(Instant),
    part=st.integers(1, 10**8),
)
# Text that a key can hold, without what has a meaning to keys or to templates.
LITERALS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="./"), max_size=8)
PIECES = st.one_of(st.sampled_from(sorted(MACROS)).map("{{{}}}".format), LITERALS.map(_escaped))
TEMPLATES = st.lists(PIECES, min_size=1, max_size=6).map("".join).filter(bool)


@pytest.mark.parametrize("case", table("macros"))
def test_a_template_gives_this_key_or_this_error_or_is_refused(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(Refused) as refused:
            MacroTemplate.parse(case["template"])
        faults = refused.value.faults
        assert [fault.column for fault in faults] == [column for column, _ in case["refused"]]
        for fault, (_, says) in zip(faults, case["refused"], strict=True):
            assert fault.code is Code.BAD_DEFINITION
            assert says in str(fault)
        return
    template, context = (
        MacroTemplate.parse(case["template"]),
        MacroContext.parse(DOCUMENT | case.get("with", {})),
    )
    if "error" in case:
        with pytest.raises(Permanent) as raised:
            template.render(context)
        assert raised.value.code is Code.BAD_KEY
        assert case["error"] in raised.value.text
    else:
        assert template.render(context) == case["key"]


def test_a_fault_points_at_its_place_with_a_caret() -> None:
    with pytest.raises(Refused) as refused:
        MacroTemplate.parse("{stream_name}/{dte}.csv")
    assert str(refused.value).splitlines()[1:] == [
        "    {stream_name}/{dte}.csv",
        "                  ^",
    ]


def test_the_macros_are_the_specifications() -> None:
    names = (
        "extension date_time timestamp iso_date_time date iso_date year month day hour minute second stream_id"
        " stream_name connection_id connection_run_id stream_run_id cursor_year cursor_month cursor_day"
        " cursor_date_time cursor_iso_date_time cursor_singular_date_time part"
    )
    assert list(MACROS) == names.split()


def test_a_context_tells_all_its_faults() -> None:
    document = {
        "extension": 1,
        "load_time": "yesterday",
        "stream": {"id": [], "nme": "x"},
        "cursor": 7,
        "part": 0,
        "strem": {},
    }
    with pytest.raises(Refused) as refused:
        MacroContext.parse(document)
    paths = {fault.path for fault in refused.value.faults}
    assert paths == {"extension", "load_time", "stream.id", "stream.nme", "cursor", "part", "strem"}


@pytest.mark.parametrize("document", [None, [], "x", 7])
def test_a_context_is_an_object(document: Any) -> None:
    with pytest.raises(Refused, match="must be a mapping"):
        MacroContext.parse(document)


@pytest.mark.parametrize("part", [0, -1, True, 1.0, "1"])
def test_files_are_counted_from_one(part: Any) -> None:
    with pytest.raises(Refused, match="whole number from 1"):
        MacroContext.parse({"part": part})


def test_a_context_may_lack_what_no_macro_needs() -> None:
    assert (
        MacroTemplate.parse("x.{extension}").render(MacroContext.parse({"extension": "jsonl.gz"}))
        == "x.jsonl.gz"
    )


@pytest.mark.parametrize(
    ("template", "in_run", "between_runs"),
    [
        (DEFAULT, True, True),
        ("{part}", True, False),
        ("{stream_run_id}", False, True),
        ("{connection_run_id}/{stream_id}/{iso_date_time}", False, False),
        ("{{part}}{{stream_run_id}}", False, False),
    ],
)
def test_what_a_template_tells_apart(template: str, *, in_run: bool, between_runs: bool) -> None:
    parsed = MacroTemplate.parse(template)
    assert (parsed.unique_in_run, parsed.unique_between_runs) == (in_run, between_runs)


def test_literal_text_that_is_no_key_is_refused_before_there_is_a_value() -> None:
    assert MacroTemplate.parse("é" * (MAX_KEY_BYTES // 2) + "{date}").macros == {"date"}
    with pytest.raises(Refused, match="1025 bytes"):
        MacroTemplate.parse("é" * (MAX_KEY_BYTES // 2) + "{date}x")


def test_a_template_without_measure_has_one_fault() -> None:
    for text in ("}" * 10**6, "{" * 10**6, "{x}" * 10**6):
        with pytest.raises(Refused, match="more than 4096") as refused:
            MacroTemplate.parse(text)
        assert len(refused.value.faults) == 1


@given(TEMPLATES, CONTEXTS, st.integers(1, 10**8), st.integers(1, 10**8))
def test_two_files_of_a_run_share_a_key_unless_the_template_tells_them_apart(
    template: str, context: MacroContext, one: int, other: int
) -> None:
    parsed = MacroTemplate.parse(template)
    keys = {parsed.render(msgspec.structs.replace(context, part=part)) for part in (one, other)}
    assert len(keys) == (len({one, other}) if parsed.unique_in_run else 1)


@given(TEMPLATES, CONTEXTS, CONTEXTS)
def test_two_runs_never_share_a_key_where_the_template_tells_them_apart(
    template: str, one: MacroContext, other: MacroContext
) -> None:
    parsed = MacroTemplate.parse(template + "/{stream_run_id}")
    same = one.stream_run_id == other.stream_run_id
    assert parsed.unique_between_runs
    assert same or parsed.render(one) != parsed.render(other)


@given(LITERALS.filter(bool))
def test_a_literal_stands_for_itself(text: str) -> None:
    template = MacroTemplate.parse(_escaped(text))
    assert template.render(MacroContext()) == text
    assert not template.macros


@given(INSTANTS, st.sampled_from(["", "cursor_"]))
def test_times_are_in_utc_and_to_the_second(nanoseconds: int, prefix: str) -> None:
    context = MacroContext(load_time=Instant(nanoseconds), cursor=Instant(nanoseconds))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=nanoseconds // 10**9)
    given = MacroTemplate.parse(f"{{{prefix}date_time}} {{{prefix}iso_date_time}}").render(context)
    assert given == f"{moment.year:04d}{moment:_%m_%d_%H_%M_%S} {moment.replace(tzinfo=None).isoformat()}Z"


@given(st.lists(st.one_of(st.sampled_from(sorted(MACROS)), LITERALS), min_size=1, max_size=6), CONTEXTS)
def test_a_template_is_its_pieces_one_behind_the_other(pieces: list[str], context: MacroContext) -> None:
    text = "".join(f"{{{piece}}}" if piece in MACROS else _escaped(piece) for piece in pieces)
    expected = "".join(MACROS[piece](context) or "" if piece in MACROS else piece for piece in pieces)
    if text:
        assert MacroTemplate.parse(text).render(context) == expected


@given(TEMPLATES, CONTEXTS, st.sampled_from(["", "acme/", "acme/in"]))
def test_whatever_the_values_are_a_key_stays_below_the_prefix(
    template: str, context: MacroContext, prefix: str
) -> None:
    name = MacroTemplate.parse(template).render(context)
    try:
        key = object_key(prefix=prefix, name=name)
    except Permanent:
        return
    assert key.startswith(prefix)
    assert not {".", ".."} & set(key.split("/"))


@settings(max_examples=500)
@given(st.one_of(st.text(), st.text(alphabet="{}date_ps./\x00\ud83d", max_size=24), TEMPLATES))
def test_no_text_crashes_the_parser_and_what_it_takes_renders(text: str) -> None:
    try:
        template = MacroTemplate.parse(text)
    except Refused as refused:
        places = [fault.column or 0 for fault in refused.faults]
        assert 1 <= min(places) <= max(places) <= len(text) + 1
    else:
        assert template.render(CONTEXT)
