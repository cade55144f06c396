import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.cloud import CODE, Cloud
from local.sandbox import Outcome


def invoke(cloud: Cloud, name: str, event: Any = None) -> Outcome:
    return cloud.functions[name].invoke(json.dumps(event or {}).encode())


def answer(cloud: Cloud, name: str, event: Any = None) -> Any:
    outcome = invoke(cloud, name, event)
    assert not outcome.failed, outcome.payload
    return json.loads(outcome.payload)


def error(cloud: Cloud, name: str, event: Any = None) -> tuple[str, str]:
    outcome = invoke(cloud, name, event)
    assert outcome.failed, outcome.payload
    said = json.loads(outcome.payload)
    return said["errorType"], said["errorMessage"]


def test_a_function_sees_event_context_and_deadline(cloud: Cloud) -> None:
    outcome = invoke(cloud, "echo", {"a": ["ä", 1.0]})
    said = json.loads(outcome.payload)
    assert said["event"] == {"a": ["ä", 1.0]}
    assert said["context"]["request_id"] == outcome.request_id
    assert said["context"]["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:echo"
    assert 4000 < said["context"]["left_ms"] <= 5000


def test_a_function_has_lambdas_environment_and_nothing_of_ours(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "1")
    cloud.functions["echo"].close()
    environment = answer(cloud, "echo")["environment"]
    assert "OURS" not in environment
    assert environment["BUCKET"] == cloud.outputs["Bucket"]
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "echo"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environment["LAMBDA_TASK_ROOT"] == str(CODE)
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert environment["AWS_SESSION_TOKEN"]


def test_a_sandbox_serves_one_event_after_another(cloud: Cloud) -> None:
    assert answer(cloud, "echo")["pid"] == answer(cloud, "echo")["pid"]


def test_events_at_once_have_a_sandbox_each(cloud: Cloud) -> None:
    with ThreadPoolExecutor(2) as threads:
        pids = list(threads.map(lambda _: answer(cloud, "sleeps", {"seconds": 0.2}), range(2)))
    assert len(set(pids)) == 2


def test_an_exception_is_reported_and_leaves_the_sandbox_alive(cloud: Cloud) -> None:
    assert error(cloud, "raises") == ("KeyError", "'no such thing'")
    assert error(cloud, "raises") == ("KeyError", "'no such thing'")
    assert "[ERROR] KeyError" in cloud.functions["raises"].settings.log.read_text()


def test_a_failure_of_initialisation_is_what_the_invocation_answers(cloud: Cloud) -> None:
    for _ in range(2):
        kind, text = error(cloud, "absent")
        assert kind == "Runtime.HandlerNotFound"
        assert "absent" in text


def test_a_timeout_is_reported_as_lambda_does_and_the_next_event_has_a_new_process(cloud: Cloud) -> None:
    before = answer(cloud, "sleeps")
    started = time.monotonic()
    kind, text = error(cloud, "sleeps", {"seconds": 5})
    assert time.monotonic() - started < 2
    assert kind == "Sandbox.Timedout"
    assert text.endswith("Error: Task timed out after 0.70 seconds")
    assert answer(cloud, "sleeps") != before


@pytest.mark.parametrize(
    ("name", "ending"), [("dies", "signal: killed"), ("leaves", "exit status 3")], ids=["killed", "exit"]
)
def test_a_crash_is_reported_and_the_next_event_has_a_new_process(
    cloud: Cloud, name: str, ending: str
) -> None:
    for _ in range(2):
        kind, text = error(cloud, name)
        assert kind == "Runtime.ExitError"
        assert text.endswith(f"Error: Runtime exited with error: {ending}")


def test_a_function_that_takes_more_memory_than_it_has_is_killed(cloud: Cloud) -> None:
    started = time.monotonic()
    assert error(cloud, "grows")[0] == "Runtime.OutOfMemory"
    assert time.monotonic() - started < 4


def test_columns_fit_into_a_small_function(cloud: Cloud) -> None:
    assert answer(cloud, "columns", {"rows": 1_000_000}) == 1_000_000


def test_the_log_has_a_report_of_every_invocation(cloud: Cloud) -> None:
    outcome = invoke(cloud, "echo")
    report = cloud.functions["echo"].settings.log.read_text().splitlines()[-1]
    assert report.startswith(f"REPORT RequestId: {outcome.request_id}\tDuration: ")
    assert "\tMemory Size: 256 MB\tMax Memory Used: " in report
