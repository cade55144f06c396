import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import RESOLUTIONS, Code, Fault, Permanent, Refused, Transient, resolution
from functions.core.failures import Failure, State, body_key, connection_of, failure_id
from functions.core.keys import object_key
from functions.core.records import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, MAX_RECEIVES, delay_seconds

FAILURE = Failure(
    id="acme:0123456789abcdef",
    connection="acme",
    state=State.OPEN,
    first_at="2025-10-14T02:58:59Z",
    last_at="2025-10-14T02:58:59Z",
    attempts=1,
    message_id="m",
    sent_ms=0,
    body_key="failures/acme/0123456789abcdef.json",
    code=Code.BAD_KEY,
)


@pytest.mark.parametrize("code", list(Code))
def test_each_code_has_a_resolution_with_its_places_filled_in(code: Code) -> None:
    assert RESOLUTIONS[code]
    steps = resolution(code, connection="acme", failure="acme:1")
    assert not any(re.search(r"[{}]", step) for step in steps)
    assert all(steps)


def test_a_failures_resolution_names_the_failure_and_its_connection() -> None:
    assert "sluice failures restart acme:0123456789abcdef" in FAILURE.resolution


def test_a_held_messages_resolution_is_to_enable_its_destination() -> None:
    held = Failure(**{name: getattr(FAILURE, name) for name in FAILURE.__struct_fields__} | {"code": None})
    assert held.resolution == ("sluice destination enable acme",)


@given(st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True), st.from_regex(r"[0-9a-f]{32}", fullmatch=True))
def test_a_failures_id_names_its_connection_and_where_its_body_is(connection: str, digest: str) -> None:
    failure = failure_id(connection, digest)
    assert connection_of(failure) == connection
    assert body_key(failure) == f"failures/{connection}/{digest}.json"
    assert object_key(prefix="failures/", name=body_key(failure).removeprefix("failures/"))


def test_a_message_without_a_destination_has_a_failure_all_the_same() -> None:
    assert connection_of(failure_id(None, "d")) == "_"


def test_delays_double_up_to_an_hour() -> None:
    delays = [delay_seconds(receives) for receives in range(1, MAX_RECEIVES + 1)]
    assert delays[:3] == [FIRST_DELAY_SECONDS, 2 * FIRST_DELAY_SECONDS, 4 * FIRST_DELAY_SECONDS]
    assert delays == sorted(delays)
    assert max(delays) == LONGEST_DELAY_SECONDS == 3_600


def test_the_delays_of_all_receives_cover_twelve_hours() -> None:
    assert sum(delay_seconds(receives) for receives in range(1, MAX_RECEIVES)) >= 12 * 3_600


@given(st.integers(1, 10**9))
def test_a_delay_is_one_that_sqs_takes_however_often_a_message_came(receives: int) -> None:
    assert 1 <= delay_seconds(receives) <= 43_200


def test_what_is_refused_is_permanent_and_tells_all_its_faults() -> None:
    refused = Refused(Fault(code=Code.BAD_DEFINITION, message=text, path="p") for text in ("one", "two"))
    assert isinstance(refused, Permanent)
    assert not isinstance(refused, Transient)
    assert refused.text == "p: one\np: two"
    assert refused.code is Code.BAD_DEFINITION


def test_a_transient_error_says_its_code_and_its_text() -> None:
    error = Transient(Code.THROTTLED, "S3 answered SlowDown")
    assert (error.code, error.text, str(error)) == (
        Code.THROTTLED,
        "S3 answered SlowDown",
        "S3 answered SlowDown",
    )
