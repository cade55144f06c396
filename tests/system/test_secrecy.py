"""What must never be in a log: a payload, a value of metadata, a credential. Canaries are sent, and looked for."""

import json

import pytest

from functions.core.outgoing import MAX_BYTES, Outgoing
from local.faults import Fault, calls_of, hang_up, refuse
from tests.system import scenarios
from tests.system.stage import EXTERNAL_ID, Stage, message

PAYLOAD, METADATA, HEADER = "canary-in-payload", "canary-in-metadata", "canary-in-definition"
KEYS = {
    "access_key_id": "AKIACANARYCANARYCANA",
    "secret_access_key": "canary/secret/access/key",
    "session_token": "canary+session+token",
}


def test_no_canary_is_in_any_log_whatever_becomes_of_the_message(stage: Stage) -> None:
    before = len(stage.log())
    for destination in _destinations(stage):
        stage.send(*_messages(destination))
        stage.deployment.sender().send([_offloaded(destination)])
        while stage.mapping.poll_once():
            pass
    stage.faults.clear()
    for name in (stage.destination(**_with_keys(stage)), stage.destination()):
        stored = stage.deployment.ports.definitions.current(name)
        stage.faults.inject(Fault(on=calls_of("PutObject"), effect=refuse(503, "SlowDown"), times=99))
        with pytest.raises(Exception, match="try again"):
            stage.deployment.ask(
                {"stored": stored, "role_arn": stage.deployment.role_arn("messages")}, kind="messages"
            )
        stage.faults.clear()

    logged = stage.log()[before:]

    assert "message failed" in logged
    assert "messages delayed" in logged
    assert "MessagesDelivered" in logged
    own = stage.writer.settings.variables
    secrets = [PAYLOAD, METADATA, HEADER, *KEYS.values(), own["AWS_SECRET_ACCESS_KEY"], EXTERNAL_ID]
    assert [secret for secret in secrets if secret in logged] == []


def test_no_canary_is_in_a_failures_record(stage: Stage) -> None:
    destination = stage.destination(
        key_template=f'data."{PAYLOAD}" || metadata.topic', on_existing="overwrite"
    )
    stage.deliver(*_messages(destination))
    texts = [failure.text for name in (destination, "_") for failure in stage.failures(name)]
    assert texts
    assert [text for text in texts if PAYLOAD in text or METADATA in text] == []


def _destinations(stage: Stage) -> list[str]:
    """One of every fate; the last two are refused and left waiting by S3."""
    refused, waiting = stage.destination(), stage.destination()
    for name, effect in ((refused, refuse(403, "AccessDenied")), (waiting, hang_up())):
        place = calls_of("PutObject", f"{stage.bucket}/{name}/")
        stage.faults.inject(Fault(on=place, effect=effect, times=99))
    return [
        refused,
        waiting,
        stage.destination(metadata={"own": HEADER}),
        stage.destination(enabled=False),
        stage.destination(on_existing="keep"),
        stage.destination(key_template="data.key", on_existing="overwrite"),
        stage.destination(key_template="join('/', [data.text, data.list])", on_existing="overwrite"),
        stage.destination(key_template="to_number(data.text)", on_existing="overwrite"),
        stage.destination(**_with_keys(stage)),
        "nobody",
    ]


def _with_keys(stage: Stage) -> dict[str, object]:
    secret = scenarios.store_keys(stage, KEYS)
    return {"credentials": dict.fromkeys(KEYS, "****"), "secret_arn": secret}


def _messages(destination: str) -> list[str]:
    data = {"text": PAYLOAD, "list": [PAYLOAD], PAYLOAD: {PAYLOAD: PAYLOAD}}
    good = message(destination, "a", data=data, metadata={"name": METADATA}, topic="t")
    return [
        good,
        message(destination, "b", data=data | {"key": f"../{PAYLOAD}"}),
        message(destination, "c", data=data | {"key": f"{PAYLOAD}\n"}),
        message(destination, "d", data=data | {"key": [PAYLOAD]}),
        message(destination, "e", data=data, metadata={"name": METADATA * 200}),
        message(destination, "f", data=data, metadata={"name": f"{METADATA}\r\n"}),
        message(destination, "g", data=data, metadata={"name": 1, "other": METADATA}),
        message(destination, "h", data=data, time=PAYLOAD),
        message(destination, "i", data=data, topic={"not": METADATA}),
        message(destination, "j", data=[PAYLOAD]),
        message(destination, "k", data=PAYLOAD),
        good[:-1],
        good.replace('"text"', "text"),
        json.dumps([PAYLOAD, {METADATA: PAYLOAD}]),
        json.dumps(
            [
                "software.amazon.payloadoffloading.PayloadS3Pointer",
                {"s3BucketName": PAYLOAD, "s3Key": PAYLOAD},
            ]
        ),
        PAYLOAD,
    ]


def _offloaded(destination: str) -> Outgoing:
    return Outgoing(body=message(destination, "z", data={"text": PAYLOAD * (MAX_BYTES // 10)}), group="x")
