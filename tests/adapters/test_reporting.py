from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.adapters.reporting import report
from functions.core.errors import Code
from functions.core.outcomes import Outcome, State
from functions.core.records import Record
from tests.adapters.telemetry_reading import logged, metrics_of
from tests.message_writer.records import record

DELIVERED = Outcome(state=State.DELIVERED, connection="acme", size=10)
HELD = Outcome(state=State.HELD, connection="acme", failure="acme:1")
FAILED = Outcome(state=State.FAILED, connection="acme", failure="acme:2", code=Code.BAD_KEY, text="why")
UNKNOWN = Outcome(state=State.FAILED, failure="_:3", code=Code.BAD_MESSAGE, text="what")
DELAYED = Outcome(state=State.DELAYED, code=Code.THROTTLED, text="S3 answered SlowDown")


@pytest.fixture(autouse=True)
def _namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Sluice")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "message-writer")


def _back(records: Sequence[Record], outcomes: Sequence[Outcome | None]) -> list[str]:
    answer = report("messages", records, outcomes)
    assert answer.keys() == {"batchItemFailures"}
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([DELIVERED, HELD, FAILED, UNKNOWN, DELAYED, None]), max_size=12))
def test_what_is_delayed_or_unfinished_comes_back_and_nothing_else(outcomes: list[Outcome | None]) -> None:
    records = [record() for _ in outcomes]
    expected = [
        each.delivery_id
        for each, outcome in zip(records, outcomes, strict=True)
        if outcome is None or outcome.state is State.DELAYED
    ]
    assert _back(records, outcomes) == expected


def test_a_message_that_is_sent_again_comes_back_under_the_name_that_sqs_now_has_for_it() -> None:
    again = record(message_id="of-the-first-time")
    assert _back([again], [DELAYED]) == [again.delivery_id]


def test_each_failure_is_logged_with_all_that_an_operator_needs() -> None:
    message = record()
    with logged() as lines:
        report("messages", [message], [FAILED])
    [line] = lines
    expected = {
        "level": "WARNING",
        "message": "message failed",
        "connection": "acme",
        "failure": "acme:2",
        "code": "BAD_KEY",
        "reason": "why",
        "message_id": message.message_id,
    }
    assert {name: line[name] for name in expected} == expected


def test_what_is_delayed_for_one_reason_is_one_line() -> None:
    with logged() as lines:
        report("messages", [record() for _ in range(5)], [DELAYED] * 4 + [DELIVERED])
    [line] = lines
    assert (line["code"], line["reason"], line["number"]) == ("THROTTLED", "S3 answered SlowDown", 4)


def test_what_time_ran_out_for_is_one_line() -> None:
    with logged() as lines:
        report("messages", [record() for _ in range(3)], [None, DELIVERED, None])
    [line] = lines
    assert (line["message"], line["unfinished"], line["of"]) == ("out of time", 2, 3)


def test_what_goes_well_is_not_logged() -> None:
    with logged() as lines:
        report("messages", [record(), record()], [DELIVERED, HELD])
    assert lines == []


def test_each_connection_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [DELIVERED, DELIVERED, FAILED, HELD, UNKNOWN, DELAYED]
    report("messages", [record() for _ in outcomes], outcomes)
    found = {event["connection"]: event for event in metrics_of(capsys.readouterr().out)}
    assert found.keys() == {"acme", "_"}
    assert {
        name: found["acme"][name] for name in found["acme"] if name.startswith(("Messages", "Object"))
    } == {
        "MessagesDelivered": [2.0],
        "MessagesFailed": [1.0],
        "MessagesHeld": [1.0],
        "ObjectBytes": [20.0],
    }
    assert (found["_"]["MessagesFailed"], found["_"]["MessagesDelayed"]) == ([1.0], [1.0])


def test_a_body_is_in_nothing_that_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    messages = [record("s3cr3t") for _ in range(4)]
    with logged() as lines:
        report("messages", messages, [DELIVERED, FAILED, DELAYED, None])
    assert "s3cr3t" not in repr(lines) + capsys.readouterr().out
