"""`sluice access`: what it prints is what a customer deploys, and then the access is in order."""

import json
from typing import Any

import pytest

from functions.core import policies
from tests.cli.conftest import Desk
from tests.cli.terminal import Terminal
from tests.system.stage import CUSTOMER, Stage, enveloped, message

OURS = "arn:aws:iam::123456789012:role/sluice-cli-message-writer"
STREAMS: dict[str, Any] = {"kind": "streams", "format": "csv", "key_template": None}


def test_the_template_that_is_printed_lets_us_in(stage: Stage, sluice: Terminal, desk: Desk) -> None:
    name = stage.new_name()
    file = desk.definition(name, bucket=f"made-for-{name}", on_existing="keep")
    printed = sluice("access", "template", "--destination", file, "--create-bucket")
    assert printed.status == 0
    outputs = stage.cloud.create_stack(json.loads(printed.out), name=f"of-{name}", account=CUSTOMER)
    assert outputs == {"RoleArn": desk.role_arn(name)}

    assert sluice("destination", "create", file).status == 0
    stage.deliver(message(name, "a"))
    s3 = stage.cloud.client("s3", account=CUSTOMER)
    written = s3.get_object(Bucket=f"made-for-{name}", Key=f"{name}/a")["Body"].read()
    assert written == enveloped("a")


def test_the_template_of_a_stored_destination_is_the_one_of_its_file(
    sluice: Terminal, standing: str, desk: Desk
) -> None:
    by_file = sluice.json("access", "template", "--destination", desk.definition(standing))["result"]
    stored = sluice.json("access", "template", "--destination", standing)["result"]
    assert stored == by_file
    parameters = {name: value["Default"] for name, value in stored["Parameters"].items()}
    assert parameters["CreateBucket"] == "no"
    assert parameters["TrustedRoleArn"] == OURS
    assert parameters["ExternalId"] == sluice.json("destination", "show", standing)["result"]["external_id"]


@pytest.mark.parametrize("document", ["policy", "trust"])
def test_every_document_can_be_had_as_the_whole_template(
    sluice: Terminal, standing: str, document: str
) -> None:
    template = sluice.json("access", "template", "--destination", standing)["result"]
    assert template["Resources"]
    printed = sluice("access", document, "--destination", standing, "--format", "cloudformation").out
    assert json.loads(printed) == template


@pytest.mark.parametrize(
    "fields", [{}, {"on_existing": "keep"}, {"kms_key_arn": "arn:aws:kms:us-east-1:111122223333:key/k"}]
)
def test_the_policy_is_the_cores_and_needs_no_aws(
    offline: Terminal, desk: Desk, fields: dict[str, str]
) -> None:
    printed = offline("access", "policy", "--destination", desk.definition("acme", **fields))
    assert json.loads(printed.out) == policies.write_messages(
        bucket="sluice-cli-landing",
        prefix="acme/",
        keep="on_existing" in fields,
        kms_key_arn=fields.get("kms_key_arn"),
    )
    assert printed.err == ""


@pytest.mark.parametrize("fields", [{}, {"kms_key_arn": "arn:aws:kms:us-east-1:111122223333:key/k"}])
def test_the_policy_of_streams_is_the_cores_and_needs_no_aws(
    offline: Terminal, desk: Desk, fields: dict[str, str]
) -> None:
    printed = offline(
        "access", "policy", "--destination", desk.definition("acme", **(STREAMS | fields)), "--format", "json"
    )
    assert json.loads(printed.out) == policies.write_files(
        bucket="sluice-cli-landing", prefix="acme/", kms_key_arn=fields.get("kms_key_arn")
    )


def test_streams_trust_the_role_that_writes_their_files(sluice: Terminal, stage: Stage, desk: Desk) -> None:
    theirs = stage.cloud.outputs["FileWriterRoleArn"]
    assert theirs != OURS
    file = desk.definition(stage.new_name(), **STREAMS)
    [statement] = sluice.json("access", "trust", "--destination", file)["result"]["Statement"]
    assert statement["Principal"] == {"AWS": theirs}
    template = sluice.json("access", "template", "--destination", file, "--create-bucket")["result"]
    assert template["Parameters"]["TrustedRoleArn"]["Default"] == theirs
    [policy] = template["Resources"]["Role"]["Properties"]["Policies"]
    assert policy["PolicyName"] == "write-files"
    assert "AbortIncompleteMultipartUpload" in json.dumps(template["Resources"]["Bucket"])


def test_the_trust_names_our_role_and_the_issued_id(sluice: Terminal, stage: Stage, desk: Desk) -> None:
    file = desk.definition(stage.new_name())
    first = sluice.json("access", "trust", "--destination", file)["result"]
    [statement] = first["Statement"]
    assert statement["Principal"] == {"AWS": OURS}
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"].startswith("sluice-")
    assert sluice.json("access", "trust", "--destination", file)["result"] == first


def test_a_file_needs_no_aws_when_all_is_said(offline: Terminal, desk: Desk) -> None:
    said = ("--role-arn", "arn:aws:iam::123456789012:role/ours", "--external-id", "sluice-of-acme")
    trust = offline.json("access", "trust", "--destination", desk.definition("acme"), *said)["result"]
    assert trust == policies.trust(
        role_arn="arn:aws:iam::123456789012:role/ours", external_id="sluice-of-acme"
    )
    role = {"credentials": {"role_arn": f"arn:aws:iam::{CUSTOMER}:role/sluice-acme"}}
    template = offline.json("access", "template", "--destination", desk.definition("acme", **role), *said)
    assert template["result"]["Parameters"]["ExternalId"]["Default"] == "sluice-of-acme"


def test_a_foreign_external_id_in_a_file_is_refused(sluice: Terminal, stage: Stage, desk: Desk) -> None:
    """Not printed: what the customer would deploy could never be used."""
    name = stage.new_name()
    credentials = {"role_arn": desk.role_arn(name), "external_id": "chosen-by-the-customer"}
    done = sluice(
        "access", "trust", "--destination", desk.definition(name, credentials=credentials), "--json"
    )
    assert done.status == 1
    assert done.json["faults"][0]["path"] == "credentials.external_id"


def test_a_template_is_for_roles(sluice: Terminal, stage: Stage, desk: Desk) -> None:
    keys = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "secret"}
    file = desk.definition(stage.new_name(), credentials=keys)
    done = sluice("access", "template", "--destination", file, "--json")
    assert done.status == 1
    assert "no role" in done.json["faults"][0]["message"]
    assert sluice("access", "policy", "--destination", file).status == 0


def test_a_role_that_we_could_not_assume_gets_no_template(sluice: Terminal, stage: Stage, desk: Desk) -> None:
    role = {"role_arn": f"arn:aws:iam::{CUSTOMER}:role/administrator"}
    done = sluice(
        "access", "template", "--destination", desk.definition(stage.new_name(), credentials=role), "--json"
    )
    assert done.status == 1
    assert "customer-*" in done.json["faults"][0]["message"]


@pytest.mark.parametrize("document", ["policy", "trust", "template"])
def test_neither_a_file_nor_a_destination(sluice: Terminal, document: str) -> None:
    done = sluice("access", document, "--destination", "nobody", "--json")
    assert done.status == 1
    assert done.json["faults"][0]["code"] == "MISSING_FILE"


@pytest.mark.parametrize("document", ["policy", "trust", "template"])
def test_a_file_with_faults(sluice: Terminal, desk: Desk, document: str) -> None:
    done = sluice("access", document, "--destination", desk.definition("acme", bucket="NO"), "--json")
    assert done.status == 1
    assert [fault["path"] for fault in done.json["faults"]] == ["bucket"]
