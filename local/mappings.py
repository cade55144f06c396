"""SQS event source mappings: batches, windows, concurrency, and what is deleted afterwards.

What failed is left alone: it is received again when its visibility timeout ends, which the queue's setting or
the function's own ChangeMessageVisibility decides; dead letters are moved by the queue.
"""

import time
from collections.abc import Mapping as Properties
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any, Self

import msgspec

from local.function import Function
from local.records import failed_ids, record
from local.sandbox import Outcome

EVENT_BYTES = 6 * 1024 * 1024
"""The messages of one invocation, with all that describes them."""
_TOGETHER = 10
_IDLE_SECONDS = 0.1
_KNOWN = {
    "BatchSize", "Enabled", "EventSourceArn", "FunctionName", "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds", "ScalingConfig", "Tags",
}  # fmt: skip


class UnsupportedMappingError(ValueError):
    """The template asks of an event source mapping what is not driven here."""


@dataclass(frozen=True, kw_only=True)
class MappingSettings:
    """What the template says about an event source mapping; the defaults are Lambda's."""

    queue_arn: str
    batch_size: int = 10
    window: float = 0
    concurrency: int = 1000
    reports_failures: bool = False

    @classmethod
    def read(cls, properties: Properties[str, Any]) -> Self:
        """The settings in the resolved properties of an AWS::Lambda::EventSourceMapping.

        Raises:
            UnsupportedMappingError: A property has a meaning that would be lost here.
        """
        source = properties["EventSourceArn"]
        unknown = properties.keys() - _KNOWN
        if unknown or not source.startswith("arn:aws:sqs:"):
            raise UnsupportedMappingError(f"not driven locally: {', '.join(sorted(unknown)) or source}")
        return cls(
            queue_arn=source,
            batch_size=properties.get("BatchSize", cls.batch_size),
            window=properties.get("MaximumBatchingWindowInSeconds", cls.window),
            concurrency=properties.get("ScalingConfig", {}).get("MaximumConcurrency", cls.concurrency),
            reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        )


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A batch that a function was given, and what became of it."""

    records: list[dict[str, Any]]
    outcome: Outcome
    failed: frozenset[str]
    """The ids of the messages that were not deleted."""


class Mapping:
    """Takes messages from a queue to a function: step by step (`poll_once`), or all the time (`start`)."""

    def __init__(self, *, settings: MappingSettings, function: Function, sqs: Any, workers: int) -> None:
        self.settings = settings
        self.function = function
        self._sqs = sqs
        self._queue = sqs.get_queue_url(QueueName=settings.queue_arn.rpartition(":")[2])["QueueUrl"]
        self._workers = min(workers, settings.concurrency)
        self._kept_back: list[dict[str, Any]] = []
        self._held: dict[str, str] = {}
        self._stopping = Event()
        self._gathering = Lock()
        self._threads: list[Thread] = []

    def poll_once(self, *, window: float = 0) -> Delivery | None:
        """Deliver what is visible now and within `window` seconds; None when there was nothing."""
        records = self._gather(window)
        return self._deliver(records) if records else None

    def expire_visibility(self) -> None:
        """Let the visibility timeouts end of all messages that were delivered and not deleted."""
        receipts, self._held = self._held, {}
        for receipt in receipts.values():
            with suppress(self._sqs.exceptions.MessageNotInflight):  # it has ended by itself
                self._sqs.change_message_visibility(
                    QueueUrl=self._queue, ReceiptHandle=receipt, VisibilityTimeout=0
                )

    def waiting(self) -> dict[str, int]:
        """How many messages the queue holds: visible, in flight, delayed."""
        kinds = {"visible": "", "in flight": "NotVisible", "delayed": "Delayed"}
        names = {kind: f"ApproximateNumberOfMessages{suffix}" for kind, suffix in kinds.items()}
        found = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=list(names.values()))
        return {kind: int(found["Attributes"][name]) for kind, name in names.items()}

    def start(self) -> None:
        """Poll in threads, one for each invocation that the mapping may have at a time."""
        self._stopping.clear()
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(self._workers)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop polling when the batches in hand are done; a window that is open closes early."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    @property
    def running(self) -> bool:
        """Whether the mapping polls by itself."""
        return bool(self._threads)

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._gathering:
                records = self._gather(self.settings.window)
                if not records:
                    self._stopping.wait(_IDLE_SECONDS)
            if records:
                self._deliver(records)

    def _gather(self, window: float) -> list[dict[str, Any]]:
        """A batch: full in number or in bytes, or what came until the window closed."""
        records, self._kept_back = self._kept_back, []
        size = sum(map(_size, records))
        closes = time.monotonic() + window if records else None
        while len(records) < self.settings.batch_size:
            received = self._receive(self.settings.batch_size - len(records))
            for index, fresh in enumerate(received):
                size += _size(fresh)
                if size > EVENT_BYTES:
                    self._kept_back = received[index:]
                    return records
                records.append(fresh)
            if not received:
                if closes is None or time.monotonic() >= closes or self._stopping.is_set():
                    break
                self._stopping.wait(min(_IDLE_SECONDS, window / 10))
            elif closes is None:
                closes = time.monotonic() + window
        return records

    def _receive(self, wanted: int) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=min(wanted, _TOGETHER),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        )
        return [record(message, queue_arn=self.settings.queue_arn) for message in answer.get("Messages", [])]

    def _deliver(self, records: list[dict[str, Any]]) -> Delivery:
        receipts = {record["messageId"]: record["receiptHandle"] for record in records}
        self._held |= receipts
        outcome = self.function.invoke(msgspec.json.encode({"Records": records}))
        failed = self._failed(outcome, frozenset(receipts))
        self._delete({name: receipt for name, receipt in receipts.items() if name not in failed})
        return Delivery(records=records, outcome=outcome, failed=failed)

    def _failed(self, outcome: Outcome, sent: frozenset[str]) -> frozenset[str]:
        if outcome.failed:
            return sent
        return failed_ids(outcome.payload, sent=sent) if self.settings.reports_failures else frozenset()

    def _delete(self, receipts: dict[str, str]) -> None:
        entries = [{"Id": name, "ReceiptHandle": receipt} for name, receipt in receipts.items()]
        for start in range(0, len(entries), _TOGETHER):
            some = entries[start : start + _TOGETHER]
            self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=some)
        for name in receipts:
            self._held.pop(name, None)


def _size(record: dict[str, Any]) -> int:
    return len(msgspec.json.encode(record))
