"""What every function that is fed by a queue does with a message beside its own job."""

from contextlib import AbstractContextManager, nullcontext

from functions.core import messages
from functions.core.errors import Code, Permanent, SluiceError
from functions.core.failures import failure_id, retried
from functions.core.outcomes import Outcome, State, unforeseen
from functions.core.ports import Failures, Payloads, Queue
from functions.core.records import Record, delay_seconds


class Inbox:
    """Reads messages, keeps what failed for good, and puts off what may go right later."""

    def __init__(self, *, payloads: Payloads, failures: Failures, queue: Queue) -> None:
        self._payloads = payloads
        self._failures = failures
        self._queue = queue

    def body(self, record: Record) -> AbstractContextManager[bytes]:
        """The body of a message, wherever it lies, for as long as the context lasts.

        Raises:
            Permanent: It points to nothing, or to where it may not.
            Transient: It cannot be read now.
        """
        pointer = messages.parse_pointer(record.body)
        if pointer is None:
            return nullcontext(_bytes(record))
        return self._payloads.read(bucket=pointer.bucket, key=pointer.key)

    def failed(
        self, record: Record, error: Permanent, *, connection: str | None, digest: str | None = None
    ) -> Outcome:
        """Keep a message that failed for good; `digest` is its identity's and body's, SQS's where it has none.

        Raises:
            Transient: It could not be kept; the message must come back.
        """
        digest = digest or messages.sluice_id(record.message_id, _bytes(record))
        failure = retried(record.failure, connection) or failure_id(connection, digest)
        self._failures.keep(record, error, failure=failure)
        return Outcome(
            state=State.FAILED, connection=connection, failure=failure, code=error.code, text=error.text
        )

    def held(self, record: Record, *, connection: str, digest: str) -> Outcome:
        """Keep a message for a destination that is disabled.

        Raises:
            Transient: It could not be kept; the message must come back.
        """
        failure = retried(record.failure, connection) or failure_id(connection, digest)
        self._failures.hold(record, connection=connection, failure=failure)
        return Outcome(state=State.HELD, connection=connection, failure=failure)

    def done(self, record: Record, outcome: Outcome) -> Outcome:
        """The outcome of a message that is done with; the failure that it may be a retry of is resolved.

        Raises:
            Transient: That could not be recorded; the message must come back.
        """
        if (failure := retried(record.failure, outcome.connection)) is not None:
            self._failures.resolve(failure)
        return outcome

    def overcome(self, failure: str) -> None:
        """A failure is resolved although no message is a retry of it; one that there never was is nobody's.

        Raises:
            Transient: That could not be recorded.
        """
        self._failures.resolve(failure)

    def delayed(self, record: Record, error: Exception) -> Outcome:
        """Put a message off: what failed now may go right later, and what was not foreseen is looked into."""
        foreseen = isinstance(error, SluiceError)
        code = error.code if isinstance(error, SluiceError) else Code.UNAVAILABLE
        text = str(error) if foreseen else unforeseen(error)
        try:
            self._queue.delay(record, seconds=delay_seconds(record.receives))
        except SluiceError:
            # It then comes back when its visibility ends, which is sooner or later than it should, and no loss.
            text = f"{text}; it could not be delayed"
        return Outcome(state=State.DELAYED, code=code, text=text)


def _bytes(record: Record) -> bytes:
    return record.body.encode(errors="surrogatepass")
