"""The job: the rows of a batch become one staging object, and are committed to their runs, each message once."""

import time
from collections.abc import Iterator, Sequence

import msgspec

from functions.adapters.crew import Crew
from functions.adapters.inbox import Inbox
from functions.adapters.intakes import Intakes
from functions.adapters.parts import Parts
from functions.adapters.runs import MAX_MESSAGES
from functions.core.definitions.destination import of_another_kind
from functions.core.definitions.intake import Intake
from functions.core.digests import digest
from functions.core.errors import Code, Permanent, SluiceError, Transient
from functions.core.messages import sluice_id
from functions.core.metadata import shown
from functions.core.outcomes import Outcome, State
from functions.core.records import Record
from functions.core.runs import ending_of
from functions.core.staging import Arrival, arrival, laid_out
from functions.core.streams import End, Rows, parse_record_message
from functions.stager.commit import OTHER_END, Committed, Committer

OBJECT_BYTES = 64_000_000
"""Of rows that are held at a time: a batch of SQS is smaller, one of pointers can be larger."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the batch that is to be staged."""

    place: int
    record: Record
    arrival: Arrival

    @property
    def key(self) -> tuple[str, str]:
        """What a repetition has too."""
        return self.arrival.scope, digest(self.arrival.message.identity)

    @property
    def size(self) -> int:
        """Bytes of its rows."""
        message = self.arrival.message
        return len(message.lines) if isinstance(message, Rows) else 0


class Stager:
    """Stages batches through its ports."""

    def __init__(
        self, *, intakes: Intakes, parts: Parts, committer: Committer, inbox: Inbox, crew: Crew
    ) -> None:
        self._intakes = intakes
        self._parts = parts
        self._committer = committer
        self._inbox = inbox
        self._crew = crew

    def stage(self, records: Sequence[Record], *, seconds: float) -> list[Outcome | None]:
        """What became of each message, in their order; None for those not finished in time, which come back."""
        end = time.monotonic() + seconds
        outcomes: list[Outcome | None] = [None] * len(records)
        held: list[Waiting] = []
        size = 0
        for place, record in enumerate(records):
            if time.monotonic() >= end:
                break
            read = self._read(place, record)
            if isinstance(read, Outcome):
                outcomes[place] = read
                continue
            held.append(read)
            size += read.size
            if size >= OBJECT_BYTES:
                self._stage(held, outcomes, end)
                held, size = [], 0
        self._stage(held, outcomes, end)
        return outcomes

    def _read(self, place: int, record: Record) -> Waiting | Outcome:
        """A message as it is staged; or what became of it, if it is not."""
        try:
            return self._read_or_keep(place, record)
        except Exception as error:  # noqa: BLE001 - one message must never take the others of its batch with it
            return self._inbox.delayed(record, error)

    def _read_or_keep(self, place: int, record: Record) -> Waiting | Outcome:
        connection = message = None
        try:
            with self._inbox.body(record) as body:
                message = parse_record_message(body, message_id=record.message_id, sent=record.sent)
            intake = self._intake(message.destination_id)
            connection = message.destination_id
            arrived = arrival(message, intake)
        except Permanent as error:
            known = None if message is None else _digest(record, message)
            return self._inbox.failed(record, error, connection=connection, digest=known)
        if arrived.continuous and isinstance(message, End):
            # What needs no end ends by size and age.
            return self._inbox.done(record, Outcome(state=State.STAGED, connection=connection))
        return Waiting(place=place, record=record, arrival=arrived)

    def _intake(self, destination: str) -> Intake:
        found = self._intakes.get(destination)
        if found is None:
            raise Permanent(Code.BAD_MESSAGE, f"there is no destination `{shown(destination)}`")
        if found.intake.kind != "streams":
            raise of_another_kind(destination, found.intake.kind)
        return found.intake

    def _stage(self, held: list[Waiting], outcomes: list[Outcome | None], end: float) -> None:
        """Write, commit and seal; the outcomes of these messages are put where they belong."""
        if not held or time.monotonic() >= end:
            return
        first: dict[tuple[str, str], Waiting] = {}
        for each in held:
            first.setdefault(each.key, each)
        for each, committed in self._committed(list(first.values()), end):
            outcomes[each.place] = self._outcome(each, committed)
        for each in held:
            before = outcomes[first[each.key].place]
            if each is not first[each.key] and before and before.state in {State.STAGED, State.REPEATED}:
                outcomes[each.place] = self._outcome(each, _repetition(each, first[each.key]))

    def _committed(self, waiting: list[Waiting], end: float) -> Iterator[tuple[Waiting, Committed]]:
        """What became of each message, of those that could be begun in time."""
        key = self._parts.name()
        body, loads = laid_out((each.arrival for each in waiting), key=key, most=MAX_MESSAGES)
        try:
            if body:
                self._parts.put(key, body)
        except Transient as error:
            yield from ((each, Committed(error=error)) for each in waiting)
            return
        by_key = {each.key: each for each in waiting}
        done = self._crew.run(self._committer.commit, loads, seconds=end - time.monotonic())
        for load, committed in zip(loads, done, strict=True):
            if committed is not None:
                for piece in load.part.pieces:
                    yield by_key[load.scope, piece.identity], committed
        touched = list(dict.fromkeys(each.run for each in done if each and each.run))
        self._crew.run(self._committer.seal, touched, seconds=end - time.monotonic())

    def _outcome(self, waiting: Waiting, committed: Committed) -> Outcome:
        record, (_, identity) = waiting.record, waiting.key
        connection = waiting.arrival.message.destination_id
        try:
            error = committed.failed.get(identity)
            if isinstance(committed.error, Permanent):
                error = committed.error
            elif committed.error is not None:
                return self._inbox.delayed(record, committed.error)
            if error is not None:
                return self._inbox.failed(
                    record, error, connection=connection, digest=_digest(record, waiting.arrival.message)
                )
            state = State.REPEATED if identity in committed.repeated else State.STAGED
            return self._inbox.done(record, Outcome(state=state, connection=connection, size=waiting.size))
        except SluiceError as error:
            return self._inbox.delayed(record, error)


def _digest(record: Record, message: Rows | End) -> str:
    """What the failure of a message is called after: its identity and its body, which only failures need."""
    return sluice_id(message.identity, record.body.encode(errors="surrogatepass"))


def _repetition(waiting: Waiting, first: Waiting) -> Committed:
    """What becomes of a message beside another of its batch that has its identity."""
    message, other, (_, identity) = waiting.arrival.message, first.arrival.message, waiting.key
    if isinstance(message, End) and isinstance(other, End) and ending_of(message) != ending_of(other):
        return Committed(failed={identity: Permanent(Code.BAD_MESSAGE, OTHER_END)})
    return Committed(repeated=frozenset([identity]))
