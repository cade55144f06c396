"""All hostile rows and ends of the table in one batch with good ones: each has its outcome, none has another's."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow.parquet as pq
import pytest

from functions.core.failures import Failure, State
from functions.core.runs import Run, RunState
from tests.system.stage import NOTHING_WAITS, Seen
from tests.system.stream_hostile import REFUSED, RUNS, Refused, RunCase
from tests.system.stream_stage import Streams, done, end, file_of, lines, rows


@dataclass(frozen=True)
class Batch:
    """What was sent: of each refused case the body, the destination and SQS's id; of each run the destination."""

    refused: Mapping[str, tuple[str, str, str]]
    destinations: Mapping[str, str]
    neighbour: str
    runs: Mapping[str, Mapping[str, Run]]
    objects: Mapping[str, Mapping[str, bytes]]
    logged: list[str]

    def run(self, case: RunCase) -> Run:
        """The run that the ledger has of this case."""
        return self.runs[self.destinations[case.name]][json.loads(case.run)]


@pytest.fixture(scope="session")
def batch(shared_streams: Streams) -> Batch:
    streams = shared_streams
    streams.stage.tidy()
    streams.forget_runs()
    logs = [mapping.function.settings.log for mapping in (streams.stager, streams.file_writer)]
    before = [len(log.read_text()) if log.exists() else 0 for log in logs]
    neighbour, other = streams.destination(), streams.destination()
    made: dict[str, str] = {}
    refused: dict[str, tuple[str, str, str]] = {}
    streams.send(rows(neighbour, "good", 0, {"n": 0}))
    for case in REFUSED:
        body = case.body.replace("§", other)
        refused[case.name] = (body, other, streams.send(body)[0])
    for run in RUNS:
        definition = json.dumps(run.definition)
        made[definition] = made.get(definition) or streams.destination(**run.definition)
        streams.send(*run.bodies(made[definition]))
    streams.send(rows(neighbour, "good", 1, {"n": 1}), end(neighbour, "good", batches=2))
    done(streams.stager)
    while streams.tasks():
        done(streams.file_writer)
    assert streams.waiting() == NOTHING_WAITS
    keys = [
        call.parameters["Key"]["pk"]["S"] for call in streams.stage.faults.calls if call.action == "GetItem"
    ]
    assert max(len(key.encode()) for key in keys) < 2048, "DynamoDB refuses such a key, and moto does not"
    return Batch(
        refused=refused,
        destinations={run.name: made[json.dumps(run.definition)] for run in RUNS},
        neighbour=neighbour,
        runs={name: {run.stream_run_id: run for run in streams.runs.of(name)} for name in made.values()},
        objects={name: streams.objects(name) for name in made.values()},
        logged=[log.read_text()[start:] for log, start in zip(logs, before, strict=True)],
    )


@pytest.fixture
def streams(shared_streams: Streams) -> Streams:
    """As they are: all has been done, and is only looked at."""
    return shared_streams


def test_the_good_run_among_them_is_delivered(streams: Streams, batch: Batch) -> None:
    assert streams.seen(batch.neighbour) == Seen(objects={file_of("good"): lines({"n": 0}, {"n": 1})})


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_it_is_kept_as_it_came_and_the_failure_says_why(
    streams: Streams, batch: Batch, case: Refused
) -> None:
    body, destination, message_id = batch.refused[case.name]
    failure = streams.stage.failure_of(message_id, connection=destination if case.known else "_")
    said_of(failure, case.code, case.text)
    assert streams.stage.kept_body(failure.id) == body.encode()


@pytest.mark.parametrize("case", [case for case in RUNS if case.code], ids=lambda case: case.name)
def test_a_run_that_cannot_be_delivered_is_one_failure_and_no_file(
    streams: Streams, batch: Batch, case: RunCase
) -> None:
    run = batch.run(case)
    assert (run.state, run.files) == (RunState.FAILED, 0)
    failure = streams.stage.deployment.ports.failures.show(run.id)
    assert failure
    said_of(failure, case.code, case.text)


@pytest.mark.parametrize("case", [case for case in RUNS if case.file is not None], ids=lambda case: case.name)
def test_a_run_that_can_be_delivered_is_the_file_that_it_must_be(batch: Batch, case: RunCase) -> None:
    run = batch.run(case)
    assert (run.state, run.files) == (RunState.DELIVERED, 1)
    destination = batch.destinations[case.name]
    name = run.keys[0].removeprefix(f"{destination}/")
    found = batch.objects[destination][name]
    assert (as_lines(found) if found.startswith(b"PAR1") else found) == case.file
    assert case.key in {None, name}


def test_a_run_that_lacks_a_message_waits_and_no_file_is_there_that_nobody_expects(batch: Batch) -> None:
    waiting = {case.name for case in RUNS if batch.run(case).state is RunState.OPEN}
    assert waiting == {case.name for case in RUNS if case.code is None and case.file is None}
    written = sum(len(found) for found in batch.objects.values())
    assert written == len([case for case in RUNS if case.file is not None])


def test_no_library_complains_in_a_log(batch: Batch) -> None:
    ours = ("{", "REPORT ")
    assert [line for log in batch.logged for line in log.splitlines() if not line.startswith(ours)] == []


def said_of(failure: Failure, code: object, text: str) -> None:
    assert (failure.code, failure.state) == (code, State.OPEN)
    assert re.search(text, failure.text), failure.text
    assert failure.text.isprintable()
    assert len(failure.text) < 300


def as_lines(parquet: bytes) -> bytes:
    return lines(*pq.read_table(io.BytesIO(parquet)).to_pylist())
