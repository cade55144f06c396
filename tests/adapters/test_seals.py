import msgspec
import pytest

from functions.adapters.intakes import StoredIntake
from functions.adapters.seals import Seals
from functions.core.definitions.intake import Flush, Intake
from functions.core.errors import Code, Transient
from functions.core.runs import Ending, Run, RunState, flush_of, new_run, run_of, stream_of
from functions.core.tasks import parse_task
from tests.core.record_messages import rows
from tests.fakes import Clock, Journal
from tests.memory import FakeSender, MemoryRuns

SLOW = Transient(Code.THROTTLED, "SQS answered ThrottlingException")
ENDED = new_run(rows(), id=run_of(rows()), now=0, flush=None)
FLUSH = new_run(rows(), id=flush_of(stream_of(rows()), 0), now=0, flush=0)
STREAMS = StoredIntake(intake=Intake(kind="streams", flush=Flush()), version=5)


class Sealing:
    """Runs that can be sealed, and the queue that is told."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.runs = MemoryRuns(self.journal)
        self.sender = FakeSender(self.journal)
        self.seals = Seals(self.runs, self.sender, clock=Clock(1_000.9))

    def begun(self, run: Run = ENDED, *, batches: int | None = 0) -> Run:
        """A run that has ended with so many messages, or has not."""
        ending = None if batches is None else Ending(batches=batches)
        return self.runs.begin(msgspec.structs.replace(run, ending=ending))

    def asked(self) -> list[str]:
        """The runs whose delivery was asked for."""
        return [parse_task(message.body.encode()).run_id for message in self.sender.sent]


@pytest.fixture
def sealing() -> Sealing:
    return Sealing()


def test_a_run_that_is_due_is_sealed_and_asked_for(sealing: Sealing) -> None:
    run = sealing.begun()
    assert sealing.seals.seal_if_due(run, STREAMS)
    found = sealing.runs.get(run.id)
    assert found is not None
    assert (found.state, found.version, found.sealed_at) == (RunState.SEALED, 5, 1_000)
    assert sealing.asked() == [run.id]
    assert sealing.sender.sent[0].group == "acme"


def test_a_run_that_is_not_due_is_left_open(sealing: Sealing) -> None:
    assert not sealing.seals.seal_if_due(sealing.begun(batches=1), STREAMS)
    assert not sealing.seals.seal_if_due(sealing.begun(FLUSH, batches=None), STREAMS)
    assert sealing.asked() == []


def test_a_run_that_is_sealed_is_not_sealed_again(sealing: Sealing) -> None:
    run = sealing.begun()
    assert sealing.seals.seal_if_due(run, STREAMS)
    assert not sealing.seals.seal_if_due(run, STREAMS)
    sealed = sealing.runs.get(run.id)
    assert sealed is not None
    assert not sealing.seals.seal_if_due(sealed, STREAMS)
    assert len(sealing.asked()) == 1


def test_a_run_without_end_whose_destination_is_gone_is_not_even_counted(sealing: Sealing) -> None:
    run = sealing.begun(batches=None)
    sealing.journal.clear()
    assert not sealing.seals.seal_if_due(run, None)
    assert sealing.journal == []


def test_a_run_that_ended_is_sealed_though_its_destination_is_gone(sealing: Sealing) -> None:
    run = sealing.begun()
    assert sealing.seals.seal_if_due(run, None)
    found = sealing.runs.get(run.id)
    assert found is not None
    assert found.version == 0


def test_a_run_whose_task_cannot_be_sent_is_sealed_all_the_same(sealing: Sealing) -> None:
    run = sealing.begun()
    sealing.journal.fail("send", SLOW)
    with pytest.raises(Transient):
        sealing.seals.seal_if_due(run, STREAMS)
    found = sealing.runs.get(run.id)
    assert found is not None
    assert found.state is RunState.SEALED
