"""Destinations with access keys: the keys are in Secrets Manager, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.faults import Fault, calls_of, refuse
from tests.cli.conftest import Desk
from tests.cli.terminal import Ran, Terminal
from tests.system.stage import Stage, enveloped, message

KEYS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG/EXAMPLEKEY"}
OTHERS = {
    "access_key_id": "AKIAI44QH8DHBEXAMPLE",
    "secret_access_key": "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
}
MASKED = {"access_key_id": "****", "secret_access_key": "****"}


class Vault:
    """What Secrets Manager has."""

    def __init__(self, stage: Stage) -> None:
        self._client = stage.cloud.client("secretsmanager")

    def all_of(self, name: str) -> dict[str, bool]:
        """The ARNs of a destination's secrets, and whether they are to be deleted."""
        pages = self._client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
        return {
            found["ARN"]: "DeletedDate" in found
            for page in pages
            for found in page["SecretList"]
            if found["Name"].startswith(f"sluice-cli/{name}/")
        }

    def value(self, arn: str) -> str:
        """What a secret holds."""
        return str(self._client.get_secret_value(SecretId=arn)["SecretString"])

    def key_of(self, arn: str) -> Any:
        """What encrypts it."""
        return self._client.describe_secret(SecretId=arn)["KmsKeyId"]


@pytest.fixture
def vault(stage: Stage) -> Vault:
    return Vault(stage)


@pytest.fixture
def keyed(stage: Stage, sluice: Terminal, desk: Desk) -> str:
    """The name of a destination with keys."""
    name = stage.new_name()
    assert sluice("destination", "create", desk.definition(name, credentials=KEYS)).status == 0
    return name


def silent(*said: Ran) -> bool:
    """Whether none of the keys was said."""
    text = "".join(each.out + each.err for each in said)
    return not any(key in text for key in (*KEYS.values(), *OTHERS.values()))


def test_keys_are_in_the_vault_and_masked_everywhere_else(
    stage: Stage, sluice: Terminal, desk: Desk, vault: Vault
) -> None:
    name = stage.new_name()
    token = {"session_token": "AQoEXAMPLEH4aoAH0gNCAPy"}
    created = sluice("destination", "create", desk.definition(name, credentials=KEYS | token), "--json")
    shown = sluice("destination", "show", name, "--json")
    listed, tested = sluice("destination", "list", "--json"), sluice("destination", "test", name, "--json")

    assert created.json["ok"]
    assert shown.json["result"]["definition"]["credentials"] == dict.fromkeys(KEYS | token, "****")
    assert silent(created, shown, listed, tested)
    assert token["session_token"] not in created.out + shown.out + listed.out + tested.out
    [(arn, going)] = vault.all_of(name).items()
    assert not going
    assert all(value in vault.value(arn) for value in (KEYS | token).values())
    assert vault.key_of(arn) == stage.cloud.outputs["KeyArn"]
    table = stage.cloud.client("dynamodb").scan(TableName=stage.cloud.outputs["DefinitionsTable"])
    assert not any(value in str(table) for value in KEYS.values())


def test_messages_are_delivered_with_the_keys(stage: Stage, keyed: str) -> None:
    stage.faults.clear()
    stage.deliver(message(keyed, "a"))
    assert stage.objects(keyed)["a"] == enveloped("a")
    [put] = stage.calls("PutObject", containing=f"/{keyed}/a")
    assert put.access_key == KEYS["access_key_id"]
    assert stage.calls("AssumeRole") == []


def test_an_update_with_masked_keys_keeps_them(
    stage: Stage, sluice: Terminal, keyed: str, desk: Desk, vault: Vault
) -> None:
    before = vault.all_of(keyed)
    done = sluice("destination", "update", desk.definition(keyed, credentials=MASKED, metadata={"by": "us"}))
    assert done.status == 0
    assert vault.all_of(keyed) == before
    stage.deliver(message(keyed, "a"))
    assert stage.get(keyed, "a").metadata["by"] == "us"


def test_what_is_shown_can_be_stored_again(sluice: Terminal, keyed: str, desk: Desk, vault: Vault) -> None:
    before = vault.all_of(keyed)
    document = sluice.json("destination", "show", keyed)["result"]["definition"]
    assert sluice("destination", "update", desk.file("shown.json", json.dumps(document))).status == 0
    assert vault.all_of(keyed) == before


def test_an_update_with_new_keys_replaces_the_secret(
    stage: Stage, sluice: Terminal, keyed: str, desk: Desk, vault: Vault
) -> None:
    [old] = vault.all_of(keyed)
    done = sluice("destination", "update", desk.definition(keyed, credentials=OTHERS))
    assert done.status == 0
    assert silent(done)
    found = vault.all_of(keyed)
    assert found.pop(old) is True
    [(new, going)] = found.items()
    assert not going
    assert OTHERS["secret_access_key"] in vault.value(new)
    stage.faults.clear()
    stage.deliver(message(keyed, "a"))
    assert {call.access_key for call in stage.calls("PutObject")} == {OTHERS["access_key_id"]}


MASKED_IN_PART = [
    pytest.param({"secret_access_key": "****"}, id="the secret alone"),
    pytest.param({"access_key_id": "****"}, id="the id alone"),
    pytest.param({"session_token": "****"}, id="the token alone"),
]


@pytest.mark.parametrize("masked", MASKED_IN_PART)
def test_keys_are_masked_all_or_none(
    sluice: Terminal, keyed: str, desk: Desk, masked: dict[str, str]
) -> None:
    done = sluice("destination", "update", desk.definition(keyed, credentials=KEYS | masked), "--json")
    assert done.status == 1
    assert [fault["path"] for fault in done.json["faults"]] == ["credentials"]
    assert silent(done)


def test_masked_keys_need_keys_that_are_stored(stage: Stage, sluice: Terminal, desk: Desk) -> None:
    done = sluice("destination", "create", desk.definition(stage.new_name(), credentials=MASKED), "--json")
    assert done.status == 1
    assert "there are none" in done.json["faults"][0]["message"]


def test_keys_that_are_refused_leave_no_secret_behind(
    stage: Stage, sluice: Terminal, keyed: str, desk: Desk
) -> None:
    vault = Vault(stage)
    for command, name in (("create", stage.new_name()), ("update", keyed)):
        before = vault.all_of(name)
        refused = refuse(403, "InvalidAccessKeyId")
        stage.faults.inject(Fault(on=calls_of("PutObject"), effect=refused, times=9))
        done = sluice("destination", command, desk.definition(name, credentials=OTHERS), "--json")
        assert [fault["code"] for fault in done.json["faults"]] == ["INVALID_CREDENTIALS"]
        assert silent(done)
        assert vault.all_of(name) == before


def test_a_destination_that_gets_a_role_needs_no_secret_any_more(
    stage: Stage, sluice: Terminal, keyed: str, desk: Desk, vault: Vault
) -> None:
    file = desk.definition(keyed)
    desk.customer_makes_role(keyed, sluice.json("access", "trust", "--destination", file)["result"])
    assert sluice("destination", "update", file).status == 0
    assert list(vault.all_of(keyed).values()) == [True]
    stage.deliver(message(keyed, "a"))
    assert stage.objects(keyed)["a"] == enveloped("a")


def test_the_secret_goes_with_its_destination_and_can_be_had_back(
    sluice: Terminal, keyed: str, vault: Vault
) -> None:
    assert sluice("destination", "delete", keyed).status == 0
    assert list(vault.all_of(keyed).values()) == [True]


def test_disabling_and_enabling_keeps_the_keys(
    stage: Stage, sluice: Terminal, keyed: str, vault: Vault
) -> None:
    before = vault.all_of(keyed)
    for command in ("disable", "enable"):
        assert sluice("destination", command, keyed).status == 0
    assert vault.all_of(keyed) == before
    stage.deliver(message(keyed, "a"))
    assert stage.objects(keyed)["a"] == enveloped("a")


def test_a_secret_that_was_deleted_by_hand_is_a_failure_with_its_cure(
    stage: Stage, sluice: Terminal, keyed: str, vault: Vault
) -> None:
    [arn] = vault.all_of(keyed)
    stage.cloud.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    stage.writer.close()
    stage.deliver(message(keyed, "a"))
    [row] = sluice("failures", "list", "--destination", keyed, "--json").rows
    assert row["code"] == "INVALID_CREDENTIALS"
    assert silent(sluice("failures", "show", row["id"]))
    assert sluice("destination", "test", keyed).status == 1


def test_a_faulty_file_does_not_say_its_keys(
    sluice: Terminal, offline: Terminal, stage: Stage, tmp_path: Path
) -> None:
    secret = OTHERS["secret_access_key"]
    faulty = [
        f"name: x\ncredentials: {{access_key_id: short, secret_access_key: {secret}}}\n",
        f"name: x\ncredentials: {{secret_access_key: {secret}, acces_key_id: AKIAI44QH8DHBEXAMPLE}}\n",
        f"name: x\ncredentials: {{access_key_id: AKIAI44QH8DHBEXAMPLE, secret_access_key: '{secret} '}}\n",
        f"name: x\ncredentials: [access_key_id, {secret}\n",
        f"name: x\ncredentials: {{secret_access_key: {{{secret}: 1}}}}\n",
        f"name: x\n  secret_access_key: {secret}\n",
        f"name: x\nsecret_access_key: {secret}\nsecret_access_key: {secret}\n",
        f"name: x\ncredentials: {secret}\n",
    ]
    for number, text in enumerate(faulty):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        for ran in (
            offline("definition", "check", str(file)),
            offline("definition", "check", str(file), "--json"),
            sluice("destination", "create", str(file)),
        ):
            assert ran.status == 1
            assert silent(ran), text
