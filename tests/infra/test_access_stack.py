import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from functions.core import policies
from infra.access_stack import Access, AccessError, AccessStack, customer_template
from infra.constructs.access_role import AccessRole
from tests.infra.linters import policy_findings, template_findings
from tests.infra.resolution import of_type, resolved

OURS = "arn:aws:iam::111122223333:role/sluice-message-writer"
KEY = "arn:aws:kms:eu-central-1:444455556666:key/0c6d"
PLAIN = Access(
    role_name="sluice-acme",
    trusted_role_arn=OURS,
    external_id="Zx81-kWq",
    bucket="acme-events",
    prefix="from-sluice/",
)
WITH_ALL = msgspec.structs.replace(PLAIN, keep=True, kms_key_arn=KEY, create_bucket=True)
OF_STREAMS = msgspec.structs.replace(PLAIN, kind="streams")
OF_STREAMS_WITH_ALL = msgspec.structs.replace(OF_STREAMS, kms_key_arn=KEY, create_bucket=True)
OF_FILES = msgspec.structs.replace(PLAIN, kind="files")
OF_FILES_WITH_ALL = msgspec.structs.replace(OF_FILES, notifications=True, kms_key_arn=KEY, create_bucket=True)
ACCESSES = pytest.mark.parametrize(
    "access",
    [PLAIN, WITH_ALL, OF_STREAMS, OF_STREAMS_WITH_ALL, OF_FILES, OF_FILES_WITH_ALL],
    ids=["plain", "with-all", "streams", "streams-with-all", "files", "files-with-all"],
)

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "SluiceAssumesThisRole",
            "Effect": "Allow",
            "Principal": {"AWS": OURS},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "Zx81-kWq"}},
        }
    ],
}


@ACCESSES
def test_the_role_trusts_ours_with_the_external_id_and_may_do_what_the_policies_say(access: Access) -> None:
    template = resolved(customer_template(access))
    where: dict[str, Any] = {"bucket": "acme-events", "prefix": "from-sluice/"}
    where["kms_key_arn"] = access.kms_key_arn
    if access.kind == "files":
        name, allowed = "read-files", policies.read_files(**where, notifications=access.notifications)
    elif access.kind == "streams":
        name, allowed = "write-files", policies.write_files(**where)
    else:
        name, allowed = "write-messages", policies.write_messages(**where, keep=access.keep)
    assert of_type(template, "AWS::IAM::Role") == {
        "Role": {
            "RoleName": "sluice-acme",
            "Description": "Lets Sluice work in one bucket",
            "AssumeRolePolicyDocument": TRUST,
            "Policies": [{"PolicyName": name, "PolicyDocument": allowed}],
        }
    }
    assert template["Outputs"]["RoleArn"]["Value"] == "arn:aws:iam::111122223333:role/Role"


@ACCESSES
def test_the_template_needs_nothing_but_cloudformation(access: Access) -> None:
    template = customer_template(access)
    assert set(template) == {"Description", "Parameters", "Conditions", "Resources", "Outputs"}
    assert set(template["Resources"]) == {"Role", "Bucket", "BucketPolicy"}
    for resource in template["Resources"].values():
        assert "Metadata" not in resource
    assert "cdk" not in json.dumps(template).lower()


def test_parameters_are_filled_in_and_a_key_is_asked_for_only_where_there_is_one() -> None:
    defaults = {
        "RoleName": "sluice-acme",
        "TrustedRoleArn": OURS,
        "ExternalId": "Zx81-kWq",
        "BucketName": "acme-events",
        "Prefix": "from-sluice/",
        "CreateBucket": "no",
    }
    for access, expected in (
        (PLAIN, defaults),
        (WITH_ALL, {**defaults, "CreateBucket": "yes", "KmsKeyArn": KEY}),
    ):
        parameters = customer_template(access)["Parameters"]
        assert {name: parameter["Default"] for name, parameter in parameters.items()} == expected
        for name, parameter in parameters.items():
            assert (name == "CreateBucket") == ("AllowedValues" in parameter)
            assert (name == "CreateBucket") != ("AllowedPattern" in parameter)


def test_a_bucket_is_made_only_on_request_and_stays() -> None:
    template = customer_template(PLAIN)
    asked = {"Fn::Equals": [{"Ref": "CreateBucket"}, "yes"]}
    assert template["Conditions"] == {"CreateBucketWanted": asked}
    bucket, policy = template["Resources"]["Bucket"], template["Resources"]["BucketPolicy"]
    assert bucket["Condition"] == policy["Condition"] == "CreateBucketWanted"
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())


def test_a_bucket_that_is_made_forgets_uploads_that_nobody_ended() -> None:
    bucket = customer_template(OF_STREAMS_WITH_ALL)["Resources"]["Bucket"]["Properties"]
    assert bucket["LifecycleConfiguration"]["Rules"] == [
        {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
    ]


def test_a_bucket_that_is_made_for_a_source_tells_our_queue_of_its_files() -> None:
    arrivals = "arn:aws:sqs:eu-central-1:111122223333:sluice-arrivals"
    access = msgspec.structs.replace(OF_FILES_WITH_ALL, notified_queue_arn=arrivals)
    template = customer_template(access)
    assert template_findings(template) == []
    bucket = resolved(template)["Resources"]["Bucket"]["Properties"]
    below = {"S3Key": {"Rules": [{"Name": "prefix", "Value": "from-sluice/"}]}}
    assert bucket["NotificationConfiguration"] == {
        "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Filter": below, "Queue": arrivals}]
    }


@pytest.mark.parametrize(
    ("access", "encryption"),
    [(PLAIN, {"SSEAlgorithm": "AES256"}), (WITH_ALL, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY})],
    ids=["plain", "with-all"],
)
def test_a_bucket_is_encrypted_with_the_destinations_key(access: Access, encryption: dict[str, str]) -> None:
    bucket = resolved(customer_template(access))["Resources"]["Bucket"]["Properties"]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == encryption


@ACCESSES
def test_linters_find_nothing(access: Access) -> None:
    template = customer_template(access)
    assert template_findings(template) == []
    # Being assumed is what a trust policy is about.
    assert policy_findings(resolved(template)) == {("Role-trust", "CREDENTIALS_EXPOSURE")}


@ACCESSES
def test_cdk_nag_finds_nothing_unacknowledged(access: Access, tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    AccessStack(app, "access", access=access)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    app.synth()
    assert json.loads((tmp_path / "validation-report.json").read_text("utf-8"))["pluginReports"] == []


REFUSED = {
    "RoleName": {"role_name": "acme-sluice"},
    "TrustedRoleArn": {"trusted_role_arn": "arn:aws:iam::111122223333:root"},
    "ExternalId": {"external_id": "x"},
    "BucketName": {"bucket": "Acme"},
    "Prefix": {"prefix": "all/*"},
    "KmsKeyArn": {"kms_key_arn": "alias/acme"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_value_that_cloudformation_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(AccessError, match=f"^{name} cannot be"):
        customer_template(msgspec.structs.replace(PLAIN, **REFUSED[name]))


def test_a_role_obeys_the_deployments_own_pattern() -> None:
    ours = msgspec.structs.replace(PLAIN, role_name_pattern="acme-?-*", role_name="acme-1-sluice")
    pattern = customer_template(ours)["Parameters"]["RoleName"]["AllowedPattern"]
    assert pattern == r"^acme\-[\w+=,.@-]\-[\w+=,.@-]*$"


def test_a_customer_with_cdk_takes_the_role_alone() -> None:
    stack = Stack(App(), "Theirs")
    AccessRole(
        stack,
        "Sluice",
        role_name="sluice-acme",
        trusted_role_arn=OURS,
        external_id="Zx81-kWq",
        allowed={"write-messages": policies.write_messages(bucket="acme-events", prefix="")},
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Role", {"RoleName": "sluice-acme", "AssumeRolePolicyDocument": TRUST}
    )
