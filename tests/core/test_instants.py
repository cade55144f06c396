from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent
from functions.core.instants import TIME_FIELDS, Instant
from tests.cases import table
from tests.core.attempts import attempted
from tests.core.strategies import INSTANTS

OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ZONED = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - as above
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001 - as above
    timezones=OFFSETS,
)


@pytest.mark.parametrize("case", table("times"))
def test_a_time_gives_these_fields_or_this_error(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(Permanent, match=case["error"]) as raised:
            Instant.parse(case["time"])
        assert raised.value.code is Code.BAD_MESSAGE
        return
    assert Instant.parse(case["time"]).fields(case["fields"]) == case["fields"]


@given(INSTANTS)
def test_what_is_formatted_is_parsed_back(nanoseconds: int) -> None:
    instant = Instant(nanoseconds)
    text = instant.fields(["rfc3339_nano"])["rfc3339_nano"]
    assert Instant.parse(text) == instant
    assert "." not in text or text[-2] != "0"


@given(INSTANTS)
def test_the_fields_agree_with_one_another(nanoseconds: int) -> None:
    fields = Instant(nanoseconds).fields(TIME_FIELDS)
    assert fields["date"] == f"{fields['year']}-{fields['month']}-{fields['day']}"
    assert fields["datetime"] == f"{fields['date']}T{fields['hour']}:{fields['minute']}:{fields['second']}"
    assert fields["rfc3339"] == f"{fields['datetime']}Z" == Instant(nanoseconds).rfc3339()
    assert fields["unix"] == str(nanoseconds // 1_000_000_000)
    assert fields["rfc3339_nano"].startswith(fields["datetime"])


@given(ZONED)
def test_parsing_agrees_with_datetime_whatever_the_offset(moment: datetime) -> None:
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
    text = moment.isoformat()
    assert Instant.parse(text).nanoseconds == expected


@given(ZONED)
def test_formatting_agrees_with_datetime(moment: datetime) -> None:
    inside = moment.astimezone(UTC)
    fields = Instant.parse(moment.isoformat()).fields(TIME_FIELDS)
    assert fields["datetime"] == inside.replace(microsecond=0, tzinfo=None).isoformat()
    assert int(fields["unix"]) == (inside - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


@given(INSTANTS, INSTANTS)
def test_instants_are_ordered_as_their_times_are(one: int, other: int) -> None:
    assert (Instant(one) < Instant(other)) == (one < other)


@given(st.integers(0, 253_402_300_799_999))
def test_milliseconds_of_sqs_are_exact(milliseconds: int) -> None:
    assert Instant.from_milliseconds(milliseconds).nanoseconds == milliseconds * 1_000_000


@given(st.one_of(st.text(), st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{5,20}[zZ+-][0-9:]{0,6}")))
def test_no_text_crashes_the_parser(text: str) -> None:
    found = attempted(lambda: Instant.parse(text))
    if isinstance(found, Permanent):
        assert found.code is Code.BAD_MESSAGE
    else:
        assert found.fields(TIME_FIELDS)
