"""`sluice local`: the embedded cloud is held up by a process of its own, and everybody else is its client."""

import errno
import json
import shlex
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest

from tests.cli.terminal import Terminal

CUSTOMERS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "secret"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal of a user who has no other embedded cloud."""
    terminal = Terminal({"XDG_RUNTIME_DIR": str(tmp_path)})
    yield terminal
    terminal("local", "down")


def test_it_is_down_where_nobody_called_it_up(here: Terminal) -> None:
    assert here("local", "status").out == "it is not up: sluice local up\n"
    assert here.json("local", "status")["result"] == {"up": False}
    assert here("local", "down").out == "it was not up\n"
    done = here("destination", "list", "--local")
    assert done.status == 1
    assert "sluice local up" in done.err


@pytest.mark.slow
def test_it_is_up_until_it_is_called_down_and_works_meanwhile(here: Terminal, tmp_path: Path) -> None:
    environment = called_up(here)
    refused = here("local", "up", "--json")
    assert refused.status == 1
    assert "sluice local down" in refused.json["faults"][0]["message"]
    status = here.json("local", "status")["result"]
    assert (status["up"], bool(status["MessagesQueueUrl"])) == (True, True)
    assert here("local", "status").out.startswith("up, process ")

    assert delivered(here, environment, tmp_path) == b'{"data": {"n": 1.0}}'

    assert here("local", "down").out == "it is down\n"
    assert not listening(environment["AWS_ENDPOINT_URL"])
    assert here("local", "down").out == "it was not up\n"


def called_up(here: Terminal) -> Mapping[str, str]:
    """What `local up` prints for other clients."""
    done = here("local", "up", "--name", "sluice-kept")
    assert done.status == 0, done.err
    exported = [line.removeprefix("export ") for line in done.out.splitlines()]
    return dict(shlex.split(line)[0].split("=", 1) for line in exported)


def delivered(here: Terminal, environment: Mapping[str, str], folder: Path) -> bytes:
    """The object that a message becomes by itself, in a bucket that another client has made."""
    session = boto3.Session(
        CUSTOMERS["access_key_id"], CUSTOMERS["secret_access_key"], region_name=environment["AWS_REGION"]
    )
    s3 = session.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"])
    s3.create_bucket(Bucket="kept-landing")
    definition = {
        "name": "kept",
        "kind": "messages",
        "bucket": "kept-landing",
        "credentials": CUSTOMERS,
        "key_template": 'metadata."event-id"',
    }
    (folder / "kept.json").write_text(json.dumps(definition))
    assert here("destination", "create", str(folder / "kept.json"), "--local").status == 0
    line = '{"id": "a", "data": {"n": 1.0}}'
    assert here("send", "--destination", "kept", "--local", given=line).status == 0
    waiter = s3.get_waiter("object_exists")
    waiter.wait(Bucket="kept-landing", Key="a", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    found: bytes = s3.get_object(Bucket="kept-landing", Key="a")["Body"].read()
    return found


def listening(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) != errno.ECONNREFUSED
