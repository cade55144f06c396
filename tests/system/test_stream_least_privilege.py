"""Every call of the functions of streams is allowed by their roles and by the customer's, which allow no other."""

import re
from collections.abc import Mapping

import pytest

from functions.core import policies
from local.calls import Call
from local.faults import calls_of, refuse
from tests.policy_evaluator import Document, Request, allows, without_each
from tests.system import stream_scenarios as scenarios
from tests.system.judged_calls import granted, requests, unused
from tests.system.scenarios import KEYS, store_keys
from tests.system.stage import CUSTOMER, EXTERNAL_ID
from tests.system.stream_scenarios import Play
from tests.system.stream_stage import HOUR, Streams, end, rows

WORKERS = {"Stager": "stager", "FileWriter": "file-writer", "Planner": "planner"}
"""By the names that they have in the stack, those of their roles."""

OF_IMPORTS = re.compile(r"sqs:SendMessage on .*-Arrivals|dynamodb:Query on .*-DataDefinitions")
"""What the planner does for files that are imported."""


def with_keys(streams: Streams) -> Play:
    """A run for a destination with access keys."""
    secret = store_keys(streams.stage, KEYS)
    name = streams.destination(credentials=dict.fromkeys(KEYS, "****"), secret_arn=secret)
    streams.send(rows(name, "r", 0, {"n": 0}), end(name, "r", batches=1))
    return Play(destination=name, end=streams.seen(name))


def given_up(streams: Streams) -> Play:
    """A file whose second piece the bucket refuses."""
    play = scenarios.large(streams)
    streams.inject(calls_of("UploadPart"), refuse(403, "AccessDenied"), nth=2)
    return play


def lost(streams: Streams) -> Play:
    """A continuous stream whose rows reach no limit but that of age, and whose task is lost once."""
    name = streams.destination(flush={"max_age_seconds": HOUR})
    streams.staged(rows(name, "any", 0, {"n": 0}))
    streams.pass_time(2 * HOUR, name)
    streams.inject(calls_of("SendMessageBatch"), refuse(400, "InvalidParameterValue"))
    streams.stage.tick()
    return Play(destination=name, end=streams.seen(name))


def not_kept(streams: Streams) -> Play:
    """Rows that cannot be kept now."""
    streams.inject(calls_of("PutObject"), refuse(400, "RequestTimeout"))
    return scenarios.nightly(streams)


def retried(streams: Streams) -> Play:
    """A message that comes too late, which an operator sends again."""
    play = scenarios.late(streams)
    streams.settle(play.destination)
    streams.send_again(play.destination)
    return play


SCENARIOS = [
    lost,
    retried,
    scenarios.by_day,
    scenarios.flushed,
    scenarios.miscounted,
    scenarios.put_off,
    with_keys,
    given_up,
    not_kept,
]
"""The first two take their steps by themselves."""


@pytest.fixture(scope="module")
def calls(shared_streams: Streams) -> Mapping[str, list[Call]]:
    """Every call of every scenario and of two verifications, by the worker; of the customers', under ``."""
    streams = shared_streams
    streams.stage.tidy()
    for mapping in (streams.stager, streams.file_writer):
        mapping.function.close()
    plays = [scenario(streams) for scenario in SCENARIOS]
    streams.settle(*(play.destination for play in plays))
    for owner in (None, CUSTOMER):
        name = streams.destination(**({"owner": owner} if owner else {}))
        stored = streams.stage.deployment.ports.definitions.current(name)
        question = {"stored": stored, "role_arn": streams.stage.deployment.role_arn("streams")}
        answer = streams.stage.deployment.ask(question, kind="streams")
        assert all(check["passed"] for check in answer["checks"]), answer
    workers = {
        streams.stage.function_of(worker).settings.variables["AWS_ACCESS_KEY_ID"]: worker
        for worker in WORKERS
    }
    seen: dict[str, list[Call]] = {}
    for call in streams.stage.faults.calls:
        seen.setdefault(workers.get(call.access_key, ""), []).append(call)
    streams.stage.tidy()
    streams.forget_runs()
    return seen


@pytest.fixture
def streams(shared_streams: Streams) -> Streams:
    """As they are: all has been done, and is only looked at."""
    return shared_streams


@pytest.fixture(scope="module")
def roles(shared_streams: Streams) -> Mapping[str, Document]:
    """What each worker may do."""
    stage = shared_streams.stage
    return {worker: granted(stage, f"{stage.cloud.name}-{name}") for worker, name in WORKERS.items()}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_function_may_do_all_that_it_does(
    streams: Streams, calls: Mapping[str, list[Call]], roles: Mapping[str, Document], worker: str
) -> None:
    asked = [request for call in calls[worker] for request in requests(streams.stage, call)]
    assert len({request.action for request in asked}) > 5
    assert [request for request in asked if not allows(roles[worker], request)] == []


@pytest.mark.parametrize("worker", WORKERS)
def test_a_function_may_do_nothing_that_it_does_not_do(
    streams: Streams, calls: Mapping[str, list[Call]], roles: Mapping[str, Document], worker: str
) -> None:
    done = [request for call in calls[worker] for request in requests(streams.stage, call)]
    assert {each for each in unused(roles[worker], done) if not OF_IMPORTS.match(each)} == set()


@pytest.mark.parametrize("worker", WORKERS)
def test_a_function_has_nothing_to_do_with_customers_buckets_as_itself(
    streams: Streams, calls: Mapping[str, list[Call]], roles: Mapping[str, Document], worker: str
) -> None:
    own = {call.resource.partition("/")[0] for call in calls[worker] if call.service == "s3"}
    assert own <= {streams.stage.cloud.outputs["DataBucket"]}
    for action in ("PutObject", "GetObject"):
        asked = Request(action=f"s3:{action}", resource=f"arn:aws:s3:::{streams.stage.bucket}/x")
        assert not allows(roles[worker], asked)


def as_the_customer(streams: Streams, calls: Mapping[str, list[Call]]) -> dict[str, list[Request]]:
    """What IAM is asked in the customer's account, by the destination that it is done for."""
    found: dict[str, list[Request]] = {}
    for call in calls[""]:
        assert call.service == "s3"
        below = call.resource.partition("/")[2] or call.parameters.get("prefix", "")
        found.setdefault(below.partition("/")[0], []).extend(requests(streams.stage, call))
    return found


def test_each_customers_policy_allows_what_is_done_for_that_destination(
    streams: Streams, calls: Mapping[str, list[Call]]
) -> None:
    asked = as_the_customer(streams, calls)
    located = {request.action for request in asked.pop("")}
    assert located == {"s3:GetBucketLocation"}
    for name, some in asked.items():
        document = access(streams, name)
        assert [request for request in some if not allows(document, request)] == [], name


def test_no_permission_that_a_customer_gives_is_needless(
    streams: Streams, calls: Mapping[str, list[Call]]
) -> None:
    asked = as_the_customer(streams, calls)
    [name] = [name for name, some in asked.items() if any(each.action == "s3:ListBucket" for each in some)][
        :1
    ]
    done = [*asked[name], *asked[""]]
    document = access(streams, name)
    assert unused(document, done) == set()
    assert [sid for sid, rest in without_each(document) if all(allows(rest, each) for each in done)] == []


def test_roles_are_assumed_with_the_external_id_but_for_the_two_questions(
    streams: Streams, calls: Mapping[str, list[Call]]
) -> None:
    assumed = [call for call in calls["FileWriter"] if call.action == "AssumeRole"]
    assert {call.resource for call in assumed} == {streams.role_arn}
    given = [call.parameters.get("ExternalId") for call in assumed]
    assert set(given) == {EXTERNAL_ID, f"{EXTERNAL_ID}.wrong", None}
    assert given.count(None) == given.count(f"{EXTERNAL_ID}.wrong") == 2


def access(streams: Streams, name: str) -> Document:
    stored = streams.stage.deployment.ports.definitions.current(name)
    assert stored
    return policies.access(stored.destination())
