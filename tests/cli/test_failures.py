"""`sluice failures`: what could not be delivered is seen, read, sent again or given up."""

import json

import pytest

from tests.cli.terminal import Terminal
from tests.system.scenarios import BY_NAME
from tests.system.stage import Stage, message


@pytest.fixture
def acme(stage: Stage) -> str:
    """A destination with two failures: messages whose payload has no name."""
    name = stage.destination(key_template=BY_NAME, on_existing="overwrite")
    stage.deliver(message(name, "a", data={}), message(name, "b", data={}))
    return name


def ids(stage: Stage, name: str) -> list[str]:
    return [failure.id for failure in stage.failures(name)]


def states(stage: Stage, name: str) -> list[str]:
    return [failure.state.value for failure in stage.failures(name)]


def mend(stage: Stage, name: str) -> None:
    stage.define(name)


def test_failures_are_listed(stage: Stage, sluice: Terminal, acme: str) -> None:
    rows = sluice("failures", "list", "--destination", acme, "--json").rows
    assert sorted(row["id"] for row in rows) == sorted(ids(stage, acme))
    for row in rows:
        assert (row["connection"], row["state"], row["code"]) == (acme, "open", "BAD_KEY")
        assert row["attempts"] == 1
        assert row["text"]
        assert row["resolution"][-1] == f"sluice failures restart {row['id']}"
        assert row["message_id"]
        assert row["first_at"] <= row["last_at"]
    text = sluice("failures", "list", "--destination", acme)
    assert len(text.out.splitlines()) == 2
    assert text.err == ""


def test_failures_are_chosen_by_code(sluice: Terminal, acme: str) -> None:
    listed = ("failures", "list", "--destination", acme, "--json")
    assert len(sluice(*listed, "--code", "BAD_KEY").rows) == 2
    assert sluice(*listed, "--code", "EXISTS").rows == []


def test_failures_of_everybody_are_listed(stage: Stage, sluice: Terminal, acme: str) -> None:
    [message_id] = stage.send("no message at all")
    stage.poll()
    rows = sluice("failures", "list", "--json").rows
    assert set(ids(stage, acme)) <= {row["id"] for row in rows}
    assert message_id in {row["message_id"] for row in rows if row["connection"] == "_"}


def test_failures_of_a_deleted_destination_are_listed_still(
    stage: Stage, sluice: Terminal, acme: str
) -> None:
    """docs/reliability.md: every message ends in its object, in a failure that is listed, or as a dead letter."""
    assert sluice("destination", "delete", acme).status == 0
    assert set(ids(stage, acme)) <= {row["id"] for row in sluice("failures", "list", "--json").rows}


def test_a_failure_is_shown_with_its_cure_and_its_message(stage: Stage, sluice: Terminal, acme: str) -> None:
    failure = stage.failures(acme)[0]
    shown = sluice("failures", "show", failure.id)
    assert shown.status == 0
    assert failure.text in shown.out
    for step in failure.resolution:
        assert step in shown.out
    assert sluice.json("failures", "show", failure.id)["result"]["code"] == "BAD_KEY"
    body = sluice("failures", "show", failure.id, "--body").out
    assert json.loads(body)["destination_id"] == acme
    assert body.encode() == stage.kept_body(failure.id)


def test_a_shown_body_is_a_message_that_the_template_commands_take(
    stage: Stage, sluice: Terminal, acme: str
) -> None:
    """The steps of BAD_KEY, one after the other."""
    [first, _] = ids(stage, acme)
    body = sluice("failures", "show", first, "--body").out
    rendered = sluice("template", "render", 'metadata."event-id"', "--message", "-", given=body)
    assert rendered.out.strip() in {"a", "b"}


@pytest.mark.parametrize("command", ["retry", "restart"])
def test_failures_are_sent_again_and_resolved(
    stage: Stage, sluice: Terminal, acme: str, command: str
) -> None:
    mend(stage, acme)
    sent = sluice.json("failures", command, "--destination", acme)["result"]["sent"]
    assert sorted(sent) == sorted(ids(stage, acme))
    assert not stage.poll().failed
    assert stage.objects(acme) == dict.fromkeys("ab", b'{"data": {}}')
    assert states(stage, acme) == ["resolved", "resolved"]
    assert sluice("failures", "list", "--destination", acme).out == ""
    assert len(sluice("failures", "list", "--destination", acme, "--all", "--json").rows) == 2
    again = sluice.json("failures", command, "--destination", acme)
    assert again["result"] == {"sent": []}


def test_one_failure_is_sent_again_by_its_id(stage: Stage, sluice: Terminal, acme: str) -> None:
    mend(stage, acme)
    first, second = ids(stage, acme)
    assert sluice("failures", "retry", first).out == "1 message(s) sent again\n"
    assert not stage.poll().failed
    assert {each.id: each.state.value for each in stage.failures(acme)} == {
        first: "resolved",
        second: "open",
    }


def test_a_failure_that_is_sent_again_and_fails_again_is_the_same(
    stage: Stage, sluice: Terminal, acme: str
) -> None:
    before = ids(stage, acme)
    sluice("failures", "retry", "--all")
    while delivery := stage.mapping.poll_once():
        assert not delivery.failed
    assert ids(stage, acme) == before
    assert [each.attempts for each in stage.failures(acme)] == [2, 2]


def test_a_message_for_nobody_is_delivered_once_there_is_somebody(stage: Stage, sluice: Terminal) -> None:
    name = stage.new_name()
    [message_id] = stage.send(message(name, "a"))
    stage.poll()
    failure = stage.failure_of(message_id, connection="_")
    stage.define(name)
    stage.writer.close()  # an unknown destination is not looked for again at once
    assert sluice("failures", "retry", failure.id).status == 0
    assert not stage.poll().failed
    assert list(stage.objects(name)) == ["a"]
    assert stage.failure_of(message_id, connection="_").state.value == "resolved"


def test_a_message_without_an_id_of_its_own_is_retried_as_what_it_was(stage: Stage, sluice: Terminal) -> None:
    name = stage.destination(key_template=BY_NAME, on_existing="overwrite")
    [message_id] = stage.send(message(name, data={}))
    stage.poll()
    [failure] = stage.failures(name)
    stage.define(name, key_template="join('_', [time.rfc3339_nano, metadata.\"event-id\"])")
    assert sluice("failures", "retry", failure.id).status == 0
    assert not stage.poll().failed
    [key] = stage.objects(name)
    sent, _, event_id = key.partition("_")
    assert event_id == message_id
    assert sent.startswith(failure.first_at[:10])
    assert stage.get(name, key).metadata["timestamp"] <= failure.first_at


def test_a_message_behind_a_pointer_is_sent_again(stage: Stage, sluice: Terminal) -> None:
    name = stage.destination(key_template=BY_NAME, on_existing="overwrite")
    large = json.dumps({"id": "large", "data": {"text": "x" * 1_200_000}})
    assert sluice("send", "--destination", name, given=large).status == 0
    assert not stage.poll().failed
    [failure] = stage.failures(name)
    mend(stage, name)
    assert sluice("failures", "retry", failure.id).status == 0
    assert not stage.poll().failed
    assert list(stage.objects(name)) == ["large"]
    assert states(stage, name) == ["resolved"]


def test_failures_are_given_up_and_their_messages_kept(stage: Stage, sluice: Terminal, acme: str) -> None:
    first, second = ids(stage, acme)
    assert sluice.json("failures", "skip", first)["result"] == {"skipped": [first]}
    rows = sluice("failures", "list", "--destination", acme, "--json").rows
    assert [row["id"] for row in rows] == [second]
    assert stage.kept_body(first)
    assert sluice("failures", "skip", "--destination", acme, "--code", "BAD_KEY").status == 0
    assert states(stage, acme) == ["skipped", "skipped"]
    assert stage.waiting()["queue"] == 0


@pytest.mark.parametrize(
    ("command", "failure"),
    [
        ("show", "nobody:" + "0" * 32),
        ("show", "nothing"),
        ("show", "_:"),
        ("show", ""),
        ("retry", "nothing"),
        ("restart", "nobody:" + "0" * 32),
        ("skip", "nothing"),
    ],
)
def test_a_failure_that_there_is_not(sluice: Terminal, command: str, failure: str) -> None:
    done = sluice("failures", command, failure, "--json")
    assert done.status == 1
    assert done.json["faults"][0]["code"] == "MISSING_FILE"


@pytest.mark.parametrize("command", ["retry", "restart", "skip"])
def test_failures_must_be_chosen(sluice: Terminal, offline: Terminal, command: str) -> None:
    for terminal in (sluice, offline):  # wrong use is told before a deployment is looked for
        done = terminal("failures", command)
        assert done.status == 2
        assert "--all" in done.err


def test_a_held_message_is_listed_and_shown(stage: Stage, sluice: Terminal) -> None:
    name = stage.destination(enabled=False)
    stage.deliver(body := message(name, "a"))
    [row] = sluice("failures", "list", "--destination", name, "--json").rows
    assert (row["state"], row["resolution"]) == ("held", [f"sluice destination enable {name}"])
    assert sluice("failures", "show", row["id"]).status == 0
    assert sluice("failures", "show", row["id"], "--body").out == body


def test_what_waits_for_a_destination_is_counted(stage: Stage, sluice: Terminal, acme: str) -> None:
    stage.define(acme, enabled=False)
    stage.deliver(message(acme, "c"))
    shown = sluice.json("destination", "show", acme)["result"]
    assert (shown["failures_open"], shown["messages_held"]) == (2, 1)
