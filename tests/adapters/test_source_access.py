"""Verification of sources and their notifications, by a bucket that judges every call of it by a policy."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.adapters.destinations import bucket_of
from functions.adapters.questions import Ask, Existing, about_notifications, count
from functions.adapters.source_trials import source_trials
from functions.adapters.trials import Check
from functions.core import policies
from functions.core.definitions.sources import Source, parse_source
from functions.core.errors import Code
from functions.core.notifications import rule_of
from tests.adapters.aws import REGION, Aws
from tests.adapters.conftest import credentials
from tests.adapters.judging import JudgedBucket
from tests.adapters.stub_s3 import StubS3, refusal
from tests.core.source_documents import SMALLEST
from tests.policy_evaluator import Document, allows, without_each

KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
OWNER = "111122223333"
ARRIVALS = "arn:aws:sqs:eu-central-1:999988887777:sluice-arrivals"


def _source(**changes: Any) -> Source:
    return parse_source(SMALLEST | {"prefix": "in/", "owner": OWNER} | changes)


FULL = _source(kms_key_arn=KEY_ARN, notifications=True)
Try = Callable[[Source], list[Check]]


@pytest.fixture
def tried(stub: StubS3) -> Try:
    """Asks everything, and then has the notifications set up and taken away."""

    def call(source: Source) -> list[Check]:
        checks: list[Check] = []
        for check in source_trials(
            source, credentials(), queue_arn=ARRIVALS, region=REGION, endpoint_url=stub.url
        ):
            checks.append(check)
            if not check.passed:
                return checks
        if source.notifications:
            bucket = bucket_of(source, credentials(), region=REGION, endpoint_url=stub.url)
            rule = rule_of(source=source.name, queue_arn=ARRIVALS, prefix=source.prefix)
            for ask in (Ask.NOTIFY, Ask.NOTIFIED, Ask.SILENCE, Ask.NOTIFIED):
                checks.append(about_notifications(ask, source, bucket, rule))
                if not checks[-1].passed:
                    return checks
        return checks

    return call


def _judged(
    stub: StubS3, source: Source, policy: Document | None = None, *, region: str = REGION
) -> JudgedBucket:
    bucket = JudgedBucket(policy or policies.access(source), key=source.kms_key_arn, region=region)
    bucket.listed = {"in/archived": "GLACIER", "in/a b.json": "STANDARD"}
    stub.answer = bucket
    return bucket


def test_access_in_order_passes_every_trial_and_changes_nothing_but_our_rule(
    stub: StubS3, tried: Try
) -> None:
    bucket = _judged(stub, FULL)
    *checks, last = tried(FULL)
    assert [check.name for check in checks] == [
        "files listed",
        "bucket owner",
        "file read",
        "notifications",
        "notifications set up",
        "notifications there",
        "notifications taken away",
    ]
    assert all(check.passed and check.grant is None for check in checks)
    assert checks[2].text == "file read: s3://acme-data/in/a b.json"
    assert (last.name, last.passed, last.code) == ("notifications there", False, Code.CHANGED)
    assert "sluice source enable acme-in" in last.text
    assert bucket.objects == set()
    assert {asked.headers.get("x-amz-expected-bucket-owner") for asked in stub.asked} == {OWNER}


@pytest.mark.parametrize("source", [_source(), FULL], ids=["plain", "full"])
def test_every_call_is_allowed_and_none_of_the_policy_is_idle(
    stub: StubS3, tried: Try, source: Source
) -> None:
    bucket = _judged(stub, source)
    tried(source)
    document = policies.access(source)
    for missing, rest in without_each(document):
        assert not all(allows(rest, call) for call in bucket.requests), f"nothing needs {missing}"
    used = {call.action for call in bucket.requests}
    assert used == {action for statement in document["Statement"] for action in statement["Action"]}


MISSING = [
    ("s3:ListBucket", "files listed"),
    ("s3:GetObject", "file read"),
    ("kms:Decrypt", "file read"),
    ("s3:GetBucketNotification", "notifications"),
    ("s3:PutBucketNotification", "notifications set up"),
]


@pytest.mark.parametrize(("action", "failed"), MISSING, ids=[action for action, _ in MISSING])
def test_a_missing_permission_is_named_with_the_statement_that_grants_it(
    stub: StubS3, tried: Try, action: str, failed: str
) -> None:
    document = policies.access(FULL)
    less = {
        "Statement": [
            each | {"Action": [name for name in each["Action"] if name != action]}
            for each in document["Statement"]
        ]
    }
    _judged(stub, FULL, less)
    *before, check = tried(FULL)
    assert all(each.passed for each in before)
    assert (check.name, check.passed) == (failed, False)
    assert check.code is (Code.KMS_DENIED if action.startswith("kms:") else Code.MISSING_PERMISSION)
    assert action in check.text
    assert check.grant is not None
    assert all(each in document["Statement"] for each in check.grant["Statement"])
    _judged(stub, FULL, {"Statement": [*less["Statement"], *check.grant["Statement"]]})
    assert [each.name for each in tried(FULL) if not each.passed] == ["notifications there"]


def test_a_bucket_elsewhere_is_told_with_its_region(stub: StubS3, tried: Try) -> None:
    _judged(stub, _source(), region="eu-west-1")
    [check] = tried(_source(region="eu-central-1"))
    assert (check.name, check.passed, check.code) == ("files listed", False, Code.INVALID_BUCKET)
    assert "say `region: eu-west-1`" in check.text


def test_a_wrong_owner_is_told_from_a_missing_permission(stub: StubS3, tried: Try) -> None:
    stranger = _source(owner="999999999999")
    _judged(stub, stranger)
    listed, owner = tried(stranger)
    assert listed.passed
    assert (owner.name, owner.passed, owner.code) == ("bucket owner", False, Code.INVALID_BUCKET)


def test_a_bucket_that_there_is_not(stub: StubS3, tried: Try) -> None:
    stub.answer = lambda _: refusal(404, "NoSuchBucket")
    [check] = tried(_source())
    assert (check.code, check.grant) == (Code.INVALID_BUCKET, None)


def test_where_nothing_lies_nothing_can_be_read(stub: StubS3, tried: Try) -> None:
    _judged(stub, _source()).listed = {"in/archived": "DEEP_ARCHIVE"}
    assert [check.text for check in tried(_source())][-1] == "file read: there is none yet to read"


def test_what_lies_there_is_counted_and_counting_goes_on_where_it_stopped(aws: Aws) -> None:
    name = aws.bucket()
    for key in ("in/a.json", "in/b.json", "in/c.csv", "in/d.json", "out/a.json"):
        aws.client("s3").put_object(Bucket=name, Key=key, Body=b"12345")
    source = _source(bucket=name, owner=None)
    bucket = bucket_of(source, credentials(), region=REGION, endpoint_url=aws.url)
    assert count(source, bucket) == Existing(files=3, bytes=15)
    part = count(source, bucket, clock=iter([0.0, 1.0, 30.0]).__next__)
    assert part == Existing(files=2, bytes=10, after="in/b.json")
    assert count(source, bucket, after="in/b.json") == Existing(files=1, bytes=5)
