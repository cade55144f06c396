"""Stand-ins for `functions/core/ports.py`, and for clocks: small, honest, and with a journal of what was done."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from functions.core.definitions.messages import MessageDestination, parse
from functions.core.errors import Code, Permanent, SluiceError
from functions.core.records import Record


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: float = 1_760_410_739.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Journal(list[tuple[str, ...]]):
    """What was done, in order, by all fakes that share it; and what shall go wrong the next time it is done."""

    def __init__(self) -> None:
        super().__init__()
        self._faults: dict[str, deque[Exception]] = {}
        self._before: dict[str, deque[Callable[[], object]]] = {}

    def before(self, deed: str, do: Callable[[], object]) -> None:
        """Have something else happen just before this deed is done the next time."""
        self._before.setdefault(deed, deque()).append(do)

    def fail(self, deed: str, *errors: Exception) -> None:
        """Have this deed raise these errors, one after the other, before it does anything."""
        self._faults.setdefault(deed, deque()).extend(errors)

    def note(self, deed: str, *about: str) -> None:
        """It is about to be done."""
        if self._before.get(deed):
            self._before[deed].popleft()()
        if self._faults.get(deed):
            raise self._faults[deed].popleft()
        self.append((deed, *about))

    def deeds(self) -> list[str]:
        """What was done, without about what."""
        return [deed for deed, *_ in self]


@dataclass(kw_only=True)
class StoredObject:
    """An object of a fake bucket."""

    body: bytes
    metadata: dict[str, str]
    storage_class: str


@dataclass
class FakeBucket:
    """A customer's bucket; with `closed` its objects may not be looked at."""

    journal: Journal = field(default_factory=Journal)
    objects: dict[str, StoredObject] = field(default_factory=dict)
    closed: bool = False

    def put(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        storage_class: str = "STANDARD",
        create: bool = False,
    ) -> bool:
        """As the port says."""
        self.journal.note("put", key)
        if create and key in self.objects:
            return False
        self.objects[key] = StoredObject(
            body=body, metadata=dict(metadata or {}), storage_class=storage_class
        )
        return True

    def metadata(self, key: str) -> dict[str, str]:
        """As the port says."""
        self.journal.note("look", key)
        if self.closed:
            raise Permanent(Code.MISSING_PERMISSION, "S3 answered 403")
        if key not in self.objects:
            raise Permanent(Code.MISSING_FILE, "S3 answered 404")
        return {name.lower(): value for name, value in self.objects[key].metadata.items()}


class FakeDestinations:
    """Destinations, each with a bucket of its own."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal if journal is not None else Journal()
        self.buckets: dict[str, FakeBucket] = {}
        self._definitions: dict[str, MessageDestination] = {}

    def add(self, name: str = "acme", **changes: Any) -> FakeBucket:
        """Define a destination."""
        document = {
            "name": name,
            "kind": "messages",
            "bucket": f"{name}-data",
            "credentials": {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"},
        }
        self._definitions[name] = parse(document | changes)
        self.buckets[name] = FakeBucket(self.journal)
        return self.buckets[name]

    def definition(self, name: str) -> MessageDestination | None:
        """As the port says."""
        self.journal.note("define", name)
        return self._definitions.get(name)

    def bucket(self, name: str) -> FakeBucket:
        """As the port says."""
        self.journal.note("open", name)
        return self.buckets[name]


class FakePayloads:
    """Offloaded bodies of one bucket."""

    def __init__(self, journal: Journal, *, name: str = "data") -> None:
        self.journal = journal
        self.bodies: dict[str, bytes] = {}
        self.held = 0
        self._name = name

    @contextmanager
    def read(self, *, bucket: str, key: str) -> Iterator[bytes]:
        """As the port says."""
        self.journal.note("read", bucket, key)
        if bucket != self._name:
            raise Permanent(Code.BAD_MESSAGE, "the body points outside")
        if key not in self.bodies:
            raise Permanent(Code.MISSING_FILE, "the payload is not there")
        self.held += 1
        try:
            yield self.bodies[key]
        finally:
            self.held -= 1


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A failure that was kept."""

    record: Record
    code: Code
    text: str


class FakeFailures:
    """Kept, held and resolved failures; a body is durable before its record is, as the port promises."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.kept: dict[str, Kept] = {}
        self.held: dict[str, Record] = {}
        self.holders: dict[str, str] = {}
        self.resolved: list[str] = []

    def keep(self, record: Record, error: Permanent, *, failure: str) -> None:
        """As the port says."""
        self.journal.note("keep", failure)
        self.kept[failure] = Kept(record=record, code=error.code, text=error.text)

    def hold(self, record: Record, *, connection: str, failure: str) -> None:
        """As the port says."""
        self.journal.note("hold", failure)
        self.holders[failure] = connection
        self.held[failure] = record

    def resolve(self, failure: str) -> None:
        """As the port says."""
        self.journal.note("resolve", failure)
        self.resolved.append(failure)


class FakeQueue:
    """A queue; `delays` says for how long each message was delayed."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.delays: dict[str, int] = {}

    def delay(self, record: Record, *, seconds: int) -> None:
        """As the port says."""
        self.journal.note("delay", record.delivery_id)
        self.delays[record.delivery_id] = seconds


def raising(error: SluiceError) -> Callable[..., Any]:
    """A function that raises this error, whatever it is called with."""

    def call(*_: object, **__: object) -> Any:
        raise error

    return call
