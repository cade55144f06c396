import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.aws import Aws
from tests.cli.records_queue import RecordsQueue
from tests.cli.terminal import Terminal
from tests.system.stage import CUSTOMER, Stage, staged


@pytest.fixture(scope="session")
def shared_stage() -> Iterator[Stage]:
    """A deployment of our own name and with a pattern of roles of its own: neither may be taken for granted."""
    with staged("sluice-cli", assume_role_pattern="customer-*") as stage:
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    shared_stage.tidy()
    yield shared_stage
    shared_stage.tidy()


@pytest.fixture
def sluice(shared_stage: Stage) -> Terminal:
    """A terminal whose AWS is the embedded cloud."""
    return Terminal(shared_stage.cloud.environment | {"SLUICE_STACK": shared_stage.cloud.name})


@pytest.fixture
def offline() -> Terminal:
    """A terminal without AWS: without credentials, region and configuration."""
    return Terminal({})


@pytest.fixture(scope="session")
def shared_queue(aws: Aws) -> RecordsQueue:
    return RecordsQueue(aws)


@pytest.fixture
def queue(shared_queue: RecordsQueue) -> RecordsQueue:
    """A queue of records in which nothing waits."""
    shared_queue.bodies()
    return shared_queue


class Desk:
    """Where an operator writes definitions, and calls the customer who deploys what is asked for."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage = stage
        self._folder = folder

    def file(self, name: str, content: str | bytes) -> str:
        """A file with this content."""
        path = self._folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def definition(self, name: str, **fields: Any) -> str:
        """The file of a destination that is in order; a field that is None is left out."""
        document = {
            "name": name,
            "kind": "messages",
            "bucket": self._stage.bucket,
            "prefix": f"{name}/",
            "credentials": {"role_arn": self.role_arn(name)},
            "key_template": 'metadata."event-id"',
        } | fields
        document = {field: value for field, value in document.items() if value is not None}
        return self.file(f"{name}.json", json.dumps(document))

    def role_arn(self, name: str) -> str:
        """The role that the customer has, or will have, for a destination."""
        return f"arn:aws:iam::{CUSTOMER}:role/customer-{name}"

    def customer_makes_role(self, name: str, trust: Any) -> None:
        """The customer makes that role; what it may do is not judged here."""
        iam = self._stage.cloud.client("iam", account=CUSTOMER)
        iam.create_role(RoleName=f"customer-{name}", AssumeRolePolicyDocument=json.dumps(trust))

    def customer_changes_trust(self, name: str, trust: Any) -> None:
        """The customer changes who may assume that role."""
        iam = self._stage.cloud.client("iam", account=CUSTOMER)
        iam.update_assume_role_policy(RoleName=f"customer-{name}", PolicyDocument=json.dumps(trust))


@pytest.fixture
def desk(stage: Stage, tmp_path: Path) -> Desk:
    return Desk(stage, tmp_path)


@pytest.fixture(scope="session")
def standing(shared_stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a destination like `acme`, for tests that leave it as it is."""
    sluice = Terminal(shared_stage.cloud.environment | {"SLUICE_STACK": shared_stage.cloud.name})
    desk = Desk(shared_stage, tmp_path_factory.mktemp("standing"))
    return _made(sluice, desk, "standing")


@pytest.fixture
def acme(stage: Stage, sluice: Terminal, desk: Desk) -> str:
    """The name of a destination that is stored, with its access verified."""
    return _made(sluice, desk, stage.new_name())


def _made(sluice: Terminal, desk: Desk, name: str) -> str:
    file = desk.definition(name)
    desk.customer_makes_role(name, sluice.json("access", "trust", "--destination", file)["result"])
    sluice.json("destination", "create", file)
    return name
