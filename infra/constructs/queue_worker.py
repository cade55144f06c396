"""A queue and the function that empties it: the one shape of everything that Sluice does with messages."""

from collections.abc import Mapping, Sequence

import msgspec
from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.core.records import MAX_RECEIVES
from infra import permissions
from infra.config import QUEUE_RETENTION_DAYS
from infra.constructs.data_store import DataStore
from infra.constructs.findings import acknowledge
from infra.constructs.worker import Room, Site, Worker
from infra.permissions import Permission

LARGEST_MESSAGE = 1_048_576
"""Bytes: the most that SQS takes."""

_FROM_A_QUEUE = "What fails goes back to the queue, and after the last receive to the dead letters"


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much work one invocation is given, how long it has, and how many there are at once."""

    timeout_seconds: int
    batch_size: int
    window_seconds: int
    max_concurrency: int

    @property
    def visibility(self) -> Duration:
        """How long SQS keeps a received message back: AWS asks for six timeouts and the window."""
        return Duration.seconds(6 * self.timeout_seconds + self.window_seconds)


class WorkQueue(Construct):
    """A queue and its dead-letter queue: encrypted, TLS only, both keeping messages as long as SQS can."""

    def __init__(self, scope: Construct, id: str, *, store: DataStore, pace: Pace) -> None:  # noqa: A002 CDK's own name for it
        super().__init__(scope, id)
        self._store = store
        self.pace = pace
        self.dead_letters = self._queue("DeadLetters")
        acknowledge(
            self.dead_letters, {"Serverless-SQSRedrivePolicy": "It is itself where given-up messages end"}
        )
        dead = sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES)
        self.queue = self._queue("Queue", visibility=pace.visibility, dead=dead)

    def _queue(
        self,
        id: str,  # noqa: A002 as above
        *,
        visibility: Duration | None = None,
        dead: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._store.key,
            enforce_ssl=True,
            retention_period=Duration.days(QUEUE_RETENTION_DAYS),
            max_message_size_bytes=LARGEST_MESSAGE,
            visibility_timeout=visibility,
            dead_letter_queue=dead,
            removal_policy=self._store.removal_policy,
        )


class QueueWorker(Worker):
    """A worker with the mapping that feeds it from its queue.

    Args:
        scope: As `Worker`.
        id: As `Worker`.
        work: The queue that it empties, at the pace that the queue was built for.
        module: As `Worker`.
        site: As `Worker`.
        memory_megabytes: What an invocation has; its time is the pace's.
        storage_megabytes: As `Room`.
        settings: As `Worker`; the queue's address goes without saying.
        permitted: As `Worker`; so does the right to empty the queue.
        columnar: As `Worker`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name for it
        *,
        work: WorkQueue,
        module: str,
        site: Site,
        memory_megabytes: int,
        storage_megabytes: int | None = None,
        settings: Mapping[str, str | int],
        permitted: Sequence[Permission],
        columnar: bool = False,
    ) -> None:
        super().__init__(
            scope,
            id,
            module=module,
            site=site,
            room=Room(
                memory_megabytes=memory_megabytes,
                timeout_seconds=work.pace.timeout_seconds,
                storage_megabytes=storage_megabytes,
            ),
            settings={**settings, "queue_url": work.queue.queue_url},
            permitted=[permissions.consume(work.queue.queue_arn), *permitted],
            columnar=columnar,
        )
        self.work = work
        acknowledge(self.function, {"Serverless-LambdaDLQ": _FROM_A_QUEUE})
        mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=work.queue.queue_arn,
            batch_size=work.pace.batch_size,
            max_batching_window=Duration.seconds(work.pace.window_seconds),
            report_batch_item_failures=True,
            max_concurrency=work.pace.max_concurrency,
        )
        acknowledge(mapping, {"Serverless-LambdaEventSourceMappingDestination": _FROM_A_QUEUE})
