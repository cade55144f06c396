"""What an operator does while messages come: destinations disabled, enabled, mended, failures sent again."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.core.errors import Code
from tests.cli.terminal import Terminal
from tests.system.stage import CUSTOMER, NOTHING_WAITS, Seen, Stage, enveloped, message, staged


@pytest.fixture
def sluice(stage: Stage) -> Terminal:
    return terminal_of(stage)


def terminal_of(stage: Stage) -> Terminal:
    return Terminal(stage.cloud.environment | {"SLUICE_STACK": stage.cloud.name})


def settle(stage: Stage, seconds: float = 10) -> list[str]:
    """Deliver until nothing waits, what was sent with a delay too; gives the ids that came, in order."""
    came = []
    deadline = time.monotonic() + seconds
    while sum(stage.mapping.waiting().values()):
        assert time.monotonic() < deadline, "messages are left"
        if delivery := stage.mapping.poll_once():
            assert not delivery.failed
            came += [json.loads(record["body"])["id"] for record in delivery.records]
        else:
            time.sleep(0.05)
    return came


def test_what_comes_for_a_disabled_destination_is_held_and_released_in_its_order(
    stage: Stage, sluice: Terminal
) -> None:
    name = stage.destination()
    stage.deliver(message(name, "before"))
    done = sluice("destination", "disable", name)
    assert done.out == f"{name}: disabled, messages are held within 0 seconds\n"

    ids = [f"{number:02d}" for number in reversed(range(60))]  # more than are sent in a second
    for each in ids:
        stage.send(message(name, each))
        time.sleep(0.002)  # SentTimestamp counts milliseconds
    assert not stage.poll().failed
    assert list(stage.objects(name)) == ["before"]
    assert sluice.json("destination", "show", name)["result"]["messages_held"] == 60
    assert sluice("destination", "resume", name).status == 1

    released = sluice("destination", "enable", name)
    assert released.out == f"{name}: enabled, 60 held messages are sent again\n"
    assert settle(stage) == ids
    assert stage.seen(name) == Seen(objects={each: enveloped(each) for each in ["before", *ids]})
    assert sluice.json("destination", "enable", name)["result"]["released"] == 0
    assert stage.waiting() == NOTHING_WAITS


def test_what_was_held_longest_keeps_its_time_and_its_id(stage: Stage, sluice: Terminal) -> None:
    template = "join('_', [time.rfc3339_nano, metadata.\"event-id\"])"
    name = stage.destination(enabled=False, key_template=template)
    [message_id] = stage.send(f'{{"destination_id": "{name}", "data": {{}}}}')
    delivery = stage.poll()
    sent = int(delivery.records[0]["attributes"]["SentTimestamp"])
    time.sleep(0.01)
    assert sluice("destination", "enable", name).status == 0
    while stage.mapping.poll_once() is None:
        time.sleep(0.05)
    [key] = stage.objects(name)
    assert key.endswith(f"{sent % 1000:03d}".rstrip("0") + f"Z_{message_id}")


def test_resume_sends_what_is_still_held(stage: Stage, sluice: Terminal) -> None:
    name = stage.destination(enabled=False)
    stage.deliver(message(name, "a"))
    stage.define(name)
    assert sluice("destination", "resume", name).status == 0
    settle(stage)
    assert stage.seen(name) == Seen(objects={"a": enveloped("a")})


def test_a_disabled_destination_is_enabled_by_its_file(
    stage: Stage, sluice: Terminal, tmp_path: Path
) -> None:
    name = stage.destination(enabled=False)
    stage.deliver(message(name, "a"))
    stored = sluice.json("destination", "show", name)["result"]["definition"]
    file = tmp_path / "definition.json"
    del stored["enabled"]
    file.write_text(json.dumps(stored))
    assert sluice("destination", "update", str(file), "--no-verify").status == 0
    assert stage.objects(name) == {}
    file.write_text(json.dumps(stored | {"enabled": True}))
    assert sluice("destination", "update", str(file), "--no-verify").status == 0
    settle(stage)
    assert stage.seen(name) == Seen(objects={"a": enveloped("a")})


def test_a_retried_failure_that_is_held_meanwhile_is_resolved_when_it_is_delivered(
    stage: Stage, sluice: Terminal
) -> None:
    name = stage.destination(key_template="data.name", on_existing="overwrite")
    stage.deliver(message(name, "a", data={}))
    stage.define(name, enabled=False)
    assert sluice("failures", "retry", "--destination", name).status == 0
    settle(stage)
    assert stage.objects(name) == {}
    assert sluice("destination", "enable", name).status == 0
    settle(stage)
    assert stage.objects(name) == {"a": b'{"data": {}}'}
    assert [each.state.value for each in stage.failures(name)] == ["resolved"]


def test_a_message_for_nobody_that_is_held_meanwhile_is_resolved_when_it_is_delivered(
    stage: Stage, sluice: Terminal
) -> None:
    name = stage.new_name()
    [message_id] = stage.send(message(name, "a"))
    assert not stage.poll().failed
    failure = stage.failure_of(message_id, connection="_")
    stage.define(name, enabled=False)
    stage.writer.close()  # an unknown destination is not looked for again at once
    assert sluice("failures", "retry", failure.id).status == 0
    settle(stage)
    assert sluice("destination", "enable", name).status == 0
    settle(stage)
    assert stage.objects(name) == {"a": enveloped("a")}
    assert stage.failure_of(message_id, connection="_").state.value == "resolved"


def test_the_template_is_mended_and_the_failures_are_sent_again(
    stage: Stage, sluice: Terminal, tmp_path: Path
) -> None:
    name = stage.new_name()
    document = {
        "name": name,
        "kind": "messages",
        "bucket": stage.bucket,
        "prefix": f"{name}/",
        "credentials": {"role_arn": f"arn:aws:iam::{CUSTOMER}:role/sluice-{name}"},
        "key_template": "join('/', [data.kind, metadata.\"event-id\"])",
    }
    file = tmp_path / "definition.json"
    file.write_text(json.dumps(document))
    trust = sluice("access", "trust", "--destination", str(file)).out
    iam = stage.cloud.client("iam", account=CUSTOMER)
    iam.create_role(RoleName=f"sluice-{name}", AssumeRolePolicyDocument=trust)
    assert sluice("destination", "create", str(file)).status == 0

    lines = [{"id": "a", "data": {"kind": "k"}}, {"id": "b", "data": {}}, {"id": "c", "data": {}}]
    assert sluice("send", "--destination", name, given="\n".join(map(json.dumps, lines))).status == 0
    settle(stage)
    assert [each.code for each in stage.failures(name)] == [Code.BAD_KEY] * 2
    assert set(stage.objects(name)) == {".sluice-test", "k/a"}

    mended = document | {"key_template": "join('/', [data.kind || 'none', metadata.\"event-id\"])"}
    file.write_text(json.dumps(mended))
    assert sluice("destination", "update", str(file)).status == 0
    assert sluice("failures", "retry", "--destination", name).out == "2 message(s) sent again\n"
    settle(stage)
    assert set(stage.objects(name)) == {".sluice-test", "k/a", "none/b", "none/c"}
    assert [each.state.value for each in stage.failures(name)] == ["resolved"] * 2
    assert sluice("failures", "list", "--destination", name).out == ""


def test_an_object_in_the_way_is_replaced_once_the_operator_says_so(
    stage: Stage, sluice: Terminal, tmp_path: Path
) -> None:
    name = stage.destination(on_existing="keep")
    stage.put(name, "a", b"the customer's own")
    stage.deliver(message(name, "a"))
    [failure] = stage.failures(name)
    assert failure.code == Code.EXISTS
    definition = sluice.json("destination", "show", name)["result"]["definition"]
    file = tmp_path / "definition.json"
    file.write_text(json.dumps(definition | {"on_existing": "overwrite"}))
    assert sluice("destination", "update", str(file)).status == 0
    assert sluice("failures", "retry", failure.id).status == 0
    settle(stage)
    assert stage.get(name, "a").body == enveloped("a")
    assert [each.state.value for each in stage.failures(name)] == ["resolved"]


@pytest.fixture(scope="module")
def remembering_stage() -> Iterator[Stage]:
    """A deployment whose functions work with a definition for a while, as all do that are not tests."""
    with staged("sluice-remembers", definition_max_age_seconds=2) as stage:
        yield stage


@pytest.mark.slow
def test_what_is_held_after_it_was_enabled_is_not_forgotten(remembering_stage: Stage) -> None:
    """A function goes on holding for as long as it may work with the definition that it knows."""
    stage = remembering_stage
    sluice = terminal_of(stage)
    name = stage.destination(enabled=False)
    stage.deliver(message(name, "a"))
    assert sluice("destination", "enable", name).status == 0
    stage.send(message(name, "b"))
    settle(stage)
    assert stage.seen(name) == Seen(objects={each: enveloped(each) for each in "ab"})


@pytest.mark.slow
def test_failures_are_not_sent_before_every_function_knows_the_mended_definition(
    remembering_stage: Stage, tmp_path: Path
) -> None:
    stage = remembering_stage
    sluice = terminal_of(stage)
    name = stage.destination(key_template="data.name", on_existing="overwrite")
    stage.deliver(message(name, "a", data={}))
    definition = sluice.json("destination", "show", name)["result"]["definition"]
    file = tmp_path / "definition.json"
    file.write_text(json.dumps(definition | {"key_template": 'metadata."event-id"'}))
    assert sluice("destination", "update", str(file), "--no-verify").status == 0
    assert sluice("failures", "retry", "--destination", name).status == 0
    settle(stage)
    assert stage.objects(name) == {"a": b'{"data": {}}'}
    [failure] = stage.failures(name)
    assert (failure.state.value, failure.attempts) == ("resolved", 1)
