from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core import policies
from functions.core.definitions.parsing import parse_definition
from functions.core.errors import Refused
from tests.policy_evaluator import Document, Request, allows, without_each

OURS = "arn:aws:iam::999988887777:role/sluice-message-writer"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
DOCUMENT: dict[str, Any] = {
    "name": "acme",
    "kind": "messages",
    "bucket": "acme-data",
    "region": "eu-central-1",
    "prefix": "in/",
    "credentials": {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"},
}


def _granted(**changes: Any) -> Document:
    return policies.access(parse_definition(DOCUMENT | changes))


def _object(action: str, key: str, *, bucket: str = "acme-data", partition: str = "aws") -> Request:
    return Request(action=action, resource=f"arn:{partition}:s3:::{bucket}/{key}")


PUT = _object("s3:PutObject", "in/a.json")
HEAD = _object("s3:GetObject", "in/a.json")
ENCRYPT = Request(action="kms:GenerateDataKey", resource=KEY)

STREAMS: dict[str, Any] = {"kind": "streams", "format": "csv"}
DELETE, ABORT = _object("s3:DeleteObject", "in/a.csv"), _object("s3:AbortMultipartUpload", "in/a.csv")
BUCKET = "arn:aws:s3:::acme-data"
LIST = Request(action="s3:ListBucket", resource=BUCKET, context={"s3:prefix": "in/a"})
LOCATE = Request(action="s3:GetBucketLocation", resource=BUCKET)
DECRYPT = Request(action="kms:Decrypt", resource=KEY)
FILES = [PUT, HEAD, DELETE, ABORT, LIST, LOCATE]

CONVERTER = {"fileType": "json", "convertToAmplitudeFunc": {"event_type": "e", "user_id": "u", "time": "t"}}
SOURCE: dict[str, Any] = {
    "kind": "files",
    "project_id": 1,
    "data_type": "event",
    "strategy": "append",
    "converter": {"converterConfig": CONVERTER},
}
NOTIFIED: dict[str, Any] = SOURCE | {"notifications": True}
READ = [HEAD, LIST]
NOTIFY = [
    Request(action=f"s3:{verb}BucketNotification", resource="arn:aws:s3:::acme-data")
    for verb in ("Get", "Put")
]

JOBS: list[tuple[dict[str, Any], list[Request]]] = [
    ({}, [PUT]),
    ({"on_existing": "keep"}, [PUT, HEAD]),
    ({"kms_key_arn": KEY}, [PUT, ENCRYPT]),
    ({"on_existing": "keep", "kms_key_arn": KEY}, [PUT, HEAD, ENCRYPT]),
    (STREAMS, FILES),
    (STREAMS | {"kms_key_arn": KEY}, [*FILES, ENCRYPT, DECRYPT]),
    (SOURCE, READ),
    (NOTIFIED, [*READ, *NOTIFY]),
    (NOTIFIED | {"kms_key_arn": KEY}, [*READ, *NOTIFY, DECRYPT]),
]
IDS = [
    "put",
    "keep",
    "encrypted",
    "keep-encrypted",
    "files",
    "files-encrypted",
    "read",
    "notified",
    "read-encrypted",
]


@pytest.mark.parametrize(("changes", "calls"), JOBS, ids=IDS)
def test_every_call_of_the_job_is_allowed(changes: dict[str, Any], calls: list[Request]) -> None:
    assert all(allows(_granted(**changes), call) for call in calls)


@pytest.mark.parametrize(("changes", "calls"), JOBS, ids=IDS)
def test_without_any_statement_a_call_of_the_job_is_denied(
    changes: dict[str, Any], calls: list[Request]
) -> None:
    for missing, rest in without_each(_granted(**changes)):
        assert not all(allows(rest, call) for call in calls), f"nothing needs {missing}"


@pytest.mark.parametrize(("changes", "calls"), JOBS, ids=IDS)
def test_a_call_that_is_not_the_jobs_is_denied(changes: dict[str, Any], calls: list[Request]) -> None:
    document = _granted(**changes)
    others = [
        _object("s3:PutObject", "a.json"),
        _object("s3:PutObject", "out/in/a.json"),
        _object("s3:PutObject", "in/a.json", bucket="acme-data-2"),
        _object("s3:PutObject", "in/a.json", bucket="other"),
        _object("s3:GetObject", "out/a.json"),
        _object("s3:PutObjectAcl", "in/a.json"),
        _object("s3:PutObjectTagging", "in/a.json"),
        _object("s3:DeleteObject", "out/a.csv"),
        _object("s3:AbortMultipartUpload", "a.csv"),
        _object("s3:GetObjectVersion", "in/a.json"),
        Request(action="s3:ListBucket", resource=BUCKET),
        Request(action="s3:ListBucket", resource=BUCKET, context={"s3:prefix": "out/in/"}),
        Request(action="s3:ListBucketMultipartUploads", resource=BUCKET),
        Request(action="s3:PutBucketPolicy", resource=BUCKET),
        Request(action="s3:GetBucketLocation", resource=BUCKET + "-2"),
        Request(action="s3:ListAllMyBuckets", resource="*"),
        Request(action="kms:GenerateDataKey", resource=KEY + "5"),
        Request(action="sts:AssumeRole", resource=OURS),
        *(call for call in (*FILES, *NOTIFY, ENCRYPT, DECRYPT) if call not in calls),
    ]
    assert [call for call in others if allows(document, call)] == []


def test_the_statements_that_grant_an_action_can_be_had_alone() -> None:
    document = _granted(**STREAMS, kms_key_arn=KEY)
    alone = policies.granting(document, "s3:ListBucket", "kms:Decrypt")
    assert allows(alone, LIST)
    assert allows(alone, DECRYPT)
    assert not allows(alone, PUT)
    assert policies.granting(_granted(**STREAMS), "kms:Decrypt")["Statement"] == []


def test_the_policy_is_one_of_the_roles_partition() -> None:
    role = {"role_arn": "arn:aws-cn:iam::111122223333:role/sluice-acme"}
    document = _granted(region="cn-north-1", credentials=role)
    assert allows(document, _object("s3:PutObject", "in/a.json", partition="aws-cn"))
    assert not allows(document, PUT)
    files = _granted(**STREAMS, region="cn-north-1", credentials=role)
    assert "arn:aws:" not in str(files)
    assert "arn:aws:" not in str(_granted(**NOTIFIED, region="cn-north-1", credentials=role))


_PREFIXES = st.one_of(
    st.sampled_from(["", "in/", "in", "*/", "a?/", "${aws:username}/", "${*}/", "$/", "a*", "größe/"]),
    st.text("ab*?${}:/", max_size=6),
)
_KEYS = st.one_of(st.text("ab*?${}:/in", max_size=8), st.just("bob/x"))


@given(_PREFIXES, _KEYS)
def test_whatever_the_prefix_what_is_under_it_is_allowed_and_nothing_else(prefix: str, key: str) -> None:
    try:
        document = _granted(prefix=prefix)
    except Refused:
        return
    context = {"aws:username": "bob"}
    files = _granted(prefix=prefix, **STREAMS)
    for name in (key, prefix + key):
        call = _object("s3:PutObject", name)
        asked = Request(action=call.action, resource=call.resource, context=context)
        listed = Request(action="s3:ListBucket", resource=BUCKET, context=context | {"s3:prefix": name})
        assert allows(document, asked) is name.startswith(prefix), name
        assert allows(files, listed) is name.startswith(prefix), name


TRUST = policies.trust(role_arn=OURS, external_id="sluice-Ab1")


def _assume(principal: str, **context: str) -> Request:
    return Request(action="sts:AssumeRole", principal=principal, context=context)


def test_our_role_is_trusted_with_the_right_external_id() -> None:
    assert allows(TRUST, _assume(OURS, **{"sts:ExternalId": "sluice-Ab1"}))


@pytest.mark.parametrize("external_id", ["", "sluice-Ab", "sluice-Ab12", "SLUICE-AB1", "*", "sluice-Ab?"])
def test_our_role_is_not_trusted_with_a_wrong_external_id(external_id: str) -> None:
    assert not allows(TRUST, _assume(OURS, **{"sts:ExternalId": external_id}))


def test_our_role_is_not_trusted_without_an_external_id() -> None:
    assert not allows(TRUST, _assume(OURS))


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:iam::999988887777:root",
        "arn:aws:iam::999988887777:role/other",
        "arn:aws:iam::999988887777:user/sluice-message-writer",
        "arn:aws:iam::111122223333:role/sluice-message-writer",
    ],
)
def test_nobody_else_is_trusted_not_even_with_the_external_id(principal: str) -> None:
    assert not allows(TRUST, _assume(principal, **{"sts:ExternalId": "sluice-Ab1"}))


def test_the_trust_policy_is_this_document() -> None:
    assert TRUST == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SluiceAssumesThisRole",
                "Effect": "Allow",
                "Principal": {"AWS": OURS},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "sluice-Ab1"}},
            }
        ],
    }


def test_the_evaluator_tells_a_trust_that_is_open_from_ours() -> None:
    [statement] = TRUST["Statement"]
    open_to_our_role = {
        "Statement": [{name: part for name, part in statement.items() if name != "Condition"}]
    }
    assert allows(open_to_our_role, _assume(OURS))
    assert allows(open_to_our_role, _assume(OURS, **{"sts:ExternalId": "of another customer"}))


def test_the_evaluator_denies_what_is_denied_and_knows_no_condition_by_halves() -> None:
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": ["s3:Put*"], "Resource": ["arn:aws:s3:::acme-data/in/*"]}
    assert allows({"Statement": [allow]}, PUT)
    assert not allows({"Statement": [allow, deny]}, PUT)
    assert allows({"Statement": [allow, deny]}, HEAD)
    with pytest.raises(NotImplementedError, match="ArnLike"):
        allows({"Statement": [allow | {"Condition": {"ArnLike": {"aws:SourceArn": "*"}}}]}, PUT)
