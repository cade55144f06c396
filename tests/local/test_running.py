import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from local import running
from local.running import LocalCloudError, Running


@pytest.fixture(autouse=True)
def own_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "sluice"


@pytest.fixture
def up() -> Iterator[Running]:
    yield running.up(name="sluice")
    running.down()


def test_nothing_is_up_at_first() -> None:
    assert running.status() is None
    assert running.down() is None


@pytest.mark.slow
def test_it_is_up_once_reachable_and_down_when_told(up: Running, own_directory: Path) -> None:
    assert running.status() == up
    session = boto3.Session(
        up.environment["AWS_ACCESS_KEY_ID"],
        up.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=up.environment["AWS_REGION"],
    )
    cloudformation = session.client("cloudformation", endpoint_url=up.environment["AWS_ENDPOINT_URL"])
    [stack] = cloudformation.describe_stacks(StackName="sluice")["Stacks"]
    told = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert up.outputs.items() <= told.items()
    assert up.outputs["MessageWriterRoleArn"].endswith("role/sluice-message-writer")
    assert Path(up.logs).parent == own_directory

    with pytest.raises(LocalCloudError, match="it is up; `sluice local down` ends it"):
        running.up(name="second")

    assert running.down() == up
    assert running.status() is None
    assert not (own_directory / "state.json").exists()


@pytest.mark.slow
def test_what_prevents_the_start_is_said_in_one_line() -> None:
    with pytest.raises(LocalCloudError, match="did not start: context `name`: Expected"):
        running.up(name="No Name")


def test_a_state_that_a_crash_left_behind_deceives_nobody(own_directory: Path) -> None:
    left = {"pid": os.getpid(), "name": "sluice", "environment": {}, "outputs": {}, "logs": ""}
    running.directory()
    (own_directory / "state.json").write_text(json.dumps(left))
    assert running.status() is None


def test_while_one_starts_another_does_not() -> None:
    with running.held_up():
        assert running.status() is None
        with pytest.raises(LocalCloudError, match="it is up"):
            running.up(name="sluice")


def test_the_directory_is_the_users_own(own_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert running.directory() == own_directory
    assert own_directory.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(LocalCloudError, match="belongs to another user"):
        running.directory()
