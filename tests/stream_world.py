"""The functions of streams among adapters in memory that share one journal."""

from collections.abc import Sequence
from typing import Any

from functions.adapters.crew import Crew
from functions.adapters.inbox import Inbox
from functions.adapters.intakes import Intakes
from functions.adapters.parts import Parts
from functions.adapters.runs import RunLedger
from functions.adapters.seals import Seals
from functions.core.outcomes import Outcome, State
from functions.core.records import Record
from functions.core.runs import Run, RunState, in_order
from functions.core.tasks import parse_task, run_task
from functions.file_writer.deliver import FileWriter
from functions.file_writer.write import RunWriter
from functions.planner.plan import Planner
from functions.stager.commit import Committer
from functions.stager.stage import Stager
from tests.core.record_messages import end_body, rows_body
from tests.fakes import Clock, FakeFailures, FakePayloads, FakeQueue, Journal
from tests.memory import FakeDefinitions, FakeSender, FakeStreamDestinations, MemoryBucket, MemoryRuns
from tests.message_writer.records import record

LONG = 60.0


class World:
    """A deployment; its clock stands at the time that its messages were sent, unless it is moved."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.clock = Clock()
        self.definitions = FakeDefinitions(self.journal)
        self.destinations = FakeStreamDestinations(self.definitions)
        self.bucket = MemoryBucket(self.journal)
        self.runs = MemoryRuns(self.journal)
        self.tasks = FakeSender(self.journal)
        self.payloads = FakePayloads(self.journal)
        self.failures = FakeFailures(self.journal)
        self.queue = FakeQueue(self.journal)
        self.parts = Parts(self.bucket)
        self.inbox = Inbox(payloads=self.payloads, failures=self.failures, queue=self.queue)
        self.intakes = Intakes(self.definitions, max_age_seconds=0)
        self.seals = Seals(self.runs, self.tasks, clock=self.clock)
        self.stager = self.new_stager()
        self.writer = self.new_writer()
        self.planner = Planner(runs=self.runs, intakes=self.intakes, seals=self.seals, clock=self.clock)

    def new_writer(self, *, largest_run_gigabytes: int = 1) -> FileWriter:
        """Another file writer."""
        return FileWriter(
            destinations=self.destinations,
            runs=self.runs,
            writer=RunWriter(self.parts),
            inbox=self.inbox,
            largest_run_gigabytes=largest_run_gigabytes,
            clock=self.clock,
        )

    def new_stager(self, *, runs: RunLedger | None = None) -> Stager:
        """Another stager, which remembers nothing."""
        committer = Committer(
            runs=runs or self.runs, intakes=self.intakes, seals=self.seals, clock=self.clock
        )
        return Stager(
            intakes=self.intakes,
            parts=self.parts,
            committer=committer,
            inbox=self.inbox,
            crew=Crew(2),
        )

    def stage(self, *bodies: str | Record, seconds: float = LONG) -> list[Outcome | None]:
        """What becomes of a batch of these bodies."""
        records = [record(each) if isinstance(each, str) else each for each in bodies]
        return self.stager.stage(records, seconds=seconds)

    def states(self, *bodies: str | Record) -> list[State | None]:
        """As above, in a word each."""
        return [outcome.state if outcome else None for outcome in self.stage(*bodies)]

    def all_runs(self, destination: str = "acme") -> list[Run]:
        """The runs of a destination in the order in which they began to be sealed: flushes by number."""
        return sorted(self.runs.of(destination), key=lambda run: (run.flush or 0, run.id))

    def run(self, destination: str = "acme") -> Run:
        """The only run of a destination."""
        [found] = self.runs.of(destination)
        return found

    def is_sealed(self) -> bool:
        """Whether the only run is."""
        return self.run().state is RunState.SEALED

    def rows(self, run: Run) -> list[bytes]:
        """The rows of a run, in order, as they are read from the staging objects."""
        pieces = [data for _, data in self.parts.read(in_order(self.runs.parts(run.id)))]
        return b"".join(pieces).splitlines()

    def sealed(self, *records: Any, **fields: Any) -> Run:
        """A run that is sealed: a message for each of these lists of rows, and its end."""
        bodies = [rows_body(number, each, **fields) for number, each in enumerate(records)]
        self.stage(*bodies, end_body(len(bodies), **fields))
        [run] = [each for each in self.runs.of("acme") if each.state is RunState.SEALED]
        return run

    def deliver(self, run: Run, *, seconds: float = LONG, **changes: Any) -> Outcome:
        """What becomes of a task to deliver this run."""
        return self.writer.deliver(record(run_task(run.id).body, **changes), seconds=seconds)

    def files(self, destination: str = "acme") -> dict[str, bytes]:
        """The objects of a customer's bucket."""
        return {key: kept.body for key, kept in self.destinations.buckets[destination].objects.items()}

    def asked(self) -> list[str]:
        """The runs whose delivery was asked for."""
        return [parse_task(message.body.encode()).run_id for message in self.tasks.sent]


def again(body: str, failure: str, **changes: Any) -> Record:
    """A message that is a retry of a failure."""
    return record(body, failure=failure, **changes)


def codes(outcomes: Sequence[Outcome | None]) -> list[str]:
    """What the failures among these are."""
    return [outcome.code or "" for outcome in outcomes if outcome]
