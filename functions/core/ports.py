"""What the shells need of the world; each has an adapter, and a fake in the tests."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from functions.core.definitions.messages import MessageDestination
from functions.core.errors import Permanent
from functions.core.records import Record


class Bucket(Protocol):
    """A customer's bucket."""

    def put(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        storage_class: str = "STANDARD",
        create: bool = False,
    ) -> bool:
        """Write an object; False says that with `create` nothing was written, since it is there."""
        ...

    def metadata(self, key: str) -> dict[str, str]:
        """An object's user metadata, names in small letters."""
        ...


class Destinations(Protocol):
    """The destinations that there are."""

    def definition(self, name: str) -> MessageDestination | None:
        """The destination of this name."""
        ...

    def bucket(self, name: str) -> Bucket:
        """Its bucket, opened with its own credentials."""
        ...


class Payloads(Protocol):
    """The bodies that SQS did not take."""

    def read(self, *, bucket: str, key: str) -> AbstractContextManager[bytes]:
        """The body that a pointer names, held in memory for as long as the context lasts."""
        ...


class Failures(Protocol):
    """Where messages are kept that could not be delivered, or not yet."""

    def keep(self, record: Record, error: Permanent, *, failure: str) -> None:
        """Keep the message durably, and record why it failed."""
        ...

    def hold(self, record: Record, *, connection: str, failure: str) -> None:
        """Keep the message durably until its destination is enabled again; delivered, it resolves `failure`."""
        ...

    def resolve(self, failure: str) -> None:
        """Record that the message of this failure has been delivered."""
        ...


class Queue(Protocol):
    """The queue that a function is fed by."""

    def delay(self, record: Record, *, seconds: int) -> None:
        """Keep a message from coming back before this many seconds."""
        ...
