"""Verification of destinations of files, by a bucket that judges every call of it by a policy."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.adapters.trials import Check, trials
from functions.core import policies
from functions.core.definitions.destination import Destination
from functions.core.definitions.parsing import parse_destination
from functions.core.errors import Code
from tests.adapters.aws import REGION, Aws
from tests.adapters.conftest import credentials
from tests.adapters.judging import JudgedBucket
from tests.adapters.stub_s3 import Answer, StubS3, refusal
from tests.policy_evaluator import Document, allows, without_each

KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
OWNER = "111122223333"
EVERY_TRIAL = [
    "bucket",
    "bucket owner",
    "object written",
    "object written in parts",
    "upload given up",
    "object listed",
    "object read",
    "object removed",
]


def _destination(**changes: Any) -> Destination:
    document = {
        "name": "acme",
        "kind": "streams",
        "format": "csv",
        "bucket": "acme-data",
        "prefix": "in/",
        "owner": OWNER,
        "credentials": {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"},
    }
    return parse_destination(document | changes)


ENCRYPTED = _destination(kms_key_arn=KEY_ARN, storage_class="STANDARD_IA")
Try = Callable[[Destination], list[Check]]


@pytest.fixture
def tried(stub: StubS3) -> Try:
    def call(destination: Destination) -> list[Check]:
        checks: list[Check] = []
        for check in trials(destination, credentials(), region="eu-central-1", endpoint_url=stub.url):
            checks.append(check)
            if not check.passed:
                break
        return checks

    return call


def _judged(
    stub: StubS3, destination: Destination, policy: Document | None = None, **of: Any
) -> JudgedBucket:
    bucket = JudgedBucket(policy or policies.access(destination), key=destination.kms_key_arn, **of)
    stub.answer = bucket
    return bucket


def test_access_in_order_passes_every_trial_and_leaves_nothing(stub: StubS3, tried: Try) -> None:
    bucket = _judged(stub, ENCRYPTED)
    checks = tried(ENCRYPTED)
    assert [check.name for check in checks] == EVERY_TRIAL
    assert all(check.passed and check.grant is None for check in checks)
    assert (bucket.objects, bucket.uploads) == (set(), set())
    assert {asked.headers.get("x-amz-expected-bucket-owner") for asked in stub.asked} == {OWNER}
    written = [asked.headers for asked in stub.asked if "x-amz-storage-class" in asked.headers]
    assert [each["x-amz-storage-class"] for each in written] == ["STANDARD_IA"] * 3
    assert [each["x-amz-server-side-encryption-aws-kms-key-id"] for each in written] == [KEY_ARN] * 3


@pytest.mark.parametrize("destination", [_destination(), ENCRYPTED], ids=["plain", "encrypted"])
def test_every_call_is_allowed_and_none_of_the_policy_is_idle(
    stub: StubS3, tried: Try, destination: Destination
) -> None:
    bucket = _judged(stub, destination)
    assert all(check.passed for check in tried(destination))
    document = policies.access(destination)
    for missing, rest in without_each(document):
        assert not all(allows(rest, call) for call in bucket.requests), f"nothing needs {missing}"
    used = {call.action for call in bucket.requests}
    assert used == {action for statement in document["Statement"] for action in statement["Action"]}


MISSING = [
    ("s3:GetBucketLocation", "bucket"),
    ("s3:PutObject", "object written"),
    ("kms:GenerateDataKey", "object written"),
    ("kms:Decrypt", "object written in parts"),
    ("s3:AbortMultipartUpload", "upload given up"),
    ("s3:ListBucket", "object listed"),
    ("s3:GetObject", "object read"),
    ("s3:DeleteObject", "object removed"),
]


@pytest.mark.parametrize(("action", "failed"), MISSING, ids=[action for action, _ in MISSING])
def test_a_missing_permission_is_named_with_the_statement_that_grants_it(
    stub: StubS3, tried: Try, action: str, failed: str
) -> None:
    document = policies.access(ENCRYPTED)
    less = {
        "Statement": [
            each | {"Action": [name for name in each["Action"] if name != action]}
            for each in document["Statement"]
        ]
    }
    bucket = _judged(stub, ENCRYPTED, less)
    *before, check = tried(ENCRYPTED)
    assert all(each.passed for each in before)
    assert (check.name, check.passed) == (failed, False)
    assert check.code is (Code.KMS_DENIED if action.startswith("kms:") else Code.MISSING_PERMISSION)
    assert action in check.text
    assert check.grant is not None
    assert all(each in document["Statement"] for each in check.grant["Statement"])

    more = {"Statement": [*less["Statement"], *check.grant["Statement"]]}
    allowed = _judged(stub, ENCRYPTED, more)
    assert all(each.passed for each in tried(ENCRYPTED))
    assert (allowed.objects, allowed.uploads) == (set(), set())
    # What was written goes, unless going is what is forbidden.
    assert bucket.objects == ({"in/.sluice-test"} if action == "s3:DeleteObject" else set())
    assert len(bucket.uploads) == (action == "s3:AbortMultipartUpload")


def test_a_bucket_elsewhere_is_told_with_its_region(stub: StubS3, tried: Try) -> None:
    _judged(stub, _destination(), region="eu-west-1")
    [check] = tried(_destination(region="eu-central-1"))
    assert (check.name, check.passed, check.code) == ("bucket", False, Code.INVALID_BUCKET)
    assert "say `region: eu-west-1`" in check.text
    assert [asked.method for asked in stub.asked] == ["GET"]


@pytest.mark.parametrize(("said", "region"), [("", "us-east-1"), ("EU", "eu-west-1")])
def test_regions_that_s3_calls_otherwise(stub: StubS3, tried: Try, said: str, region: str) -> None:
    _judged(stub, _destination(), region=said)
    assert all(check.passed for check in tried(_destination(region=region)))


def test_a_wrong_owner_is_told_from_a_missing_permission_and_nothing_is_written(
    stub: StubS3, tried: Try
) -> None:
    stranger = _destination(owner="999999999999")
    _judged(stub, stranger)
    located, owner = tried(stranger)
    assert located.passed
    assert (owner.name, owner.passed, owner.code) == ("bucket owner", False, Code.INVALID_BUCKET)
    assert "999999999999" in owner.text
    assert {asked.query for asked in stub.asked} == {"location"}


def test_a_bucket_that_there_is_not(stub: StubS3, tried: Try) -> None:
    stub.answer = lambda _: refusal(404, "NoSuchBucket")
    [check] = tried(_destination())
    assert (check.code, check.grant) == (Code.INVALID_BUCKET, None)


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_what_is_archived_is_not_read_back(stub: StubS3, tried: Try, storage_class: str) -> None:
    destination = _destination(storage_class=storage_class)
    _judged(stub, destination)
    checks = tried(destination)
    assert [check.name for check in checks] == [name for name in EVERY_TRIAL if name != "object read"]
    assert "s3:GetObject" not in {call.action for call in stub.answer.requests}  # type: ignore[attr-defined] # it is the bucket


def test_a_bucket_that_is_encrypted_by_a_key_which_nobody_named(stub: StubS3, tried: Try) -> None:
    destination = _destination()
    stub.answer = JudgedBucket(policies.access(destination), key=KEY_ARN)
    *_, check = tried(destination)
    assert (check.name, check.code, check.grant) == ("object written", Code.KMS_DENIED, None)
    assert "kms_key_arn" in check.text


def test_an_upload_that_fails_is_given_up(stub: StubS3, tried: Try) -> None:
    bucket = _judged(stub, _destination())

    def no_joining(asked: Any) -> Answer:
        joining = asked.method == "POST" and "uploadId" in asked.query
        return refusal(400, "InvalidPart") if joining else bucket(asked)

    stub.answer = no_joining
    *_, check = tried(_destination())
    assert (check.name, check.passed) == ("object written in parts", False)
    assert (bucket.objects, bucket.uploads) == (set(), set())


def test_an_emulated_bucket_passes_and_stays_as_it_was(aws: Aws) -> None:
    name = aws.bucket()
    destination = _destination(bucket=name, owner=None)
    checks = list(trials(destination, credentials(), region=REGION, endpoint_url=aws.url))
    assert [(check.name, check.passed) for check in checks] == [
        (each, True) for each in EVERY_TRIAL if each != "bucket owner"
    ]
    assert aws.keys(name) == []
    assert "Uploads" not in aws.client("s3").list_multipart_uploads(Bucket=name)
