"""What tests of streams do and see: rows that are sent, time that passes, and the files and failures in the end."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cli.resending import send_again
from functions.core import policies
from functions.core.failures import Failure
from functions.core.records import Queue
from functions.core.runs import Run, RunState, complete
from functions.core.templates.macros import DEFAULT
from local.faults import Effect, Fault
from local.mappings import Delivery
from local.mappings import Mapping as QueueMapping
from tests.system.stage import CUSTOMER, EXTERNAL_ID, NOTHING_WAITS, Seen, Stage

STARTED = "2025-04-14T11:23:45Z"
"""When every run here says that it began: names of files follow from nothing else that a clock knows."""

DAY = "2025_04_14"
HOUR = 3600
_QUEUES = (Queue.RECORDS, Queue.DELIVERIES)
_ROUNDS = 8
_OF_RUNS = ("runs#", "parts#", "seen#", "flush#", "unfinished#")


class Streams:
    """The functions of streams on a stage, beside a role of the customer's that trusts who writes files."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.runs = stage.deployment.ports.runs
        self.stager = stage.mapping_of("Stager")
        self.file_writer = stage.mapping_of("FileWriter")
        self.planner = stage.function_of("Planner")
        self.role_arn = self._role()
        self._sqs = stage.cloud.client("sqs")

    def _role(self) -> str:
        trust = policies.trust(role_arn=self.stage.deployment.role_arn("streams"), external_id=EXTERNAL_ID)
        name = f"{self.stage.role_arn.rpartition('/')[2]}-files"
        iam = self.stage.cloud.client("iam", account=CUSTOMER)
        created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        return str(created["Role"]["Arn"])

    def destination(self, **fields: Any) -> str:
        """Store a destination of streams of its own name and prefix; gives the name."""
        name = self.stage.new_name()
        self.define(name, **fields)
        return name

    def define(self, name: str, **fields: Any) -> None:
        """Store the next version of a destination of streams; NDJSON, unless `fields` say otherwise."""
        usual = {"credentials": {"role_arn": self.role_arn}, "key_template": DEFAULT, "format": "ndjson"}
        self.stage.define(name, **{"kind": "streams", **usual, **fields})

    def send(self, *bodies: str) -> list[str]:
        """Put messages into the queue of records, in this order; gives the ids that SQS gave them."""
        queue = self.stage.cloud.outputs["RecordsQueueUrl"]
        return [self._sqs.send_message(QueueUrl=queue, MessageBody=body)["MessageId"] for body in bodies]

    def staged(self, *bodies: str) -> Delivery:
        """Send messages and have one batch of them staged: none may come back."""
        self.send(*bodies)
        return done(self.stager)

    def settle(self, *destinations: str) -> None:
        """What time does: visibility ends, hours pass, and the planner comes, until nothing is left to be done."""
        for _ in range(_ROUNDS):
            for mapping in (self.stager, self.file_writer):
                mapping.expire_visibility()
                while mapping.poll_once():
                    pass
            unfinished = [run for name in destinations for run in self.unfinished(name)]
            if not unfinished and self.waiting() == NOTHING_WAITS:
                return
            self.pass_time(HOUR, *destinations)
            assert not self.stage.tick().failed
        raise AssertionError(f"not settled: {self.waiting()}, {unfinished}")

    def unfinished(self, destination: str) -> list[Run]:
        """The runs that go on by themselves; one that waits for a message may do so for ever."""
        return [
            run
            for run in self.with_rows(destination)
            if run.state is RunState.SEALED
            or (run.state is RunState.OPEN and (run.flush is not None or self._complete(run)))
        ]

    def _complete(self, run: Run) -> bool:
        return run.ending is not None and complete(run.ending, self.runs.tally(run.id))

    def with_rows(self, destination: str) -> list[Run]:
        """The runs to which something was committed."""
        return [run for run in self.runs.of(destination) if self.runs.tally(run.id).messages]

    def pass_time(self, seconds: int, *destinations: str) -> None:
        """Have the ledger say what it will say in so many seconds: nothing else of a function waits."""
        for run in (run for name in destinations for run in self.runs.of(name)):
            earlier = {
                name: max(getattr(run, name) - seconds, 0)
                for name in ("created_at", "look_at", "leased_until")
            }
            assert self.runs.replace(msgspec.structs.replace(run, **earlier))

    def run(self, destination: str) -> Run:
        """The only run of a destination."""
        [run] = self.runs.of(destination)
        return run

    def failure(self, destination: str) -> Failure:
        """The only failure of a destination."""
        [failure] = self.stage.failures(destination)
        return failure

    def send_again(self, destination: str, *, restart: bool = False) -> None:
        """Do what `sluice failures retry` does, or `restart`, with all failures of a destination."""
        send_again(self.stage.deployment, self.stage.failures(destination), restart=restart)

    def objects(self, destination: str) -> dict[str, bytes]:
        """The files below a destination's prefix, by their names there."""
        return self.stage.objects(destination)

    def seen(self, destination: str) -> Seen:
        """What there is of a destination now."""
        return self.stage.seen(destination)

    def waiting(self) -> dict[str, int]:
        """How many messages are in the queues of streams and among their dead letters."""
        counts = dict.fromkeys(NOTHING_WAITS, 0)
        for queue in _QUEUES:
            for kind, output in (("queue", "QueueUrl"), ("dead letters", "DeadLetterQueueUrl")):
                counts[kind] += self._count(self.stage.cloud.outputs[f"{queue.title()}{output}"])
        return counts

    def tasks(self) -> int:
        """How many messages are in the queue of deliveries."""
        return self._count(self.stage.cloud.outputs["DeliveriesQueueUrl"])

    def _count(self, url: str) -> int:
        names = [f"ApproximateNumberOfMessages{each}" for each in ("", "NotVisible", "Delayed")]
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def forget_runs(self) -> None:
        """Empty the ledger of runs, since moto copies the whole table at every transaction; failures stay."""
        dynamodb, table = self.stage.cloud.client("dynamodb"), self.stage.cloud.outputs["LedgerTable"]
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk")
        found = [key for page in pages for key in page["Items"] if key["pk"]["S"].startswith(_OF_RUNS)]
        for start in range(0, len(found), 25):
            deletes = [{"DeleteRequest": {"Key": key}} for key in found[start : start + 25]]
            dynamodb.batch_write_item(RequestItems={table: deletes})

    def inject(self, on: Callable[[Any], bool], effect: Effect, **how: Any) -> None:
        """Have this happen at the calls that match."""
        self.stage.faults.inject(Fault(on=on, effect=effect, **how))


def done(mapping: QueueMapping) -> Delivery:
    """One batch, which there must be and of which nothing comes back."""
    delivery = mapping.poll_once()
    assert delivery, "the queue has no visible message"
    assert not delivery.outcome.failed, delivery.outcome.payload
    assert not delivery.failed, mapping.function.settings.log.read_text()[-2000:]
    return delivery


def rows(destination: str, run: str, sequence: int, /, *records: Any, **fields: Any) -> str:
    """A message of rows; `fields` add to it, or stand in the place of what is usual."""
    return _body(destination, run, {"sequence": sequence, "records": list(records), **fields})


def end(destination: str, run: str, /, *, batches: int, **fields: Any) -> str:
    """The end of a run."""
    return _body(destination, run, {"end": True, "batches": batches, **fields})


def _body(destination: str, run: str, fields: Mapping[str, Any]) -> str:
    usual = {
        "destination_id": destination,
        "connection_id": "shop",
        "connection_run_id": "night",
        "stream": {"id": "public.orders", "name": "orders"},
        "stream_run_id": run,
        "started_at": STARTED,
    }
    return json.dumps({**usual, **fields})


def lines(*records: Any) -> bytes:
    """NDJSON of these rows."""
    return b"".join(msgspec.json.encode(each) + b"\n" for each in records)


def file_of(run: str, number: int = 1, extension: str = "jsonl") -> str:
    """The name that a file of this run has, if nothing else is said."""
    return f"orders/{DAY}/{run}_{number:07d}.{extension}"
