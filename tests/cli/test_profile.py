"""`sluice profile`: what is kept of somebody is shown, and erased with all events."""

import gzip
import json
from typing import Any

import pytest

from functions.adapters.profiles import ProfileBook
from functions.core.chunks import Change
from functions.core.digests import digest
from functions.core.event_groups import hour_of
from functions.core.events.fields import DataType
from functions.core.profiles import Origin
from tests.cli.terminal import Terminal
from tests.system.stage import Stage


class Projects:
    """Projects of the deployment, each used by one test."""

    def __init__(self, stage: Stage) -> None:
        self._deployment = stage.deployment
        self._bucket = stage.deployment.settings.data_bucket
        self._s3 = stage.cloud.client("s3")
        self._number = 7_000_000

    def new(self) -> int:
        """A project without anything."""
        self._number += 1
        return self._number

    def apply(self, project: int, kind: DataType, *rows: dict[str, Any]) -> None:
        """Import these rows."""
        book = ProfileBook(
            self._deployment.clients.get("dynamodb"), table=self._deployment.outputs["ProfilesTable"]
        )
        changes = [Change(number, kind, row) for number, row in enumerate(rows, 1)]
        book.apply(
            f"{project} {kind}", changes, origin=Origin(project=project, key="users/1.json", modified=1)
        )

    def events(self, project: int, *users: str | None) -> str:
        """A part with an event of each of these users, of the same device."""
        key = hour_of(project, seconds=1_760_410_739).key(digest(*map(str, users)))
        lines = [json.dumps({"user_id": user, "device_id": "phone-1"}).encode() + b"\n" for user in users]
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=gzip.compress(b"".join(lines)))
        return key

    def users(self, key: str) -> list[str | None]:
        """Whose events are in a part."""
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return [json.loads(line)["user_id"] for line in gzip.decompress(body).splitlines()]

    def damage(self, key: str) -> None:
        """Make a part what it should not be."""
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=b"no gzip")


@pytest.fixture(scope="session")
def shared_projects(shared_stage: Stage) -> Projects:
    return Projects(shared_stage)


@pytest.fixture
def projects(shared_projects: Projects) -> Projects:
    return shared_projects


def show(sluice: Terminal, project: int, *who: str) -> dict[str, Any]:
    result: dict[str, Any] = sluice.json("profile", "show", "--project", str(project), *who)["result"]
    return result


def ada(project: int, **properties: Any) -> dict[str, Any]:
    return {"user_id": "ada@example.com", "user_properties": properties}


def test_the_properties_of_users_devices_and_groups_are_shown(sluice: Terminal, projects: Projects) -> None:
    project = projects.new()
    device = {"device_id": "phone-1", "user_properties": {"os": "ios"}}
    projects.apply(project, DataType.USER_PROPERTIES, ada(project, plan="gold", n=2), device)
    group = {"groups": {"org": "acme"}, "group_properties": {"size": 9}}
    projects.apply(project, DataType.GROUP_PROPERTIES, group)
    assert show(sluice, project, "--user", "ada@example.com") == {
        "project": project,
        "kind": "user",
        "id": "ada@example.com",
        "properties": {"plan": "gold", "n": 2},
    }
    assert show(sluice, project, "--device", "phone-1")["properties"] == {"os": "ios"}
    shown = show(sluice, project, "--group", "org", "acme")
    assert (shown["group_type"], shown["properties"]) == ("org", {"size": 9})
    text = sluice("profile", "show", "--project", str(project), "--user", "ada@example.com").out
    assert text.splitlines() == [f"user ada@example.com of project {project}", '  "n"\t2', '  "plan"\t"gold"']


def test_a_profile_is_shown_with_the_row_that_wrote_it(sluice: Terminal, projects: Projects) -> None:
    project = projects.new()
    row = ada(project, plan="gold") | {"mutation_type": "INSERT"}
    projects.apply(
        project, DataType.PROFILE, row, row | {"user_id": "bob@example.com", "mutation_type": "DELETE"}
    )
    shown = show(sluice, project, "--profile", "ada@example.com")
    assert (shown["exists"], shown["properties"]) == (True, {"plan": "gold"})
    assert shown["written"] == {"modified": 1, "key": "users/1.json", "record": 1}
    text = sluice("profile", "show", "--project", str(project), "--profile", "bob@example.com").out
    assert text.splitlines()[1:] == ['deleted by record 2 of "users/1.json"']


def test_what_is_not_kept_is_told(sluice: Terminal, projects: Projects) -> None:
    done = sluice("profile", "show", "--project", str(projects.new()), "--user", "nobody\x1b")
    assert done.status == 1
    assert "nothing is kept of user nobody\\x1b" in done.err


@pytest.mark.parametrize("who", [[], ["--user", "ada", "--device", "phone"], ["--group", "org"]])
def test_exactly_one_is_named(offline: Terminal, who: list[str]) -> None:
    assert offline("profile", "show", "--project", "7", *who).status == 2


def test_a_user_is_erased_with_profile_and_events(sluice: Terminal, projects: Projects) -> None:
    project = projects.new()
    projects.apply(project, DataType.USER_PROPERTIES, ada(project, plan="gold"))
    projects.apply(project, DataType.PROFILE, ada(project, plan="gold") | {"mutation_type": "INSERT"})
    keys = [
        projects.events(project, "ada@example.com", "bob@example.com", None),
        projects.events(project, None),
    ]
    erase = ("profile", "erase", "--project", str(project), "--user", "ada@example.com", "--yes")
    result = sluice.json(*erase)["result"]
    assert result == {"properties": True, "parts": 2, "rewritten": 1, "events": 1}
    assert [projects.users(key) for key in keys] == [["bob@example.com", None], [None]]
    for option in ("--user", "--profile"):
        shown = sluice("profile", "show", "--project", str(project), option, "ada@example.com")
        assert shown.status == 1
    assert sluice.json(*erase)["result"] == {"properties": False, "parts": 2, "rewritten": 0, "events": 0}


def test_a_device_is_erased_with_the_events_that_no_user_has(sluice: Terminal, projects: Projects) -> None:
    project = projects.new()
    key = projects.events(project, "ada@example.com", None)
    done = sluice("profile", "erase", "--project", str(project), "--device", "phone-1", "--yes")
    assert done.out == "there were no properties; 1 events are erased from 1 of 1 parts\n"
    assert projects.users(key) == ["ada@example.com"]


def test_nothing_is_erased_before_it_is_confirmed(sluice: Terminal, projects: Projects) -> None:
    project = projects.new()
    key = projects.events(project, "ada@example.com")
    erase = ("profile", "erase", "--project", str(project), "--user", "ada@example.com")
    for answer in ("n\n", ""):
        assert sluice(*erase, given=answer).status == 1
    assert projects.users(key) == ["ada@example.com"]
    assert sluice(*erase, given="y\n").status == 0
    assert projects.users(key) == []


def test_a_part_that_cannot_be_read_is_a_fault(sluice: Terminal, projects: Projects) -> None:
    project = projects.new()
    key = projects.events(project, "ada@example.com")
    projects.damage(key)
    erase = ("profile", "erase", "--project", str(project), "--user", "ada@example.com", "--yes")
    done = sluice(*erase, "--json")
    assert done.status == 1
    [fault] = done.json["faults"]
    assert fault["code"] == "BAD_FILE"
    assert key in f"{fault['path']} {fault['message']}"
    assert sluice(*erase, "--after", key).status == 0
