"""Every call that the function makes is allowed by the documents that we deploy and print, and they allow no other.

moto judges no policies, so the calls are recorded and judged by an evaluator of our own.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from cli.deployment import Deployment
from functions.core import policies
from local.calls import Call
from tests.policy_evaluator import Document, Request, allows, without_each
from tests.system import judged_calls, scenarios
from tests.system.judged_calls import requests, unused
from tests.system.stage import CUSTOMER, EXTERNAL_ID, Stage, message

SCENARIOS = [
    scenarios.delivered,
    scenarios.created,
    scenarios.delayed,
    scenarios.failing,
    scenarios.failing_again,
    scenarios.held,
    scenarios.occupied,
    scenarios.offloaded,
    scenarios.retried,
    scenarios.with_keys,
]


@pytest.fixture(scope="module")
def calls(shared_stage: Stage) -> list[Call]:
    """Every call of every scenario, and of a verification with each kind of credentials."""
    stage = shared_stage
    stage.tidy()
    seen: list[Call] = []
    for scenario in SCENARIOS:
        stage.writer.close()
        scenario(stage)
        stage.poll()
        seen += stage.faults.calls
        stage.tidy()
    for name in (stage.destination(on_existing="keep"), stage.destination(owner=CUSTOMER)):
        stored = stage.deployment.ports.definitions.current(name)
        question = {"stored": stored, "role_arn": stage.deployment.role_arn("messages")}
        assert all(check["passed"] for check in stage.deployment.ask(question, kind="messages")["checks"])
        seen += stage.faults.calls
        stage.tidy()
    return seen


@pytest.fixture(scope="module")
def granted(shared_stage: Stage) -> Document:
    """What the function may do."""
    role = shared_stage.deployment.role_arn("messages").rpartition("/")[2]
    return judged_calls.granted(shared_stage, role)


def as_ourselves(stage: Stage, calls: list[Call]) -> Iterator[Call]:
    own = stage.writer.settings.variables["AWS_ACCESS_KEY_ID"]
    return (call for call in calls if call.access_key == own)


def as_the_customer(stage: Stage, calls: list[Call]) -> Iterator[Call]:
    own = stage.writer.settings.variables["AWS_ACCESS_KEY_ID"]
    return (call for call in calls if call.access_key != own)


def request(stage: Stage, call: Call) -> Request:
    """What IAM is asked for this call."""
    [asked] = requests(stage, call)
    return asked


def test_the_function_may_do_all_that_it_does(stage: Stage, calls: list[Call], granted: Document) -> None:
    asked = [request(stage, call) for call in as_ourselves(stage, calls)]
    assert len({each.action for each in asked}) > 5
    assert [each for each in asked if not allows(granted, each)] == []


def test_the_function_may_do_nothing_that_it_does_not_do(
    stage: Stage, calls: list[Call], granted: Document
) -> None:
    done = [request(stage, call) for call in as_ourselves(stage, calls)]
    assert unused(granted, done) == set()


def test_without_any_of_its_statements_the_function_could_not_work(
    stage: Stage, calls: list[Call], granted: Document
) -> None:
    done = [request(stage, call) for call in as_ourselves(stage, calls)]
    needless = {sid for sid, rest in without_each(granted) if all(allows(rest, each) for each in done)}
    assert needless == {"WriteLogs", "SendTraces", "UseKey"}


def test_the_function_has_nothing_to_do_with_customers_buckets_as_itself(
    stage: Stage, calls: list[Call], granted: Document
) -> None:
    own = {call.resource.partition("/")[0] for call in as_ourselves(stage, calls) if call.service == "s3"}
    assert own == {stage.cloud.outputs["DataBucket"]}
    put = Request(action="s3:PutObject", resource=f"arn:aws:s3:::{stage.bucket}/x")
    assert not allows(granted, put)


def test_each_customers_policy_allows_what_is_done_for_that_destination(
    stage: Stage, calls: list[Call]
) -> None:
    seen = set()
    for call in as_the_customer(stage, calls):
        bucket, name, _ = call.resource.split("/", 2)
        assert (call.service, bucket) == ("s3", stage.bucket)
        document = policies.access(destination(stage.deployment, name))
        assert allows(document, request(stage, call)), call
        seen.add((call.action, name))
    assert {action for action, _ in seen} == {"PutObject", "HeadObject"}


def test_no_statement_of_a_customers_policy_is_needless(stage: Stage, calls: list[Call]) -> None:
    [name] = {
        call.resource.split("/")[1] for call in as_the_customer(stage, calls) if call.action == "HeadObject"
    } & {call.resource.split("/")[1] for call in calls if call.resource.endswith(".sluice-test")}
    document = policies.access(destination(stage.deployment, name))
    done = [
        request(stage, call)
        for call in as_the_customer(stage, calls)
        if call.resource.startswith(f"{stage.bucket}/{name}/")
    ]
    for sid, rest in without_each(document):
        assert not all(allows(rest, each) for each in done), sid


def test_a_destination_that_replaces_objects_never_looks_at_them(stage: Stage, calls: list[Call]) -> None:
    looked_at = {
        call.resource.split("/")[1] for call in as_the_customer(stage, calls) if call.action == "HeadObject"
    }
    assert all(destination(stage.deployment, name).keep for name in looked_at)


def test_roles_are_assumed_with_the_external_id_but_for_the_two_questions(
    stage: Stage, calls: list[Call]
) -> None:
    assumed = [call for call in calls if call.action == "AssumeRole"]
    assert {call.resource for call in assumed} == {stage.role_arn}
    given = [call.parameters.get("ExternalId") for call in assumed]
    assert set(given) == {EXTERNAL_ID, f"{EXTERNAL_ID}.wrong", None}
    assert given.count(None) == given.count(f"{EXTERNAL_ID}.wrong") == 2


def test_a_customers_session_is_used_for_that_customer_alone(stage: Stage) -> None:
    one, other = stage.destination(), stage.destination()
    stage.deliver(message(one, "a"), message(other, "a"), message(one, "b"), message(other, "b"))
    keys = {
        name: {call.access_key for call in stage.calls("PutObject", containing=f"/{name}/")}
        for name in (one, other)
    }
    assert [len(used) for used in keys.values()] == [1, 1]
    assert keys[one] != keys[other]


def destination(deployment: Deployment, name: str) -> Any:
    stored = deployment.ports.definitions.current(name)
    assert stored
    return stored.destination()
