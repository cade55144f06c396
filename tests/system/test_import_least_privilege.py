"""Every call of the import is allowed by our roles and by a customer's, which allow no other."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from functions.core import policies
from functions.core.errors import Code
from infra.access_stack import Access, customer_template
from local.calls import Call
from local.faults import calls_of, refuse
from tests.policy_evaluator import Document, Request, allows, without_each
from tests.system import import_scenarios as scenarios
from tests.system.import_stage import Imports, lines, notification, record
from tests.system.judged_calls import granted, requests, unused
from tests.system.scenarios import KEYS, store_keys
from tests.system.stage import CUSTOMER, EXTERNAL_ID

BUCKET = "sluice-imports-theirs"
PREFIX = "incoming/"


class Theirs:
    """A customer's bucket that tells of its files, and the source that reads it by a role."""

    def __init__(self, imports: Imports) -> None:
        self._imports = imports
        cloud = imports.stage.cloud
        access = Access(
            kind="files",
            role_name="sluice-imports-reader",
            role_name_pattern=cloud.outputs["AssumeRolePattern"],
            trusted_role_arn=cloud.outputs["ImporterRoleArn"],
            external_id=EXTERNAL_ID,
            bucket=BUCKET,
            prefix=PREFIX,
            create_bucket=True,
            notified_queue_arn=cloud.outputs["ArrivalsQueueArn"],
        )
        template = customer_template(access)
        outputs = cloud.create_stack(template, name="sluice-imports-theirs", account=CUSTOMER)
        self.role_arn = outputs["RoleArn"]
        self._s3 = cloud.client("s3", account=CUSTOMER)
        self.source = imports.source(
            bucket=BUCKET, prefix=PREFIX, credentials={"role_arn": outputs["RoleArn"]}
        )
        keys = store_keys(imports.stage, KEYS)
        self.with_keys = imports.source(
            bucket=BUCKET, prefix=PREFIX, credentials=dict.fromkeys(KEYS, "****"), secret_arn=keys
        )

    def verify(self, source: str) -> None:
        """Have the importer say whether it has access."""
        deployment = self._imports.stage.deployment
        question = {"stored": self._imports.sources.current(source), "role_arn": deployment.role_arn("files")}
        answer = deployment.ask(question, kind="files")
        assert all(check["passed"] for check in answer["checks"]), answer

    def put(self, key: str, *numbers: int) -> None:
        """Write a file of these records."""
        self._s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}{key}", Body=lines(map(record, numbers)))

    def delete(self, key: str) -> None:
        """Remove a file."""
        self._s3.delete_object(Bucket=BUCKET, Key=f"{PREFIX}{key}")


@dataclass(frozen=True)
class Done:
    """Every call, by the worker, those in the customer's account under ``; and what the customer allows."""

    calls: Mapping[str, list[Call]]
    document: Document
    role_arn: str

    def asked(self, imports: Imports, worker: str) -> list[Request]:
        """What IAM is asked for a worker's calls."""
        return [request for call in self.calls[worker] for request in requests(imports.stage, call)]


@pytest.fixture(scope="module")
def done(shared_imports: Imports) -> Done:
    """What is done in scenarios of all kinds."""
    imports = shared_imports
    imports.stage.tidy()
    imports.importer.function.close()
    imports.planner.close()
    theirs = Theirs(imports)
    for source in (theirs.source, imports.source()):
        theirs.verify(source)
    theirs.put("told.jsonl", 1)
    imports.work()
    for key in ("listed.jsonl", "a//b.jsonl"):
        theirs.put(key, 2)
    imports.untold()
    scenarios.properties(imports)
    scenarios.chunked(imports)
    again = scenarios.refused(imports).source
    imports.work()
    imports.define(again)
    imports.send_again(again, restart=True)
    delayed = scenarios.small(imports).source
    imports.inject(
        calls_of("GetObject", f"{imports.drop_bucket}/{delayed}/"), refuse(503, "SlowDown"), times=9
    )
    imports.tick()
    imports.settle(theirs.source, delayed)
    theirs.delete("listed.jsonl")
    imports.scan(theirs.source)
    pointer = f'["software.amazon.payloadoffloading.PayloadS3Pointer", {{"s3BucketName": "{_data(imports)}", '
    imports.stage.keep_payload("arrival", b"{}")
    imports.told(pointer + '"s3Key": "payloads/arrival"}]')
    imports.work()
    events = imports.events(theirs.source)
    assert sorted(event["event_properties"]["n"] for event in events) == [1, 2]
    assert {file.key for file in imports.files.of(theirs.source)} == {
        f"{PREFIX}told.jsonl",
        f"{PREFIX}a//b.jsonl",
    }
    own = {
        worker.settings.variables["AWS_ACCESS_KEY_ID"]: name
        for name, worker in {"importer": imports.importer.function, "planner": imports.planner}.items()
    }
    seen: dict[str, list[Call]] = {}
    for call in imports.stage.faults.calls:
        seen.setdefault(own.get(call.access_key, ""), []).append(call)
    stored = imports.sources.current(theirs.source)
    assert stored
    assert stored.source().bucket == BUCKET
    imports.stage.tidy()
    imports.forget()
    return Done(calls=seen, document=policies.access(stored.source()), role_arn=theirs.role_arn)


def _data(imports: Imports) -> str:
    return imports.stage.cloud.outputs["DataBucket"]


def role(imports: Imports, worker: str) -> Document:
    return granted(imports.stage, f"{imports.stage.cloud.name}-{worker}")


@pytest.mark.parametrize("worker", ["importer", "planner"])
def test_a_function_may_do_all_that_it_does(imports: Imports, done: Done, worker: str) -> None:
    asked, document = done.asked(imports, worker), role(imports, worker)
    assert len({request.action for request in asked}) > 3
    assert [request for request in asked if not allows(document, request)] == []


def test_the_importer_may_do_nothing_that_it_does_not_do(imports: Imports, done: Done) -> None:
    assert unused(role(imports, "importer"), done.asked(imports, "importer")) == set()


def test_the_importer_has_nothing_to_do_with_customers_buckets_as_itself(
    imports: Imports, done: Done
) -> None:
    own = {call.resource.partition("/")[0] for call in done.calls["importer"] if call.service == "s3"}
    assert own == {_data(imports), imports.drop_bucket}
    get = Request(action="s3:GetObject", resource=f"arn:aws:s3:::{BUCKET}/{PREFIX}x")
    assert not allows(role(imports, "importer"), get)


def test_a_customers_policy_allows_what_is_done_in_the_bucket_and_no_other(
    imports: Imports, done: Done
) -> None:
    asked, document = done.asked(imports, ""), done.document
    assert [request for request in asked if not allows(document, request)] == []
    assert unused(document, asked) == set()
    assert [sid for sid, rest in without_each(document) if all(allows(rest, each) for each in asked)] == []


def test_the_role_is_assumed_with_the_external_id_but_for_the_two_questions(done: Done) -> None:
    assumed = [call for call in done.calls["importer"] if call.action == "AssumeRole"]
    assert {call.resource for call in assumed} == {done.role_arn}
    given = [call.parameters.get("ExternalId") for call in assumed]
    assert set(given) == {EXTERNAL_ID, f"{EXTERNAL_ID}.wrong", None}
    assert given.count(None) == given.count(f"{EXTERNAL_ID}.wrong") == 1


def test_a_file_that_is_gone_is_so_although_who_may_list_a_prefix_is_answered_403(imports: Imports) -> None:
    source = imports.source()
    key = f"{source}/gone.jsonl"
    imports.inject(
        calls_of("HeadObject", f"{imports.drop_bucket}/{key}"), refuse(403, "AccessDenied"), times=9
    )
    imports.task(source, "gone.jsonl")
    imports.told(notification(imports.drop_bucket, key))
    first = imports.importer.poll_once()
    assert first
    assert len(first.failed) == 1
    imports.settle(source)
    assert imports.failures(source) == []
    imports.put(source, "gone.jsonl", lines([record(0)]))
    imports.work()
    assert [failure.code for failure in imports.failures(source)] == [Code.MISSING_PERMISSION]
