"""Messages on their way into a queue: what SQS takes, and what goes the way of the extended client."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from functions.core.messages import POINTER_CLASS

MAX_BYTES = 1_048_576
"""SQS's limit, for one message with its attributes and for all messages of one request."""

MAX_ENTRIES = 10
"""Messages in one request."""

_REFUSED_BY_SQS = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no message may hold: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html."""

_ATTRIBUTE_OVERHEAD = len("String")


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be sent; `group` is the message group that fair queues share out between."""

    body: str
    group: str
    attributes: Mapping[str, str] = {}
    delay_seconds: int = 0

    @property
    def size(self) -> int:
        """Bytes, as SQS counts them."""
        named = sum(
            len(name.encode()) + len(value.encode()) + _ATTRIBUTE_OVERHEAD
            for name, value in self.attributes.items()
        )
        return len(self.body.encode()) + named

    @property
    def fits(self) -> bool:
        """Whether SQS takes it as it is; else its body is put aside, and a pointer sent."""
        return self.size <= MAX_BYTES and not _REFUSED_BY_SQS.search(self.body)


def pointer(*, bucket: str, key: str) -> str:
    """The body that says where the body is, as AWS's extended client libraries write it."""
    return json.dumps([POINTER_CLASS, {"s3BucketName": bucket, "s3Key": key}], separators=(",", ":"))


def packed(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """The messages, in order, in requests that SQS takes; each must fit by itself."""
    request: list[Outgoing] = []
    size = 0
    for message in messages:
        if request and (len(request) == MAX_ENTRIES or size + message.size > MAX_BYTES):
            yield request
            request, size = [], 0
        request.append(message)
        size += message.size
    if request:
        yield request
