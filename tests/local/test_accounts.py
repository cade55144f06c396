import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.accounts import StackError
from local.cloud import Cloud
from tests.local.templates import CUSTOMER, customer_stack

WRITER = "arn:aws:iam::123456789012:role/embedded-writer"
EXTERNAL_ID = "issued-by-us"


@pytest.fixture(scope="module")
def customer(cloud: Cloud) -> dict[str, str]:
    template = customer_stack(principal=WRITER, external_id=EXTERNAL_ID)
    return cloud.create_stack(
        template, name="access", account=CUSTOMER, parameters={"RoleName": "sluice-acme"}
    )


@pytest.fixture(scope="module")
def writer(cloud: Cloud) -> Callable[..., Any]:
    """Clients that have the credentials of the function's role, through the clients' endpoint."""
    given = cloud.functions["copier"].settings.variables
    session = boto3.Session(
        given["AWS_ACCESS_KEY_ID"],
        given["AWS_SECRET_ACCESS_KEY"],
        given["AWS_SESSION_TOKEN"],
        region_name="us-east-1",
    )
    return lambda service: session.client(service, endpoint_url=cloud.endpoint_url)


def assume(client: Any, role_arn: str, **ids: str) -> dict[str, str]:
    return dict(client.assume_role(RoleArn=role_arn, RoleSessionName="acme", **ids)["Credentials"])


def test_a_function_has_the_credentials_of_its_role(writer: Callable[..., Any]) -> None:
    arn = writer("sts").get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::123456789012:assumed-role/embedded-writer/embedded-cloud"


def test_a_customers_bucket_is_reached_with_the_customers_role(
    cloud: Cloud, customer: dict[str, str], writer: Callable[..., Any]
) -> None:
    assert customer["RoleArn"] == "arn:aws:iam::111122223333:role/sluice-acme"
    keys = assume(writer("sts"), customer["RoleArn"], ExternalId=EXTERNAL_ID)
    session = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
    )
    assert session.client("sts", endpoint_url=cloud.endpoint_url).get_caller_identity()["Account"] == CUSTOMER
    s3 = session.client("s3", endpoint_url=cloud.endpoint_url)
    s3.put_object(Bucket=customer["Bucket"], Key="a", Body=b"x")
    assert "acme-landing" in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    theirs = cloud.client("s3", account=CUSTOMER)
    assert theirs.get_object(Bucket="acme-landing", Key="a")["Body"].read() == b"x"
    ours = [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]]
    assert "acme-landing" not in ours


@pytest.mark.parametrize(
    ("role", "ids"),
    [
        ("sluice-acme", {}),
        ("sluice-acme", {"ExternalId": "guessed"}),
        ("sluice-nobody", {"ExternalId": EXTERNAL_ID}),
    ],
    ids=["without an external id", "with a wrong one", "a role that is not there"],
)
def test_a_role_is_not_assumed(
    customer: dict[str, str], writer: Callable[..., Any], role: str, ids: dict[str, str]
) -> None:
    with pytest.raises(ClientError) as refused:
        assume(writer("sts"), f"arn:aws:iam::{CUSTOMER}:role/{role}", **ids)
    error = refused.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDenied", 403)
    assert f"User: {WRITER} is not authorized to perform: sts:AssumeRole" in error["Error"]["Message"]


def test_a_role_is_not_assumed_by_others_than_its_principals(cloud: Cloud, customer: dict[str, str]) -> None:
    anyone = boto3.Session("local", "local", region_name="us-east-1")
    with pytest.raises(ClientError, match="123456789012:root is not authorized"):
        assume(
            anyone.client("sts", endpoint_url=cloud.endpoint_url), customer["RoleArn"], ExternalId=EXTERNAL_ID
        )


TRUST: list[tuple[str, dict[str, Any], bool]] = [
    ("the account", {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, True),
    ("one of several", {"Principal": {"AWS": ["arn:aws:iam::1:root", WRITER]}}, True),
    ("anybody", {"Principal": "*"}, True),
    ("several actions", {"Action": ["sts:TagSession", "sts:AssumeRole"]}, True),
    ("a service", {"Principal": {"Service": "lambda.amazonaws.com"}}, False),
    ("another condition", {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, False),
    ("a denial", {"Effect": "Deny"}, False),
    ("another action", {"Action": "sts:TagSession"}, False),
]


@pytest.mark.parametrize(("statement", "trusted"), [row[1:] for row in TRUST], ids=[row[0] for row in TRUST])
def test_trust_policies_are_read(
    cloud: Cloud, writer: Callable[..., Any], statement: dict[str, Any], *, trusted: bool
) -> None:
    stated = {"Effect": "Allow", "Principal": {"AWS": WRITER}, "Action": "sts:AssumeRole", **statement}
    iam = cloud.client("iam", account=CUSTOMER)
    role = iam.create_role(
        RoleName="sluice-trust", AssumeRolePolicyDocument=json.dumps({"Statement": stated})
    )["Role"]
    try:
        if trusted:
            assume(writer("sts"), role["Arn"])
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                assume(writer("sts"), role["Arn"])
    finally:
        iam.delete_role(RoleName="sluice-trust")


def test_a_stack_that_cannot_be_created_says_so(cloud: Cloud) -> None:
    template = customer_stack(principal=WRITER, external_id="x")
    with pytest.raises(StackError, match="RoleName"):
        cloud.create_stack(template, name="incomplete", account=CUSTOMER)
