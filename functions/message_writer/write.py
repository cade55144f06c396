"""The job: a message becomes an object, or a failure that is kept, or comes back later."""

from functions.adapters.inbox import Inbox
from functions.core import messages
from functions.core.definitions.messages import MessageDestination
from functions.core.errors import Code, Permanent, Transient
from functions.core.keys import object_key
from functions.core.metadata import RESERVED, shown
from functions.core.outcomes import Outcome, State
from functions.core.ports import Bucket, Destinations, Failures, Payloads, Queue
from functions.core.records import Record


class MessageWriter:
    """Writes messages through its ports; one is used by many threads."""

    def __init__(
        self, *, destinations: Destinations, payloads: Payloads, failures: Failures, queue: Queue
    ) -> None:
        self._destinations = destinations
        self._inbox = Inbox(payloads=payloads, failures=failures, queue=queue)

    def write(self, record: Record) -> Outcome:
        """Deliver one message, or keep it as a failure, or leave it to SQS. Raises nothing that is foreseen."""
        try:
            return self._deliver_or_keep(record)
        except Exception as error:  # noqa: BLE001 - one message must never take the others of its batch with it
            return self._inbox.delayed(record, error)

    def _deliver_or_keep(self, record: Record) -> Outcome:
        connection = digest = None
        try:
            with self._inbox.body(record) as body:
                message = messages.parse_message(body, message_id=record.message_id, sent=record.sent)
                digest = message.sluice_id
                destination = self._destination(message.destination_id)
                connection = destination.name
                if not destination.enabled:
                    return self._inbox.held(record, connection=connection, digest=digest)
                size = self._put(message, destination)
        except Permanent as error:
            return self._inbox.failed(record, error, connection=connection, digest=digest)
        return self._inbox.done(record, Outcome(state=State.DELIVERED, connection=connection, size=size))

    def _destination(self, name: str) -> MessageDestination:
        destination = self._destinations.definition(name)
        if destination is None:
            raise Permanent(Code.BAD_MESSAGE, f"there is no destination `{shown(name)}`")
        return destination

    def _put(self, message: messages.Message, destination: MessageDestination) -> int:
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
