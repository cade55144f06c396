from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.adapters.trials import Check
from functions.adapters.verification import verify
from functions.core import policies
from functions.core.definitions.destination import Destination
from functions.core.definitions.parsing import parse_destination
from functions.core.errors import Code, Transient
from tests.adapters.conftest import credentials
from tests.adapters.stub_s3 import Answer, Asked, StubS3, refusal
from tests.policy_evaluator import Request, allows

OURS = "arn:aws:iam::999988887777:role/sluice-message-writer"
ROLE = "arn:aws:iam::111122223333:role/sluice-acme"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
OWNER = "111122223333"
ISSUED = "sluice-Ab1"

GOOD = policies.trust(role_arn=OURS, external_id=ISSUED)
OPEN = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": OURS}, "Action": "sts:AssumeRole"}]}
ANY_ID = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": OURS},
            "Action": "sts:AssumeRole",
            "Condition": {"StringLike": {"sts:ExternalId": "*"}},
        }
    ]
}
OF_ANOTHER = policies.trust(role_arn=OURS, external_id="sluice-other")
CLOSED: dict[str, Any] = {"Statement": []}


class Sts:
    """STS as AWS has it: it reads the role's trust policy, and says no more than AccessDenied."""

    def __init__(self, trust: Mapping[str, Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._trust = trust

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        context = {"sts:ExternalId": asked["ExternalId"]} if "ExternalId" in asked else {}
        request = Request(action="sts:AssumeRole", principal=OURS, context=context)
        if asked["RoleArn"] != ROLE or not allows(self._trust, request):
            raise _error("AccessDenied", 403)
        expiration = datetime.now(UTC) + timedelta(seconds=asked["DurationSeconds"])
        keys = {"AccessKeyId": "ASIA", "SecretAccessKey": "s3cr3t", "SessionToken": "token"}
        return {"Credentials": keys | {"Expiration": expiration}}


def _error(code: str, status: int) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "AssumeRole")


def _destination(**changes: Any) -> Destination:
    document = {
        "name": "acme",
        "kind": "messages",
        "bucket": "acme-data",
        "prefix": "in/",
        "credentials": {"role_arn": ROLE},
    }
    return parse_destination(document | changes)


Verify = Callable[..., list[Check]]


@pytest.fixture
def verified(stub: StubS3) -> Verify:
    def call(destination: Destination, sts: Any, *, role_pattern: str = "sluice-*") -> list[Check]:
        return verify(
            destination,
            external_id=ISSUED,
            role_pattern=role_pattern,
            role_arn=OURS,
            sts=lambda: sts,
            credentials=credentials,
            region="eu-central-1",
            endpoint_url=stub.url,
        )

    return call


def test_access_in_order_passes_every_check(stub: StubS3, verified: Verify) -> None:
    sts = Sts(GOOD)
    checks = verified(_destination(), sts)
    assert [(check.name, check.passed, check.code, check.grant) for check in checks] == [
        ("role name", True, None, None),
        ("role with external id", True, None, None),
        ("role without external id", True, None, None),
        ("role with a wrong external id", True, None, None),
        ("object written", True, None, None),
    ]
    assert [(asked.method, asked.key) for asked in stub.asked] == [("PUT", "in/.sluice-test")]


def test_the_role_is_asked_for_with_without_and_with_a_wrong_external_id(verified: Verify) -> None:
    sts = Sts(GOOD)
    verified(_destination(), sts)
    first, without, wrong = (asked.get("ExternalId") for asked in sts.asked)
    assert first == ISSUED
    assert without is None
    assert wrong not in {None, ISSUED}
    assert {asked["RoleSessionName"] for asked in sts.asked} == {"sluice-acme"}


@pytest.mark.parametrize(
    ("trust", "failed", "says"),
    [
        (CLOSED, "role with external id", "AccessDenied"),
        (OF_ANOTHER, "role with external id", "AccessDenied"),
        (OPEN, "role without external id", "confused deputy"),
        (ANY_ID, "role with a wrong external id", "confused deputy"),
    ],
    ids=["closed", "of-another", "open", "any-id"],
)
def test_a_role_that_does_not_trust_us_alone_is_refused(
    stub: StubS3, verified: Verify, trust: Mapping[str, Any], failed: str, says: str
) -> None:
    *before, check = verified(_destination(), Sts(trust))
    assert all(each.passed for each in before)
    assert (check.name, check.passed, check.code) == (failed, False, Code.INVALID_CREDENTIALS)
    assert says in check.text
    assert check.grant == GOOD
    assert stub.asked == []


def test_the_trust_policy_that_is_proposed_cures_it(verified: Verify) -> None:
    for trust in (CLOSED, OF_ANOTHER, OPEN, ANY_ID):
        *_, check = verified(_destination(), Sts(trust))
        assert check.grant is not None
        assert all(each.passed for each in verified(_destination(), Sts(check.grant)))


def test_a_role_whose_name_we_may_not_assume_is_told_before_it_is_asked_for(verified: Verify) -> None:
    sts = Sts(GOOD)
    [check] = verified(_destination(), sts, role_pattern="other-*")
    assert (check.name, check.passed, check.code) == ("role name", False, Code.INVALID_CREDENTIALS)
    assert "other-*" in check.text
    assert sts.asked == []


@pytest.mark.parametrize(
    "error",
    [_error("Throttling", 400), _error("InternalFailure", 500), EndpointConnectionError(endpoint_url="x")],
)
def test_sts_that_cannot_answer_now_is_no_answer(verified: Verify, error: Exception) -> None:
    class Unwell:
        def assume_role(self, **_: Any) -> Any:
            raise error

    with pytest.raises(Transient):
        verified(_destination(), Unwell())


def test_keys_of_the_customers_have_no_role_to_ask_for(stub: StubS3, verified: Verify) -> None:
    keys = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s3cr3t"}
    sts = Sts(CLOSED)
    assert [check.name for check in verified(_destination(credentials=keys), sts)] == ["object written"]
    assert sts.asked == []


def _owned_by(owner: str) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        expected = asked.headers.get("x-amz-expected-bucket-owner", owner)
        return Answer() if expected == owner else refusal(403, "AccessDenied")

    return answer


def test_the_right_owner_is_expected(stub: StubS3, verified: Verify) -> None:
    stub.answer = _owned_by(OWNER)
    assert all(check.passed for check in verified(_destination(owner=OWNER), Sts(GOOD)))
    assert stub.asked[0].headers["x-amz-expected-bucket-owner"] == OWNER


def test_a_wrong_owner_is_told_beside_the_permission_that_s3_cannot_tell_it_from(
    stub: StubS3, verified: Verify
) -> None:
    stub.answer = _owned_by("444455556666")
    *_, check = verified(_destination(owner=OWNER), Sts(GOOD))
    assert (check.passed, check.code) == (False, Code.MISSING_PERMISSION)
    assert OWNER in check.text


def test_a_bucket_of_a_wrong_owner_is_never_written_to(stub: StubS3, verified: Verify) -> None:
    stub.answer = _owned_by("444455556666")
    verified(_destination(owner=OWNER), Sts(GOOD))
    assert [asked for asked in stub.asked if asked.headers.get("x-amz-expected-bucket-owner") != OWNER] == []


@pytest.mark.parametrize(
    ("answer", "code", "granted"),
    [
        (refusal(404, "NoSuchBucket"), Code.INVALID_BUCKET, False),
        (refusal(400, "AuthorizationHeaderMalformed"), Code.INVALID_BUCKET, False),
        (refusal(403, "AccessDenied"), Code.MISSING_PERMISSION, True),
        (
            refusal(
                403,
                "AccessDenied",
                "User: x is not authorized to perform: kms:GenerateDataKey on resource: y",
            ),
            Code.KMS_DENIED,
            True,
        ),
        (refusal(403, "InvalidAccessKeyId"), Code.INVALID_CREDENTIALS, False),
    ],
    ids=["no-bucket", "elsewhere", "denied", "kms", "keys"],
)
def test_what_keeps_an_object_from_being_written_is_told_with_what_would_grant_it(
    stub: StubS3, verified: Verify, answer: Answer, code: Code, *, granted: bool
) -> None:
    stub.answer = lambda _: answer
    destination = _destination(kms_key_arn=KEY_ARN, owner=OWNER)
    *_, check = verified(destination, Sts(GOOD))
    assert (check.name, check.passed, check.code) == ("object written", False, code)
    assert check.grant == (policies.access(destination) if granted else None)


def test_the_test_object_is_written_as_messages_will_be(stub: StubS3, verified: Verify) -> None:
    verified(_destination(storage_class="GLACIER_IR", kms_key_arn=KEY_ARN, owner=OWNER), Sts(GOOD))
    [asked] = stub.asked
    assert asked.headers["x-amz-storage-class"] == "GLACIER_IR"
    assert asked.headers["x-amz-server-side-encryption-aws-kms-key-id"] == KEY_ARN
    assert "if-none-match" not in asked.headers


def test_with_keep_the_object_is_looked_at(stub: StubS3, verified: Verify) -> None:
    checks = verified(_destination(on_existing="keep"), Sts(GOOD))
    assert checks[-1].name == "object looked at"
    assert all(check.passed for check in checks)
    assert [(asked.method, asked.key) for asked in stub.asked] == [
        ("PUT", "in/.sluice-test"),
        ("HEAD", "in/.sluice-test"),
    ]


def test_with_keep_an_object_that_may_not_be_looked_at_is_told(stub: StubS3, verified: Verify) -> None:
    stub.answer = lambda asked: Answer(status=403) if asked.method == "HEAD" else Answer()
    destination = _destination(on_existing="keep")
    *_, check = verified(destination, Sts(GOOD))
    assert (check.name, check.passed, check.code) == ("object looked at", False, Code.MISSING_PERMISSION)
    assert check.grant == policies.access(destination)


def test_s3_that_cannot_answer_now_is_no_answer(stub: StubS3, verified: Verify) -> None:
    stub.answer = lambda _: refusal(409, "OperationAborted")
    with pytest.raises(Transient):
        verified(_destination(), Sts(GOOD))
