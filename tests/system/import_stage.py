"""What tests of the import do: files that appear, notifications that come as they like, and time that passes."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from cli.resending import send_again
from functions.adapters.definitions import Stored
from functions.core.arrivals import FileTask, ScanTask
from functions.core.failures import Failure
from functions.core.import_tasks import import_task
from functions.core.imports import OPEN, ImportFile
from local.calls import Call
from local.faults import Effect, Fault
from local.mappings import Delivery
from tests.system.import_seen import Seen, Tables, file_seen
from tests.system.stage import EXTERNAL_ID, LONG_AGO, NOTHING_WAITS, REGION, Stage, staged
from tests.system.stream_stage import done

CHUNK = 103
"""Records of a chunk here: so many that the claims of one take two transactions."""

USER = "user-1"
TIME = 1_645_066_434_189
OUTPUT = "sluice-imports-output"
_ROUNDS = 8
_OF_IMPORTS = ("files#", "unfinished-files#", "parts#", "scans")
_FUNCTIONS = {
    "event_type": "type",
    "user_id": "user",
    "device_id": "device",
    "time": "time",
    "insert_id": "id",
    "event_properties": {"n": "n"},
    "user_properties": "properties",
    "$skip_user_properties_sync": "skip",
}


def converter(kind: str = "json", **config: Any) -> dict[str, Any]:
    """A converter of the fields that `record` gives."""
    return {"converterConfig": {"fileType": kind, "convertToAmplitudeFunc": _FUNCTIONS, **config}}


class Imports:
    """The functions of the import on a stage, the drop bucket, and a queue that events go to besides."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.tables = Tables(stage)
        self.importer = stage.mapping_of("Importer")
        self.planner = stage.function_of("Planner")
        self.files = stage.deployment.ports.files
        self.scans = stage.deployment.ports.scans
        self.sources = stage.deployment.ports.source_definitions
        self.drop_bucket = stage.deployment.drop_bucket
        self.arrivals = stage.cloud.outputs["ArrivalsQueueUrl"]
        self._s3 = stage.cloud.client("s3")
        self._sqs = stage.cloud.client("sqs")
        self.output = self._sqs.create_queue(QueueName=OUTPUT)["QueueUrl"]
        self._projects: dict[str, int] = {}

    def source(self, **fields: Any) -> str:
        """Store a source of its own name, prefix and project; gives the name."""
        name = self.stage.new_name()
        self._projects[name] = 1_000 + len(self._projects)
        self.define(name, **fields)
        return name

    def define(self, name: str, *, secret_arn: str | None = None, **fields: Any) -> None:
        """Store the next version of a source: of events of JSON that are appended, if `fields` do not say more."""
        document = {
            "name": name,
            "kind": "files",
            "bucket": self.drop_bucket,
            "prefix": f"{name}/",
            "project_id": self._projects[name],
            "data_type": "event",
            "strategy": "append",
            "converter": converter(),
            **fields,
        }
        stored = Stored(
            name=name,
            version=self.sources.last_version(name) + 1,
            document=document,
            created_at=LONG_AGO,
            external_id=EXTERNAL_ID,
            secret_arn=secret_arn,
        )
        stored.source()
        self.sources.put(stored)

    def delete(self, name: str) -> None:
        """Delete a source."""
        stored = self.sources.current(name)
        assert stored
        self.sources.delete(stored)

    def put(self, source: str, key: str, body: bytes) -> None:
        """Write an object below a source's prefix in the drop bucket, which tells of it."""
        self._s3.put_object(Bucket=self.drop_bucket, Key=f"{source}/{key}", Body=body)

    def told(self, body: Any) -> None:
        """Put a message into the queue of arrivals."""
        text = body if isinstance(body, str) else json.dumps(body)
        self._sqs.send_message(QueueUrl=self.arrivals, MessageBody=text)

    def task(self, source: str, key: str) -> None:
        """Put the task of a file into the queue of arrivals."""
        self.told(import_task(FileTask(source_id=source, key=f"{source}/{key}")).body)

    def scan(self, source: str) -> None:
        """Ask for a pass over a source's bucket."""
        self.told(import_task(ScanTask(source_id=source)).body)

    def untold(self) -> int:
        """Take back all that the queue of arrivals holds; how many messages it was."""
        count = 0
        while left := self._sqs.receive_message(QueueUrl=self.arrivals, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for each in left:
                self._sqs.delete_message(QueueUrl=self.arrivals, ReceiptHandle=each["ReceiptHandle"])
            count += len(left)
        return count

    def output_events(self) -> set[str]:
        """The insert ids of all events that have come to the output queue."""
        found: set[str] = set()
        while left := self._sqs.receive_message(QueueUrl=self.output, MaxNumberOfMessages=10).get("Messages"):
            for each in left:
                found |= {event["$insert_id"] for event in json.loads(each["Body"])["events"]}
                self._sqs.delete_message(QueueUrl=self.output, ReceiptHandle=each["ReceiptHandle"])
        return found

    def work(self) -> Delivery:
        """One batch, of which nothing comes back."""
        return done(self.importer)

    def settle(self, *sources: str) -> None:
        """What time does: visibility and leases end, and the planner comes, until nothing is left to be done."""
        for _ in range(_ROUNDS):
            self.pass_time(*sources)
            self.importer.expire_visibility()
            while self.importer.poll_once():
                pass
            if not any(self.unfinished(name) for name in sources) and self.waiting() == NOTHING_WAITS:
                return
            if not self.waiting()["queue"]:
                self.tick()
        raise AssertionError(f"not settled: {self.waiting()}, {[self.unfinished(name) for name in sources]}")

    def tick(self) -> None:
        """Start the planner once."""
        assert not self.stage.tick().failed

    def unfinished(self, source: str) -> bool:
        """Whether something of a source goes on by itself."""
        scan = self.scans.get(source)
        return (scan is not None and scan.done_at is None) or any(
            file.state in OPEN for file in self.files.of(source)
        )

    def pass_time(self, *sources: str) -> None:
        """Have every lease end, and whatever is looked after be looked at."""
        for name in sources:
            for file in list(self.files.of(name)):
                if file.state in OPEN:
                    assert self.files.replace(msgspec.structs.replace(file, leased_until=0, look_at=0))
            scan = self.scans.get(name)
            if scan is not None and scan.done_at is None:
                assert self.scans.put(msgspec.structs.replace(scan, leased_until=0, look_at=0))

    def waiting(self) -> dict[str, int]:
        """How many messages are in the queue of arrivals and among its dead letters."""
        dead = self._sqs.get_queue_attributes(
            QueueUrl=self.stage.cloud.outputs["ArrivalsDeadLetterQueueUrl"],
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        return {
            "queue": sum(self.importer.waiting().values()),
            "dead letters": int(dead["Attributes"]["ApproximateNumberOfMessages"]),
        }

    def file(self, source: str, key: str) -> ImportFile:
        """A file, which the ledger must have."""
        file = self.files.get(source, f"{source}/{key}")
        assert file
        return file

    def project(self, source: str) -> int:
        """The project of a source."""
        return self._projects[source]

    def events(self, source: str) -> list[dict[str, Any]]:
        """The events of a source's project."""
        return self.tables.events(self.project(source))

    def seen(self, source: str) -> Seen:
        """What there is of a source now."""
        files = list(self.files.of(source))
        events = self.events(source)
        assert sorted({event["part"] for event in events}) == sorted(
            key for file in files for key in file.parts
        )
        return Seen(
            files={file.key.removeprefix(f"{source}/"): file_seen(file) for file in files},
            events=tuple(sorted(event["event_properties"]["n"] for event in events)),
            rejects={
                file.key.removeprefix(f"{source}/"): tuple(
                    json.loads(reject["text"])["n"] for reject in self.tables.rejects(file)
                )
                for file in files
                if file.counters.rejected
            },
            claims=self.tables.claims(self.project(source), events),
            properties=self.tables.properties(self.project(source), USER),
            failures=self.stage.seen(source).failures,
        )

    def failures(self, source: str) -> list[Failure]:
        """The failures of a source."""
        return self.stage.failures(source)

    def send_again(self, source: str, *, restart: bool = False) -> None:
        """Do what `sluice failures retry` does, or `restart`, with all failures of a source."""
        send_again(self.stage.deployment, self.failures(source), restart=restart)

    def inject(self, on: Callable[[Call], bool], effect: Effect, **how: Any) -> None:
        """Have this happen at the calls that match."""
        self.stage.faults.inject(Fault(on=on, effect=effect, **how))

    def forget(self) -> None:
        """Delete all sources, and empty the ledger of files, which moto and the planner go through as a whole."""
        for name in list(self.sources.names()):
            self.delete(name)
        dynamodb, table = self.stage.cloud.client("dynamodb"), self.stage.cloud.outputs["LedgerTable"]
        for item in list(self.tables.items("LedgerTable")):
            if item["pk"]["S"].startswith(_OF_IMPORTS):
                dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
        self.output_events()


@contextmanager
def imports_staged(name: str) -> Iterator[Imports]:
    """A deployment with chunks of few records, whose sources may output to a queue."""
    queue = f"arn:aws:sqs:{REGION}:123456789012:{OUTPUT}"
    with staged(
        name, chunk_events=CHUNK, output_queue_arns=[queue], import_accounts=["111122223333"]
    ) as stage:
        yield Imports(stage)


def record(n: int, **fields: Any) -> dict[str, Any]:
    """A record that becomes an event; with `type=None` one that is refused."""
    return {
        "n": n,
        "type": "seen",
        "user": USER,
        "device": "device-1",
        "time": TIME + n,
        "id": f"id-{n}",
        **fields,
    }


def lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """A file of these records."""
    return b"".join(msgspec.json.encode(each) + b"\n" for each in records)


def notification(bucket: str, key: str) -> dict[str, Any]:
    """What S3 tells of an object."""
    return {
        "Records": [
            {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
        ]
    }
