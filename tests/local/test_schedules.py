import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Cloud
from local.schedules import Schedule, ScheduleSettings, UnsupportedScheduleError

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:echo"
STATED = {
    "Name": "clock",
    "ScheduleExpression": "rate(1 minute)",
    "State": "ENABLED",
    "Targets": [{"Arn": FUNCTION, "Id": "Target0", "RetryPolicy": {"MaximumRetryAttempts": 0}}],
}


def test_a_tick_starts_every_function_once_with_the_event_of_its_rule(cloud: Cloud) -> None:
    echo, raises = cloud.tick(datetime(2026, 11, 20, 7, 5, 9, 999_999, UTC))
    event = json.loads(echo.payload)["event"]
    assert len(event.pop("id")) == 36
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-20T07:05:09Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/every-minute"],
        "detail": {},
    }
    assert raises.failed


def test_a_tick_is_of_now_if_nobody_says_when(cloud: Cloud) -> None:
    stated = json.loads(cloud.tick()[0].payload)["event"]["time"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(stated)).total_seconds() < 60


RATES = [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(7 days)", 604_800)]


@pytest.mark.parametrize(("expression", "seconds"), RATES, ids=[rate for rate, _ in RATES])
def test_rates_are_read(expression: str, seconds: int) -> None:
    settings = ScheduleSettings.read({**STATED, "ScheduleExpression": expression})
    assert settings == ScheduleSettings(name="clock", seconds=seconds, functions=("echo",))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"ScheduleExpression": "cron(0 12 * * ? *)"}, r"cron\(0 12"),
    ({"EventPattern": {"source": ["aws.s3"]}}, "EventPattern"),
    ({"Targets": [{"Arn": FUNCTION, "Id": "T", "Input": "{}"}]}, "Input"),
    ({"Targets": [{"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "Id": "T"}]}, "arn:aws:sqs"),
]


@pytest.mark.parametrize(("properties", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_a_rule_that_cannot_be_driven_is_refused(properties: dict[str, Any], named: str) -> None:
    with pytest.raises(UnsupportedScheduleError, match=f"not driven locally: .*{named}"):
        ScheduleSettings.read({**STATED, **properties})


def test_a_running_schedule_fires_when_each_period_has_passed(cloud: Cloud) -> None:
    function = cloud.functions["copier"]
    schedule = Schedule(
        settings=ScheduleSettings(name="clock", seconds=0.1, functions=("copier",)),
        functions=(function,),
        region="us-east-1",
        account="123456789012",
    )
    before = reports(function.settings.log)
    schedule.start()
    assert reports(function.settings.log) == before
    deadline = time.monotonic() + 10
    while reports(function.settings.log) < before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    schedule.stop()
    stopped_at = reports(function.settings.log)
    time.sleep(0.2)
    assert reports(function.settings.log) == stopped_at


def reports(log: Path) -> int:
    """How many invocations a function's log has a report of."""
    return log.read_text().count("REPORT RequestId") if log.exists() else 0
