"""Messages into a queue: packed ten to a request, put aside when SQS does not take them."""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.clients import translated
from functions.adapters.objects import Bucket
from functions.adapters.payloads import PREFIX
from functions.core import outgoing
from functions.core.errors import Code, Permanent, SluiceError, Transient
from functions.core.outgoing import Outgoing
from functions.core.record_batches import Flush

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_TRIES = 5

_AT_ONCE = 8
"""Requests of 1 MiB that are under way together: enough that whoever makes them is never waited for."""


class Sender:
    """One queue, and the data bucket that holds the bodies which it does not take."""

    def __init__(self, sqs: "SQSClient", *, url: str, bucket: Bucket, bucket_name: str) -> None:
        self._sqs = sqs
        self._url = url
        self._bucket = bucket
        self._bucket_name = bucket_name

    def send(self, messages: Iterable[Outgoing]) -> int:
        """Send them all, and give their number; when it returns, the queue has them.

        Raises:
            Transient: SQS or S3 did not take the rest; the text says how many were sent before.
            Permanent: They never will; as well.
        """
        sent = 0
        try:
            for request in outgoing.packed(map(self._fitting, messages)):
                self._send(request)
                sent += len(request)
        except SluiceError as error:
            again = Transient if isinstance(error, Transient) else Permanent
            raise again(error.code, f"{error}; {sent} message(s) before were sent") from None
        return sent

    def flow(self, flushes: Iterable[Flush]) -> Iterator[Flush]:
        """Send what there is, several flushes at once; give each back, in order, once the queue has all up to it.

        Raises:
            SluiceError: One could not be sent, or the source failed; what was given back before has been sent.
        """
        waiting: deque[Future[Flush]] = deque()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for begun in self._begun(flushes, pool):
                waiting.append(begun)
                while waiting and (len(waiting) > _AT_ONCE or waiting[0].done()):
                    yield waiting.popleft().result()
            for begun in waiting:
                yield begun.result()

    def _begun(self, flushes: Iterable[Flush], pool: ThreadPoolExecutor) -> Iterator[Future[Flush]]:
        """Each flush being sent; a fault of their source takes its turn behind what came before it."""
        try:
            for flush in flushes:
                yield pool.submit(self._sent, flush)
        except SluiceError as error:
            fault: Future[Flush] = Future()
            fault.set_exception(error)
            yield fault

    def _sent(self, flush: Flush) -> Flush:
        for request in outgoing.packed(map(self._fitting, flush.messages)):
            self._send(request)
        return flush

    def _fitting(self, message: Outgoing) -> Outgoing:
        if message.fits:
            return message
        key = f"{PREFIX}{secrets.token_hex(16)}"
        self._bucket.put(key, message.body.encode())
        body = outgoing.pointer(bucket=self._bucket_name, key=key)
        return msgspec.structs.replace(message, body=body)

    def _send(self, request: list[Outgoing]) -> None:
        left = {str(number): _entry(number, message) for number, message in enumerate(request)}
        for _ in range(_TRIES):
            with translated("sending messages"):
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=list(left.values()))
            failed = answer.get("Failed", [])
            if refused := [entry["Code"] for entry in failed if entry.get("SenderFault")]:
                raise Permanent(Code.BAD_MESSAGE, f"SQS does not take a message: {refused[0]}")
            left = {entry["Id"]: left[entry["Id"]] for entry in failed}
            if not left:
                return
        raise Transient(Code.UNAVAILABLE, f"SQS did not take {len(left)} of {len(request)} messages")


def _entry(number: int, message: Outgoing) -> Any:
    return {
        "Id": str(number),
        "MessageBody": message.body,
        "MessageGroupId": message.group,
        "DelaySeconds": message.delay_seconds,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    }
