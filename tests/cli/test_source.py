"""`sluice source`: every step that an operator takes, against a function that verifies for real."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Desk
from tests.cli.terminal import Terminal
from tests.core.source_documents import CONVERTER, SMALLEST
from tests.system.stage import CUSTOMER, Stage


class Yard:
    """A customer's bucket that files appear in, and the definitions of sources that read it."""

    def __init__(self, stage: Stage, desk: Desk) -> None:
        self._desk = desk
        self._s3 = stage.cloud.client("s3", account=CUSTOMER)
        self.stage = stage
        self.name = stage.new_name()
        self.bucket = stage.bucket

    def definition(self, **fields: Any) -> str:
        """The file of a source that is in order; a field that is None is left out."""
        document = SMALLEST | {
            "name": self.name,
            "bucket": self.bucket,
            "prefix": f"{self.name}/",
            "credentials": {"role_arn": self._desk.role_arn(self.name)},
        }
        document = {name: value for name, value in (document | fields).items() if value is not None}
        return self._desk.file(f"{self.name}.json", json.dumps(document))

    def role(self, sluice: Terminal, file: str) -> None:
        """The customer makes the role that trusts us."""
        self._desk.customer_makes_role(self.name, sluice.json("access", "trust", "--source", file)["result"])

    def drop(self, *names: str) -> None:
        """Files appear below the prefix."""
        for name in names:
            self._s3.put_object(Bucket=self.bucket, Key=f"{self.name}/{name}", Body=b"{}\n")

    def rules(self) -> set[str]:
        """The rules by which the bucket notifies a queue of ours."""
        found = self._s3.get_bucket_notification_configuration(Bucket=self.bucket)
        return {each["Id"] for each in found.get("QueueConfigurations", [])}

    def forget_rules(self) -> None:
        """Somebody's tool writes the notifications anew."""
        self._s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={})

    def scans(self, count: int) -> list[str]:
        """The sources of this many scans that were asked for; they come once every function knows of it."""
        queue = self.stage.cloud.outputs["ArrivalsQueueUrl"]
        found: list[str] = []
        while len(found) < count:
            answer = self.stage.cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)
            tasks = [json.loads(each["Body"]) for each in answer["Messages"]]
            found += [each["source_id"] for each in tasks if each.get("task") == "scan"]
        return found


@pytest.fixture
def yard(stage: Stage, desk: Desk) -> Iterator[Yard]:
    yard = Yard(stage, desk)
    yield yard
    yard.forget_rules()


@pytest.fixture
def source(yard: Yard, sluice: Terminal) -> Yard:
    """A source that is stored, with its access verified and its notifications set up."""
    file = yard.definition(notifications=True)
    yard.role(sluice, file)
    sluice.json("source", "create", file)
    return yard


def test_a_source_is_created_once_somebody_agrees_to_what_lies_there(sluice: Terminal, yard: Yard) -> None:
    file = yard.definition(notifications=True)
    refused = sluice("source", "create", file)
    assert refused.status == 1
    assert "FAILED role with external id" in refused.err

    yard.role(sluice, file)
    yard.drop("a.json", "b.json", "c.csv")
    asked = sluice("source", "create", file)
    assert (asked.status, asked.out) == (1, "")
    assert "2 files of 6 bytes lie there already" in asked.err
    assert "--yes" in asked.err
    assert yard.rules() == set()
    assert sluice("source", "show", yard.name).status == 1

    created = sluice("source", "create", file, "--yes")
    assert created.status == 0
    assert created.out == f"{yard.name}: stored as version 1, access verified\n"
    assert [line.split(maxsplit=1)[1] for line in created.err.splitlines() if line.startswith("ok")] == [
        "role name",
        "role with external id",
        "role without external id",
        "role with a wrong external id",
        "files listed",
        "file read",
        "notifications",
        "notifications set up",
    ]
    [rule] = yard.rules()
    assert rule.startswith(f"sluice-{yard.name}-")

    shown = sluice.json("source", "show", yard.name)["result"]
    assert (shown["kind"], shown["definition"]["converter"]) == ("files", CONVERTER)
    assert f"{yard.name}\t{yard.bucket}\tversion 1\tenabled" in sluice("source", "list").out
    assert yard.name not in sluice("destination", "list").out
    again = sluice("source", "create", file, "--json")
    assert [fault["code"] for fault in again.json["faults"]] == ["EXISTS"]


def test_a_converter_may_be_a_file_beside_and_now_is_pinned(
    sluice: Terminal, source: Yard, desk: Desk
) -> None:
    changed = CONVERTER | {"keyValidatorConfig": {"filterPattern": ".*"}}
    desk.file("converter.json", json.dumps(changed))
    file = source.definition(converter="converter.json", start_from="now")
    assert sluice("source", "update", file).out == f"{source.name}: stored as version 2, access verified\n"
    second = sluice.json("source", "show", source.name)["result"]["definition"]
    assert second["converter"] == changed
    assert second["start_from"] > "2026"
    other = desk.file("other.json", json.dumps(CONVERTER))
    assert sluice("source", "update", source.definition(start_from="now"), "--converter", other).status == 0
    third = sluice.json("source", "show", source.name)["result"]["definition"]
    assert (third["converter"], third["start_from"]) == (CONVERTER, second["start_from"])
    assert source.rules() == set()


def test_our_rule_is_missed_set_up_again_and_taken_away(sluice: Terminal, source: Yard) -> None:
    assert sluice("source", "test", source.name).out == f"{source.name}: access is in order\n"
    source.forget_rules()
    missed = sluice("source", "test", source.name, "--json")
    assert [fault["path"] for fault in missed.json["faults"]] == ["notifications there"]
    assert sluice("source", "enable", source.name).status == 0
    assert len(source.rules()) == 1
    deleted = sluice("source", "delete", source.name)
    assert deleted.out == f"{source.name}: deleted, its versions are kept\n"
    assert source.rules() == set()
    assert sluice("source", "show", source.name).status == 1
    assert sluice.json("source", "show", source.name, "--version", "1")["result"]["version"] == 1


def test_a_source_whose_role_is_gone_is_deleted_all_the_same(
    stage: Stage, sluice: Terminal, source: Yard
) -> None:
    stage.cloud.client("iam", account=CUSTOMER).delete_role(RoleName=f"customer-{source.name}")
    done = sluice("source", "delete", source.name)
    assert done.status == 0
    assert "warning: credentials" in done.err


def test_a_source_is_disabled_and_what_waited_is_looked_for(sluice: Terminal, source: Yard) -> None:
    assert "its files wait" in sluice("source", "disable", source.name).out
    resumed = sluice("source", "resume", source.name)
    assert resumed.status == 1
    assert "sluice source enable" in resumed.err
    for command in ("enable", "resume"):
        assert sluice("source", command, source.name).status == 0
    assert source.scans(2) == [source.name] * 2
    assert sluice.json("source", "show", source.name)["result"]["enabled"]


def test_files_are_dropped_into_our_own_bucket_without_credentials(
    stage: Stage, sluice: Terminal, yard: Yard
) -> None:
    file = yard.definition(bucket=None, credentials=None, notifications=True)
    created = sluice("source", "create", file)
    assert created.out == f"{yard.name}: stored as version 1, access verified\n"
    shown = sluice.json("source", "show", yard.name)["result"]
    assert shown["bucket"] == stage.cloud.outputs["DropBucket"]
    assert sluice("source", "test", yard.name).status == 0
    assert sluice("source", "update", yard.definition(bucket=shown["bucket"], credentials=None)).status == 0
    template = sluice("access", "template", "--source", yard.name)
    assert "our own bucket" in template.err
    assert sluice("source", "delete", yard.name).status == 0


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"credentials": None}, "credentials"),
        ({"bucket": "sluice-cli-data"}, "bucket"),
        ({"bucket": "NO"}, "bucket"),
    ],
)
def test_a_bucket_that_is_not_as_its_credentials_say(
    stage: Stage, sluice: Terminal, yard: Yard, fields: dict[str, Any], path: str
) -> None:
    if fields.get("bucket") == "sluice-cli-data":
        fields = {"bucket": stage.cloud.outputs["DataBucket"]}
    done = sluice("source", "create", yard.definition(**fields), "--json")
    assert [fault["path"] for fault in done.json["faults"]] == [path]


@pytest.mark.parametrize("prefix", ["", "{name}/", "{name}/deeper/"])
def test_what_we_write_is_never_imported(
    sluice: Terminal, stage: Stage, yard: Yard, desk: Desk, prefix: str
) -> None:
    destination = stage.new_name()
    prefix = prefix.format(name=destination)
    assert sluice("destination", "create", desk.definition(destination), "--no-verify").status == 0
    refused = sluice("source", "create", yard.definition(prefix=prefix), "--no-verify", "--json")
    [fault] = refused.json["faults"]
    assert (fault["path"], fault["code"]) == ("prefix", "BAD_DEFINITION")
    # Whichever destination it is: an empty prefix meets them all.
    assert "what is written to the destination" in fault["message"]

    assert sluice("source", "create", yard.definition(), "--no-verify").status == 0
    reversed_ = desk.definition(stage.new_name(), prefix=f"{yard.name}/out/")
    refused = sluice("destination", "create", reversed_, "--no-verify", "--json")
    [fault] = refused.json["faults"]
    assert yard.name in fault["message"]
    taken = sluice("destination", "create", desk.definition(yard.name), "--no-verify", "--json")
    assert "a source is called" in taken.json["faults"][0]["message"]
    assert sluice("source", "delete", yard.name).status == 0


def test_without_verification_nothing_is_asked_and_nothing_set_up(sluice: Terminal, yard: Yard) -> None:
    done = sluice("source", "create", yard.definition(notifications=True), "--no-verify")
    assert done.out == f"{yard.name}: stored as version 1, access not verified\n"
    assert "warning: notifications: are not set up" in done.err
    assert yard.rules() == set()


@pytest.mark.parametrize("command", ["show", "delete", "enable", "disable", "test", "resume"])
def test_a_source_that_nobody_made(sluice: Terminal, command: str) -> None:
    done = sluice("source", command, "nobody", "--json")
    assert done.status == 1
    [fault] = done.json["faults"]
    assert (fault["code"], fault["message"]) == (
        "MISSING_FILE",
        "there is no source nobody: sluice source list",
    )


def test_the_access_of_a_source_is_that_of_the_importer(sluice: Terminal, stage: Stage, yard: Yard) -> None:
    file = yard.definition(notifications=True)
    [statement] = sluice.json("access", "trust", "--source", file)["result"]["Statement"]
    assert statement["Principal"] == {"AWS": stage.cloud.outputs["ImporterRoleArn"]}
    policy = json.loads(sluice("access", "policy", "--source", file).out)
    assert [each["Sid"] for each in policy["Statement"]] == ["ListFiles", "ReadFiles", "SetUpNotifications"]
    template = sluice.json("access", "template", "--source", file, "--create-bucket")["result"]
    [attached] = template["Resources"]["Role"]["Properties"]["Policies"]
    assert attached["PolicyName"] == "read-files"
    told = template["Resources"]["Bucket"]["Properties"]["NotificationConfiguration"]
    assert told["QueueConfigurations"][0]["Queue"] == {"Ref": "ArrivalsQueueArn"}
    arrivals = template["Parameters"]["ArrivalsQueueArn"]["Default"]
    assert arrivals == stage.cloud.outputs["ArrivalsQueueArn"]


@pytest.mark.parametrize("options", [(), ("--source", "a", "--destination", "b")])
def test_access_is_of_one_or_the_other(offline: Terminal, options: tuple[str, ...]) -> None:
    assert offline("access", "policy", *options).status == 2


def test_a_source_and_its_converter_are_checked_without_aws(
    offline: Terminal, yard: Yard, desk: Desk
) -> None:
    assert offline("definition", "check", yard.definition()).out == f"{yard.name}: in order\n"
    desk.file("converter.json", json.dumps({"converterConfig": {"fileType": "xml"}}))
    faulty = yard.definition(converter="converter.json", data_type="events")
    done = offline("definition", "check", faulty, "--json")
    assert {fault["path"] for fault in done.json["faults"]} == {
        "data_type",
        "converter.converterConfig.fileType",
        "converter.converterConfig.convertToAmplitudeFunc",
    }
    missing = offline("definition", "check", yard.definition(converter="no-such.json"), "--json")
    [fault] = missing.json["faults"]
    assert (fault["code"], fault["path"]) == ("MISSING_FILE", "converter")
    assert "no-such.json" in fault["message"]


def test_a_source_in_yaml_has_times_and_names_as_yaml_reads_them(offline: Terminal) -> None:
    document = SMALLEST | {
        "converter": {
            "converterConfig": CONVERTER["converterConfig"] | {"fileType": "csv", "csvConfig": "CSV"}
        }
    }
    text = json.dumps(document).replace('"CSV"', "{null: nothing}")
    for start in ("2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01 01:00:00+01:00"):
        given = text[:-1] + f", start_from: {start}}}"
        done = offline("definition", "check", "-", given=given)
        assert (done.status, done.err) == (0, "")


def test_a_source_never_moves_to_another_bucket(sluice: Terminal, source: Yard) -> None:
    elsewhere = source.definition(bucket="another-data", prefix="elsewhere/")
    for command in ("update", "create"):
        done = sluice("source", command, elsewhere, "--no-verify", "--json")
        assert (done.status, done.json["faults"][0]["path"]) == (1, "bucket")
        sluice("source", "delete", source.name)
