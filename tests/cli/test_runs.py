"""`sluice runs`: what was staged of streams, and what became of it."""

from typing import Any

import pytest

from functions.core.runs import Ending, Part, Piece, Run, RunState
from functions.core.streams import StreamContext
from tests.cli.terminal import Terminal
from tests.system.stage import Stage


@pytest.fixture
def acme(stage: Stage) -> str:
    return stage.destination()


def staged(stage: Stage, destination: str, number: int, **fields: Any) -> str:
    """A run of two rows in one message, as `fields` say; its id."""
    name = f"{destination}:{number:032x}"
    run = Run(
        id=name,
        connection_id="shop",
        stream_id="orders",
        stream_name="Orders",
        stream_run_id=f"r{number}",
        created_at=1_760_410_000 + number,
        **fields,
    )
    runs = stage.deployment.ports.runs
    runs.begin(run)
    piece = Piece(offset=0, length=16, rows=2, sequence=0, sent_ms=0, identity=f"{number:032x}")
    part = Part(
        key=f"parts/{number:032x}.jsonl",
        number=0,
        context=StreamContext(stream_name="Orders"),
        pieces=(piece,),
    )
    assert runs.commit(name, part, scope=name) is None
    return name


def test_the_runs_of_a_destination_the_latest_last(sluice: Terminal, stage: Stage, acme: str) -> None:
    later, earlier = staged(stage, acme, 2), staged(stage, acme, 1)
    delivered = staged(stage, acme, 3, state=RunState.DELIVERED)
    listed = sluice("runs", "list", "--destination", acme).out.splitlines()
    assert [line.split("\t")[0] for line in listed] == [earlier, later]
    assert listed[0].split("\t")[1:] == ["open", "Orders", "2025-10-14T02:46:41Z", "2 rows"]
    every = sluice("runs", "list", "--destination", acme, "--all").out.splitlines()
    assert [line.split("\t")[0] for line in every] == [earlier, later, delivered]


def test_a_destination_without_runs_has_none_and_one_that_never_was_is_told(
    sluice: Terminal, acme: str
) -> None:
    assert sluice("runs", "list", "--destination", acme).out == ""
    absent = sluice("runs", "list", "--destination", "nobody")
    assert absent.status == 1
    assert "there is no destination nobody: sluice destination list" in absent.err


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "its end has not come"),
        ({"ending": Ending(batches=3)}, "its end says that it has 3 messages: some have not come"),
        ({"flush": 0}, "it takes rows until its stream is flushed"),
        ({"state": RunState.FAILED}, "see sluice failures show"),
        ({"state": RunState.DELIVERED, "files": 3, "keys": ("a.csv", "b.csv")}, "  and 1 more"),
    ],
)
def test_a_run_says_what_it_waits_for(
    sluice: Terminal, stage: Stage, acme: str, fields: dict[str, Any], said: str
) -> None:
    name = staged(stage, acme, 1, **fields)
    assert said in sluice("runs", "show", name).out
    assert sluice.json("runs", "show", name)["result"]["id"] == name


@pytest.mark.parametrize("name", ["x", f"acme:{'0' * 32}", "../\0", "🦆" * 500])
def test_a_run_that_is_not_there(sluice: Terminal, name: str) -> None:
    done = sluice("runs", "show", name)
    assert done.status == 1
    assert "there is no run" in done.err
