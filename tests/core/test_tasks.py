import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent
from functions.core.tasks import RunTask, parse_task, run_task

RUN = f"acme:{'0a' * 16}"


def test_a_task_is_read_back_and_goes_by_its_destination() -> None:
    message = run_task(RUN)
    assert parse_task(message.body.encode()) == RunTask(destination_id="acme", run_id=RUN)
    assert message.group == "acme"
    assert message.fits


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"{}",
        b'{"destination_id": "acme"}',
        b'{"destination_id": "acme", "run_id": 1}',
        b'{"destination_id": "acme", "run_id": "acme:0a"}',
        b'{"destination_id": "acme", "run_id": "acme:' + b"0A" * 16 + b'"}',
        b'{"destination_id": "acme", "run_id": "acme:' + b"0a" * 16 + b'\\n"}',
        b'{"destination_id": "other", "run_id": "acme:' + b"0a" * 16 + b'"}',
        b'{"destination_id": "../a", "run_id": "../a:' + b"0a" * 16 + b'"}',
        b'{"destination_id": "acme", "run_id": "\\ud83d"}',
        b'{"destination_id": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_task_is_a_bad_message(body: bytes) -> None:
    with pytest.raises(Permanent, match="no task") as raised:
        parse_task(body)
    assert raised.value.code is Code.BAD_MESSAGE


@given(st.binary(max_size=40))
def test_whatever_it_is_it_is_a_task_or_a_bad_message(body: bytes) -> None:
    with pytest.raises(Permanent):
        parse_task(body)
