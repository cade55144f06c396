"""The job: a message becomes an object, or a failure that is kept, or comes back later."""

import traceback
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum

import msgspec

from functions.core import messages
from functions.core.definitions import Destination
from functions.core.errors import Code, Permanent, SluiceError, Transient
from functions.core.failures import UNKNOWN_CONNECTION, connection_of, failure_id
from functions.core.keys import object_key
from functions.core.metadata import RESERVED, shown
from functions.core.ports import Bucket, Destinations, Failures, Payloads, Queue
from functions.core.records import Record, delay_seconds


class State(StrEnum):
    """What became of a message; only one that is `DELAYED` is not done, and comes back."""

    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"
    DELAYED = "delayed"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one message, and for whom; `size` is the object's, in bytes."""

    state: State
    connection: str | None = None
    failure: str | None = None
    code: Code | None = None
    text: str = ""
    size: int = 0


class MessageWriter:
    """Writes messages through its ports; one is used by many threads."""

    def __init__(
        self, *, destinations: Destinations, payloads: Payloads, failures: Failures, queue: Queue
    ) -> None:
        self._destinations = destinations
        self._payloads = payloads
        self._failures = failures
        self._queue = queue

    def write(self, record: Record) -> Outcome:
        """Deliver one message, or keep it as a failure, or leave it to SQS. Raises nothing that is foreseen."""
        try:
            return self._deliver_or_keep(record)
        except SluiceError as error:  # it is transient, or its failure could not be kept
            return self._delayed(record, error.code, error.text)
        except Exception as error:  # noqa: BLE001 - one message must never take the others of its batch with it
            return self._delayed(record, Code.UNAVAILABLE, _unforeseen(error))

    def _deliver_or_keep(self, record: Record) -> Outcome:
        connection = digest = None
        try:
            with self._body(record) as body:
                message = messages.parse_message(body, message_id=record.message_id, sent=record.sent)
                digest = message.sluice_id
                destination = self._destination(message.destination_id)
                connection = destination.name
                if not destination.enabled:
                    failure = _retried(record, connection) or failure_id(connection, digest)
                    self._failures.hold(record, connection=connection, failure=failure)
                    return Outcome(state=State.HELD, connection=connection, failure=failure)
                size = self._put(message, destination)
        except Permanent as error:
            digest = digest or messages.sluice_id(record.message_id, _bytes(record))
            failure = _retried(record, connection) or failure_id(connection, digest)
            self._failures.keep(record, error, failure=failure)
            return Outcome(
                state=State.FAILED, connection=connection, failure=failure, code=error.code, text=error.text
            )
        if (retried := _retried(record, connection)) is not None:
            self._failures.resolve(retried)
        return Outcome(state=State.DELIVERED, connection=connection, size=size)

    def _body(self, record: Record) -> AbstractContextManager[bytes]:
        pointer = messages.parse_pointer(record.body)
        if pointer is None:
            return nullcontext(_bytes(record))
        return self._payloads.read(bucket=pointer.bucket, key=pointer.key)

    def _destination(self, name: str) -> Destination:
        destination = self._destinations.definition(name)
        if destination is None:
            raise Permanent(Code.BAD_MESSAGE, f"there is no destination `{shown(name)}`")
        return destination

    def _put(self, message: messages.Message, destination: Destination) -> int:
        plain = messages.object_metadata(message, own=destination.metadata)
        name = destination.template.render(metadata=plain, time=message.time, data=message.data)
        key = object_key(prefix=destination.prefix, name=name)
        metadata = messages.sent_metadata(message, plain)
        body = messages.object_body(message, envelope=destination.envelope)
        bucket = self._destinations.bucket(destination.name)
        written = bucket.put(
            key,
            body,
            metadata=metadata,
            storage_class=destination.storage_class,
            create=destination.keep,
        )
        if not written and _holder(bucket, key) != message.sluice_id:
            raise Permanent(
                Code.EXISTS, "another object is there under this key, and `on_existing` is `keep`"
            )
        return len(body)

    def _delayed(self, record: Record, code: Code, text: str) -> Outcome:
        try:
            self._queue.delay(record, seconds=delay_seconds(record.receives))
        except SluiceError:
            # It then comes back when its visibility ends, which is sooner or later than it should, and no loss.
            text = f"{text}; it could not be delayed"
        return Outcome(state=State.DELAYED, code=code, text=text)


def _retried(record: Record, connection: str | None) -> str | None:
    """The failure that this message is a retry of; a sender cannot name one of another connection."""
    if record.failure is None or connection_of(record.failure) not in {connection, UNKNOWN_CONNECTION}:
        return None
    return record.failure


def _bytes(record: Record) -> bytes:
    return record.body.encode(errors="surrogatepass")


def _unforeseen(error: Exception) -> str:
    """Its type and its place; an exception's own text can hold what no log may hold."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"unforeseen {type(error).__name__} in {place.name}, line {place.lineno}"


def _holder(bucket: Bucket, key: str) -> str | None:
    """Which message the object under this key holds; None where we may not look, or it is none of ours."""
    try:
        return bucket.metadata(key).get(RESERVED)
    except Permanent as error:
        if error.code is Code.MISSING_PERMISSION:
            return None
        if error.code is Code.MISSING_FILE:
            raise Transient(Code.UNAVAILABLE, "the object under this key has just been removed") from None
        raise
