"""What a batch can be about: each sets the stage, sends its messages, and says how all must end."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cli.resending import send_again
from functions.core.errors import Code
from functions.core.failures import State
from functions.core.outgoing import MAX_BYTES, Outgoing
from local.faults import Fault, calls_of, refuse
from tests.system.stage import Kept, Seen, Stage, enveloped, message

BY_NAME = "join('', [data.name])"
"""A template that gives no key for a message whose payload has no name."""


@dataclass(frozen=True, kw_only=True)
class Play:
    """A scenario whose messages are in the queue: for whom they are, and what must have come of them in the end."""

    destination: str
    end: Seen


Scenario = Callable[[Stage], Play]


def delivered(stage: Stage) -> Play:
    """Three messages, three objects."""
    destination = stage.destination()
    stage.send(*(message(destination, each) for each in "abc"))
    return Play(destination=destination, end=Seen(objects={each: enveloped(each) for each in "abc"}))


def failing(stage: Stage) -> Play:
    """Two messages, and between them one that gives no key."""
    destination = stage.destination(key_template=BY_NAME, on_existing="overwrite")
    first, second = (message(destination, each, data={"name": each}) for each in "ac")
    bad = message(destination, "b", data={})
    stage.send(first, bad, second)
    kept = Kept(state=State.OPEN, code=Code.BAD_KEY, body=bad.encode())
    objects = {each: b'{"data": {"name": "%s"}}' % each.encode() for each in "ac"}
    return Play(destination=destination, end=Seen(objects=objects, failures=(kept,)))


def failing_again(stage: Stage) -> Play:
    """A failure whose message is sent again although nothing was mended."""
    destination, bad = _failed(stage)
    send_again(stage.deployment, stage.failures(destination))
    kept = Kept(state=State.OPEN, code=Code.BAD_KEY, body=bad.encode())
    return Play(destination=destination, end=Seen(failures=(kept,)))


def retried(stage: Stage) -> Play:
    """A failure whose message is sent again once its definition is mended."""
    destination, bad = _failed(stage)
    stage.define(destination)
    send_again(stage.deployment, stage.failures(destination))
    kept = Kept(state=State.RESOLVED, code=Code.BAD_KEY, body=bad.encode())
    return Play(destination=destination, end=Seen(objects={"x": b'{"data": {}}'}, failures=(kept,)))


def held(stage: Stage) -> Play:
    """Two messages for a destination that is disabled."""
    destination = stage.destination(enabled=False)
    bodies = [message(destination, each) for each in "ab"]
    stage.send(*bodies)
    kept = tuple(Kept(state=State.HELD, code=None, body=body.encode()) for body in bodies)
    return Play(destination=destination, end=Seen(held=kept))


def created(stage: Stage) -> Play:
    """Two messages for a destination that never replaces an object."""
    destination = stage.destination(on_existing="keep")
    stage.send(*(message(destination, each) for each in "ab"))
    return Play(destination=destination, end=Seen(objects={each: enveloped(each) for each in "ab"}))


def occupied(stage: Stage) -> Play:
    """A message for a destination that never replaces an object, under whose key another one is."""
    destination = stage.destination(on_existing="keep")
    stage.put(destination, "a", b"the customer's own")
    body = message(destination, "a")
    stage.send(body)
    kept = Kept(state=State.OPEN, code=Code.EXISTS, body=body.encode())
    return Play(destination=destination, end=Seen(objects={"a": b"the customer's own"}, failures=(kept,)))


def with_keys(stage: Stage) -> Play:
    """A message for a destination with access keys."""
    secret = store_keys(stage, KEYS)
    destination = stage.destination(credentials=dict.fromkeys(KEYS, "****"), secret_arn=secret)
    stage.send(message(destination, "a"))
    return Play(destination=destination, end=Seen(objects={"a": enveloped("a")}))


def offloaded(stage: Stage) -> Play:
    """A message larger than SQS takes, behind a pointer."""
    destination = stage.destination()
    large = {"text": "x" * MAX_BYTES}
    stage.deployment.sender().send([Outgoing(body=message(destination, "a", data=large), group=destination)])
    body = b'{"data": ' + json.dumps(large).encode() + b"}"
    return Play(destination=destination, end=Seen(objects={"a": body}))


def delayed(stage: Stage) -> Play:
    """A message whose first write S3 puts off, so that it is to come back later."""
    destination = stage.destination()
    stage.send(message(destination, "a"))
    later = refuse(400, "RequestTimeout")
    stage.faults.inject(Fault(on=calls_of("PutObject", f"{stage.bucket}/{destination}/"), effect=later))
    return Play(destination=destination, end=Seen(objects={"a": enveloped("a")}))


def store_keys(stage: Stage, keys: Mapping[str, str]) -> str:
    """A new secret that holds these keys; gives its ARN."""
    created = stage.cloud.client("secretsmanager").create_secret(
        Name=f"{stage.deployment.secret_prefix}{secrets.token_hex(8)}", SecretString=json.dumps(keys)
    )
    return str(created["ARN"])


KEYS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG"}


def _failed(stage: Stage) -> tuple[str, str]:
    """A destination with one failure, whose message gave no key; and that message."""
    destination = stage.destination(key_template=BY_NAME, on_existing="overwrite")
    bad = message(destination, "x", data={})
    stage.deliver(bad)
    assert [each.code for each in stage.failures(destination)] == [Code.BAD_KEY]
    return destination, bad
