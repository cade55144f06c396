"""The queues that a source's events go to, besides the event store."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from functions.adapters.objects import Bucket
from functions.adapters.sending import Sender
from functions.core.chunks import Chunk
from functions.core.definitions.sources import Source
from functions.core.outgoing import Outgoing

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_BODY_BYTES = 200_000
"""Of a message that is full: SQS bills by 64 KB, and readers hold messages in memory."""


class QueueOutputs:
    """Queues by their URLs; `bucket` is our own, for bodies that a queue does not take."""

    def __init__(self, sqs: Callable[[], "SQSClient"], *, bucket: Bucket, bucket_name: str) -> None:
        self._sqs = sqs
        self._bucket = bucket
        self._bucket_name = bucket_name

    def send(self, source: Source, chunk: Chunk) -> None:
        """Send the events of a chunk as messages `{"project_id", "events"}`, at least once.

        Raises:
            Transient: A queue cannot be reached now.
        """
        for url in source.queues if chunk.counters.events else ():
            sender = Sender(self._sqs(), url=url, bucket=self._bucket, bucket_name=self._bucket_name)
            sender.send(
                Outgoing(body=body.decode(), group=str(source.project_id))
                for body in _bodies(source.project_id, chunk)
            )


def _bodies(project: int, chunk: Chunk) -> Iterator[bytes]:
    some: list[bytes] = []
    size = 0
    for event in chunk.events():
        if some and size + len(event) > _BODY_BYTES:
            yield _body(project, some)
            some, size = [], 0
        some.append(event)
        size += len(event)
    if some:
        yield _body(project, some)


def _body(project: int, events: list[bytes]) -> bytes:
    return b'{"project_id":%d,"events":[%s]}' % (project, b",".join(events))
