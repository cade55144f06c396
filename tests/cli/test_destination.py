"""`sluice destination`: every step that an operator takes, against functions that verify for real."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.faults import Fault, calls_of, kill, refuse
from tests.cli.conftest import Desk
from tests.cli.terminal import Terminal
from tests.system.stage import CUSTOMER, Stage, enveloped, message


def test_a_destination_is_created_once_its_role_trusts_us(stage: Stage, sluice: Terminal, desk: Desk) -> None:
    name = stage.new_name()
    file = desk.definition(name)

    refused = sluice("destination", "create", file)
    assert (refused.status, refused.out) == (1, "")
    assert "FAILED role with external id" in refused.err
    assert "STS answered AccessDenied" in refused.err
    assert "sts:ExternalId" in refused.err
    assert sluice("destination", "show", name).status == 1

    trust = sluice.json("access", "trust", "--destination", file)["result"]
    [statement] = trust["Statement"]
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] in refused.err
    desk.customer_makes_role(name, trust)

    created = sluice("destination", "create", file)
    assert created.status == 0
    assert created.out == f"{name}: stored as version 1, access verified\n"
    assert [line.split(maxsplit=1)[1] for line in created.err.splitlines()] == [
        "role name",
        "role with external id",
        "role without external id",
        "role with a wrong external id",
        "object written",
    ]
    stage.deliver(message(name, "a"))
    assert stage.objects(name)["a"] == enveloped("a")


def test_what_is_created_is_shown_and_listed(sluice: Terminal, standing: str) -> None:
    shown = sluice.json("destination", "show", standing)["result"]
    assert (shown["name"], shown["version"], shown["enabled"]) == (standing, 1, True)
    assert shown["verified"]
    assert shown["external_id"].startswith("sluice-")
    assert shown["definition"]["prefix"] == f"{standing}/"
    assert (shown["failures_open"], shown["messages_held"]) == (0, 0)
    assert json.loads(sluice("destination", "show", standing).out) == shown

    listed = {row["name"]: row for row in sluice("destination", "list", "--json").rows}
    assert listed[standing]["external_id"] == shown["external_id"]
    assert f"{standing}\t" in sluice("destination", "list").out


def test_one_that_is_there_is_not_created_again(sluice: Terminal, standing: str, desk: Desk) -> None:
    again = sluice("destination", "create", desk.definition(standing), "--json")
    assert again.status == 1
    assert again.json["faults"][0]["code"] == "EXISTS"
    assert "update" in again.json["faults"][0]["message"]


def test_an_update_is_a_new_version_with_the_same_external_id(
    stage: Stage, sluice: Terminal, acme: str, desk: Desk
) -> None:
    before = sluice.json("destination", "show", acme)["result"]
    changed = desk.definition(acme, storage_class="standard_ia", metadata={"by": "us"})
    assert sluice("destination", "update", changed).out == f"{acme}: stored as version 2, access verified\n"
    after = sluice.json("destination", "show", acme)["result"]
    assert after["version"] == 2
    assert after["external_id"] == before["external_id"]
    stage.deliver(message(acme, "a"))
    found = stage.get(acme, "a")
    assert (found.storage_class, found.metadata["by"]) == ("STANDARD_IA", "us")


@pytest.mark.parametrize("command", ["show", "delete", "enable", "disable", "test", "resume"])
def test_a_destination_that_nobody_made(sluice: Terminal, command: str) -> None:
    done = sluice("destination", command, "nobody", "--json")
    assert done.status == 1
    [fault] = done.json["faults"]
    assert fault["code"] == "MISSING_FILE"
    assert "nobody" in fault["message"]


def test_a_destination_that_nobody_made_cannot_be_updated(sluice: Terminal, desk: Desk) -> None:
    assert sluice("destination", "update", desk.definition("nobody")).status == 1


def test_one_is_deleted_and_made_again_with_another_external_id(
    stage: Stage, sluice: Terminal, acme: str, desk: Desk
) -> None:
    before = sluice.json("destination", "show", acme)["result"]["external_id"]
    assert sluice("destination", "delete", acme).status == 0
    assert sluice("destination", "show", acme).status == 1
    assert acme not in sluice("destination", "list").out

    file = desk.definition(acme)
    refused = sluice("destination", "create", file)
    assert refused.status == 1
    assert before not in refused.err
    desk.customer_changes_trust(acme, sluice.json("access", "trust", "--destination", file)["result"])
    assert sluice("destination", "create", file).out == f"{acme}: stored as version 2, access verified\n"
    stage.deliver(message(acme, "a"))
    assert stage.objects(acme)["a"] == enveloped("a")


def test_without_verification_the_record_says_so(stage: Stage, sluice: Terminal, desk: Desk) -> None:
    name = stage.new_name()
    done = sluice("destination", "create", desk.definition(name), "--no-verify")
    assert done.out == f"{name}: stored as version 1, access not verified\n"
    assert sluice.json("destination", "show", name)["result"]["verified"] is None
    again = sluice("destination", "update", desk.definition(name), "--no-verify", "--json")
    assert again.json["result"]["version"] == 2
    tested = sluice("destination", "test", name, "--json")
    assert tested.status == 1
    assert tested.json["faults"][0]["code"] == "INVALID_CREDENTIALS"


def test_a_test_answers_every_question(sluice: Terminal, standing: str) -> None:
    assert sluice("destination", "test", standing).out == f"{standing}: access is in order\n"
    checks = sluice.json("destination", "test", standing)["result"]
    assert len(checks) == 5
    assert all(check["passed"] and check["text"] for check in checks)


def test_a_test_asks_also_whether_objects_may_be_looked_at(sluice: Terminal, acme: str, desk: Desk) -> None:
    checks = sluice.json("destination", "update", desk.definition(acme, on_existing="keep"))
    assert checks["ok"]
    names = [check["name"] for check in sluice.json("destination", "test", acme)["result"]]
    assert names[-1] == "object looked at"


def test_a_test_finds_that_the_customer_took_the_role_away(stage: Stage, sluice: Terminal, acme: str) -> None:
    stage.cloud.client("iam", account=CUSTOMER).delete_role(RoleName=f"customer-{acme}")
    done = sluice("destination", "test", acme)
    assert done.status == 1
    assert "FAILED role with external id" in done.err


OPEN_TRUST = [
    pytest.param({}, id="no condition"),
    pytest.param({"Condition": {}}, id="an empty condition"),
]


@pytest.mark.parametrize("condition", OPEN_TRUST)
def test_a_role_that_is_open_to_the_confused_deputy_is_refused(
    stage: Stage, sluice: Terminal, desk: Desk, condition: dict[str, object]
) -> None:
    name = stage.new_name()
    file = desk.definition(name)
    good = sluice.json("access", "trust", "--destination", file)["result"]
    [statement] = good["Statement"]
    without = {key: value for key, value in statement.items() if key != "Condition"} | condition
    desk.customer_makes_role(name, good | {"Statement": [without]})

    refused = sluice("destination", "create", file, "--json")

    assert refused.status == 1
    [fault] = refused.json["faults"]
    assert (fault["code"], fault["path"]) == ("INVALID_CREDENTIALS", "role without external id")
    assert "confused deputy" in fault["message"]
    assert "sts:ExternalId" in fault["message"]
    assert json.dumps(good, separators=(",", ":")) in fault["cure"]
    assert sluice("destination", "show", name).status == 1

    desk.customer_changes_trust(name, good)
    assert sluice("destination", "create", file).status == 0


def test_a_role_that_trusts_another_connection_is_refused(
    stage: Stage, sluice: Terminal, standing: str, desk: Desk
) -> None:
    name = stage.new_name()
    theirs = sluice.json("access", "trust", "--destination", standing)["result"]
    desk.customer_makes_role(name, theirs)
    refused = sluice("destination", "create", desk.definition(name), "--json")
    assert refused.json["faults"][0]["path"] == "role with external id"


def test_a_role_that_does_not_trust_us_is_refused(stage: Stage, sluice: Terminal, desk: Desk) -> None:
    name = stage.new_name()
    file = desk.definition(name)
    trust = sluice.json("access", "trust", "--destination", file)["result"]
    trust["Statement"][0]["Principal"]["AWS"] = "arn:aws:iam::999999999999:role/somebody-else"
    desk.customer_makes_role(name, trust)
    assert sluice("destination", "create", file).status == 1


@pytest.mark.parametrize("command", ["create", "update"])
def test_a_foreign_external_id_is_refused(
    stage: Stage, sluice: Terminal, standing: str, desk: Desk, command: str
) -> None:
    name = standing if command == "update" else stage.new_name()
    credentials = {"role_arn": desk.role_arn(name), "external_id": "chosen-by-the-customer"}
    for verify in ([], ["--no-verify"]):
        refused = sluice(
            "destination", command, desk.definition(name, credentials=credentials), "--json", *verify
        )
        assert refused.status == 1
        [fault] = refused.json["faults"]
        assert (fault["code"], fault["path"]) == ("BAD_DEFINITION", "credentials.external_id")
        assert "sluice-" in fault["cure"]


def test_anothers_external_id_is_refused_although_we_issued_it(
    stage: Stage, sluice: Terminal, standing: str, desk: Desk
) -> None:
    name = stage.new_name()
    theirs = sluice.json("destination", "show", standing)["result"]["external_id"]
    credentials = {"role_arn": desk.role_arn(standing), "external_id": theirs}
    refused = sluice("destination", "create", desk.definition(name, credentials=credentials), "--json")
    assert refused.json["faults"][0]["path"] == "credentials.external_id"


def test_the_external_id_that_was_issued_may_be_stated(sluice: Terminal, acme: str, desk: Desk) -> None:
    issued = sluice.json("destination", "show", acme)["result"]["external_id"]
    credentials = {"role_arn": desk.role_arn(acme), "external_id": issued}
    assert sluice("destination", "update", desk.definition(acme, credentials=credentials)).status == 0


def test_a_role_of_a_name_that_we_may_not_assume_is_refused(
    stage: Stage, sluice: Terminal, desk: Desk
) -> None:
    role = {"role_arn": f"arn:aws:iam::{CUSTOMER}:role/administrator"}
    refused = sluice("destination", "create", desk.definition(stage.new_name(), credentials=role), "--json")
    [fault] = refused.json["faults"]
    assert (fault["code"], fault["path"]) == ("INVALID_CREDENTIALS", "role name")
    assert "customer-*" in fault["message"]
    assert stage.calls("AssumeRole") == []


S3_REFUSES = [
    (403, "AccessDenied", "MISSING_PERMISSION"),
    (400, "KMS.DisabledException", "KMS_DENIED"),
    (404, "NoSuchBucket", "INVALID_BUCKET"),
    (301, "PermanentRedirect", "INVALID_BUCKET"),
]


@pytest.mark.parametrize("answer", S3_REFUSES)
def test_what_s3_refuses_is_told_with_what_would_grant_it(
    stage: Stage, sluice: Terminal, standing: str, desk: Desk, answer: tuple[int, str, str]
) -> None:
    status, said, code = answer
    stage.faults.inject(Fault(on=calls_of("PutObject"), effect=refuse(status, said), times=100))
    refused = sluice("destination", "update", desk.definition(standing), "--json")
    assert refused.status == 1
    [fault] = refused.json["faults"]
    assert (fault["code"], fault["path"]) == (code, "object written")
    policy = sluice.json("access", "policy", "--destination", standing)["result"]
    granted = json.dumps(policy, separators=(",", ":")) in fault["cure"]
    assert granted is (code in {"MISSING_PERMISSION", "KMS_DENIED"})
    assert sluice.json("destination", "show", standing)["result"]["version"] == 1


def test_a_bucket_may_be_somebody_elses_and_is_not_written_to_without_its_owner(
    stage: Stage, sluice: Terminal, standing: str, desk: Desk
) -> None:
    stage.faults.inject(Fault(on=calls_of("PutObject"), effect=refuse(403, "AccessDenied")))
    refused = sluice("destination", "update", desk.definition(standing, owner="999999999999"), "--json")
    [fault] = refused.json["faults"]
    assert fault["code"] == "MISSING_PERMISSION"
    assert "is not of account 999999999999" in fault["message"]
    assert len(stage.calls("PutObject")) == 1


def test_a_bucket_that_does_not_exist_is_refused(sluice: Terminal, standing: str, desk: Desk) -> None:
    refused = sluice(
        "destination", "update", desk.definition(standing, bucket="nobody-made-this-one"), "--json"
    )
    assert [fault["code"] for fault in refused.json["faults"]] == ["INVALID_BUCKET"]


def test_a_function_that_dies_while_it_verifies_is_told(
    stage: Stage, sluice: Terminal, standing: str, desk: Desk
) -> None:
    stage.faults.inject(Fault(on=calls_of("AssumeRole"), effect=kill(stage.writer), when="after"))
    done = sluice("destination", "update", desk.definition(standing), "--json")
    assert done.status == 1
    assert not stage.faults.pending
    [fault] = done.json["faults"]
    assert fault["code"] == "UNAVAILABLE"
    assert "Runtime.ExitError" in fault["message"]
    assert sluice.json("destination", "show", standing)["result"]["version"] == 1


def test_what_aws_cannot_answer_now_is_no_refusal_and_says_to_try_again(
    stage: Stage, sluice: Terminal, standing: str
) -> None:
    answer = refuse(400, "RegionDisabledException")
    stage.faults.inject(Fault(on=calls_of("AssumeRole"), effect=answer, times=100))
    done = sluice("destination", "test", standing, "--json")
    assert done.status == 1
    [fault] = done.json["faults"]
    assert fault["code"] == "UNAVAILABLE"
    assert "RegionDisabledException" in fault["message"] + fault["cure"]
    assert "again" in fault["message"] + fault["cure"]


STREAMS: dict[str, Any] = {"kind": "streams", "format": "csv", "key_template": None}


@pytest.fixture
def rows(stage: Stage, sluice: Terminal, desk: Desk) -> str:
    """The name of a destination of streams that is stored, with its access verified."""
    name = stage.new_name()
    file = desk.definition(name, **STREAMS)
    desk.customer_makes_role(name, sluice.json("access", "trust", "--destination", file)["result"])
    sluice.json("destination", "create", file)
    return name


def test_a_destination_of_streams_is_verified_by_who_writes_its_files(
    stage: Stage, sluice: Terminal, rows: str
) -> None:
    checks = sluice.json("destination", "test", rows)["result"]
    assert [check["name"] for check in checks[4:]] == [
        "bucket",
        "object written",
        "object written in parts",
        "upload given up",
        "object listed",
        "object read",
        "object removed",
    ]
    assert stage.objects(rows) == {}
    shown = sluice.json("destination", "show", rows)["result"]
    assert (shown["kind"], shown["definition"]["format"]) == ("streams", "csv")
    assert "messages_held" not in shown


def test_what_streams_lack_is_told_with_what_would_grant_it(
    stage: Stage, sluice: Terminal, rows: str
) -> None:
    refused = refuse(403, "AccessDenied")
    stage.faults.inject(Fault(on=calls_of("ListObjectsV2"), effect=refused, times=9))
    done = sluice("destination", "test", rows, "--json")
    [fault] = done.json["faults"]
    assert (fault["code"], fault["path"]) == ("MISSING_PERMISSION", "object listed")
    assert "s3:ListBucket" in fault["message"]
    assert '"Sid":"ListFiles"' in fault["cure"]
    assert stage.objects(rows) == {}


def test_a_role_that_trusts_the_writer_of_messages_does_not_do_for_streams(
    sluice: Terminal, standing: str, desk: Desk, rows: str
) -> None:
    trust = sluice.json("access", "trust", "--destination", standing)["result"]
    desk.customer_changes_trust(rows, trust)
    done = sluice("destination", "test", rows, "--json")
    assert [fault["path"] for fault in done.json["faults"]] == ["role with external id"]


def test_streams_that_are_disabled_wait_and_are_delivered_once_enabled(sluice: Terminal, rows: str) -> None:
    disabled = sluice("destination", "disable", rows)
    assert "runs are taken in, and wait" in disabled.out
    assert sluice.json("destination", "show", rows)["result"]["enabled"] is False
    for command in ("enable", "resume"):
        assert "runs that waited are delivered by themselves" in sluice("destination", command, rows).out


def test_a_destination_keeps_its_kind(sluice: Terminal, standing: str, desk: Desk) -> None:
    done = sluice("destination", "update", desk.definition(standing, **STREAMS), "--json")
    assert [(fault["path"], fault["code"]) for fault in done.json["faults"]] == [("kind", "BAD_DEFINITION")]


def test_null_in_a_definition_of_yaml_is_stored_as_its_name(
    stage: Stage, sluice: Terminal, desk: Desk
) -> None:
    file = desk.definition(stage.new_name(), **STREAMS, delimited={"header": False})
    text = Path(file).read_text().replace('"header": false', 'null: "NULL"')
    assert sluice("destination", "create", "-", "--no-verify", given=text).status == 0


def test_a_definition_with_faults_is_not_stored(sluice: Terminal, stage: Stage, desk: Desk) -> None:
    name = stage.new_name()
    done = sluice(
        "destination", "create", desk.definition(name, bucket="NO", key_template="time.yaer"), "--json"
    )
    assert done.status == 1
    assert [fault["path"] for fault in done.json["faults"]] == ["bucket", "key_template"]
    assert sluice("destination", "show", name).status == 1


def test_a_definition_comes_from_standard_input(sluice: Terminal, acme: str, desk: Desk) -> None:
    file = desk.definition(acme)
    with open(file, "rb") as definition:  # noqa: PTH123 - one line
        assert sluice("destination", "update", "-", given=definition.read()).status == 0


def test_a_definition_that_is_not_there(sluice: Terminal) -> None:
    for command in ("create", "update"):
        done = sluice("destination", command, "no-such.yaml", "--json")
        assert done.status == 1
        assert [(fault["code"], fault["path"]) for fault in done.json["faults"]] == [
            ("MISSING_FILE", "no-such.yaml")
        ]
