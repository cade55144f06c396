"""Properties of users, groups and profiles in DynamoDB, each chunk applied to each of them once.

| pk | sk | item |
|---|---|---|
| `project#<project>#<kind>#<digest>` | `properties` | a subject, as `functions.core.profiles.Kept` |
| `applied#<digest>` | `applied` | the marker of a chunk and a subject: what became of it |

The digest of a subject is that of its id, which may be longer than a key; a marker does not tell whose it is.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.clients import translated
from functions.adapters.ledger import MAX_ACTIONS, Ledger, key_of
from functions.core.chunks import Change
from functions.core.digests import digest
from functions.core.errors import Code, Transient
from functions.core.profiles import Effect, Folded, Kept, Origin, Outcome, Subject, decode, effects, fold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SUBJECTS = MAX_ACTIONS // 2
"""That one transaction changes: each of them has an item and a marker."""

_TRANSACTION_BYTES = 3_500_000
"""A transaction has 4 MB at most."""

_TRIES = 8
_DAY = 86_400


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What a chunk has done: to so many subjects; `too_large` are those that it could not be applied to."""

    subjects: int
    outcome: Outcome
    too_large: tuple[Subject, ...] = ()


class _Job(msgspec.Struct, frozen=True):
    """What a chunk does to one subject."""

    subject: Subject
    deeds: list[Effect]
    marker: Mapping[str, Any]


class _Found(msgspec.Struct, frozen=True):
    """What is kept of a subject, and the revision of its item; None where there is no item."""

    kept: Kept
    revision: int | None


class _Work(msgspec.Struct, frozen=True):
    """What a chunk makes of a subject whose item has this revision."""

    job: _Job
    folded: Folded
    revision: int | None


class ProfileBook:
    """The properties of all projects.

    `marker_days` is for how long the repetition of a chunk is known; `at_once` transactions are under way together;
    `clock` gives seconds since the epoch, `sleep` waits for some.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        *,
        table: str,
        marker_days: int = 430,
        at_once: int = 4,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._ledger = Ledger(dynamodb, table=table, clock=clock, sleep=sleep)
        self._marker_seconds = marker_days * _DAY
        self._at_once = at_once

    def read(self, subject: Subject) -> Kept | None:
        """What is kept of a subject; of a profile that was deleted, that it was."""
        item = self._ledger.item(_key(subject))
        return decode(item["body"]["B"]) if item else None

    def erase(self, subject: Subject) -> bool:
        """Remove all that is kept of a subject; False where there is nothing.

        Raises:
            Transient: DynamoDB cannot do it now.
        """
        with translated("erasing properties"):
            gone = self._dynamodb.delete_item(
                TableName=self._table, Key=_key(subject), ReturnValues="ALL_OLD"
            )
        return "Attributes" in gone

    def apply(self, chunk: str, changes: Iterable[Change], *, origin: Origin) -> Applied:
        """Apply what the records of a chunk do, to each subject all of it or nothing, and once.

        A chunk that was applied before changes nothing, and gives the same answer.

        Raises:
            Transient: DynamoDB cannot do it now; to apply the chunk again goes on where it stopped.
        """
        jobs = [
            _Job(subject, deeds, key_of(f"applied#{digest(chunk, subject.digest)}", "applied"))
            for subject, deeds in effects(changes, origin).items()
        ]
        packs = [jobs[at : at + _SUBJECTS] for at in range(0, len(jobs), _SUBJECTS)]
        with ThreadPoolExecutor(self._at_once) as threads:
            outcomes = {
                subject: each for done in threads.map(self._pack, packs) for subject, each in done.items()
            }
        return Applied(
            subjects=len(outcomes),
            outcome=sum(outcomes.values(), Outcome()),
            too_large=tuple(subject for subject, each in outcomes.items() if each.too_large),
        )

    def _pack(self, jobs: Sequence[_Job]) -> dict[Subject, Outcome]:
        """What became of these subjects; one that others change meanwhile is read and folded again."""
        outcomes: dict[Subject, Outcome] = {}
        for attempt in range(_TRIES):
            outcomes |= self._once(jobs)
            jobs = [job for job in jobs if job.subject not in outcomes]
            if not jobs:
                return outcomes
            self._ledger.wait(attempt)
        raise Transient(Code.THROTTLED, "applying properties: others change the same subjects")

    def _once(self, jobs: Sequence[_Job]) -> dict[Subject, Outcome]:
        """What became of those subjects that nobody else was at work on."""
        outcomes, found = self._read(jobs)
        works = [_worked(job, found[job.subject]) for job in jobs if job.subject not in outcomes]
        for some in _within_transactions(works):
            refused = self._ledger.transact_each(
                "applying properties", [self._actions(work) for work in some]
            )
            kept = (work for place, work in enumerate(some) if place not in refused)
            outcomes |= {work.job.subject: work.folded.outcome for work in kept}
        return outcomes

    def _read(self, jobs: Sequence[_Job]) -> tuple[dict[Subject, Outcome], dict[Subject, _Found]]:
        """What became of subjects that the chunk was applied to before, and what is kept of all."""
        subjects = {_key(job.subject)["pk"]["S"]: job.subject for job in jobs}
        markers = {job.marker["pk"]["S"]: job.subject for job in jobs}
        applied: dict[Subject, Outcome] = {}
        found = {job.subject: _Found(Kept(job.subject), None) for job in jobs}
        keys = [key for job in jobs for key in (_key(job.subject), job.marker)]
        for item in self._ledger.items("reading properties", keys):
            name, body = item["pk"]["S"], item["body"]["B"]
            if name in markers:
                applied[markers[name]] = msgspec.json.decode(body, type=Outcome)
            else:
                found[subjects[name]] = _Found(decode(body), int(item["revision"]["N"]))
        return applied, found

    def _actions(self, work: _Work) -> list[Any]:
        """The marker, and the subject where it becomes another."""
        marker = {
            **work.job.marker,
            "body": {"B": msgspec.json.encode(work.folded.outcome)},
            "expires_at": self._ledger.expiry(self._marker_seconds),
        }
        actions = [self._ledger.put_new(marker)]
        if work.folded.body is None:
            return actions
        item = {
            **_key(work.job.subject),
            "body": {"B": work.folded.body},
            "revision": {"N": str((work.revision or 0) + 1)},
        }
        if work.revision is None:
            return [*actions, self._ledger.put_new(item)]
        return [*actions, self._ledger.put_over(item, revision=work.revision)]


def _worked(job: _Job, found: _Found) -> _Work:
    return _Work(job, fold(found.kept, job.deeds), found.revision)


def _within_transactions(works: Iterable[_Work]) -> Iterator[list[_Work]]:
    some: list[_Work] = []
    size = 0
    for work in works:
        size += len(work.folded.body or b"")
        if size > _TRANSACTION_BYTES:
            yield some
            some, size = [], len(work.folded.body or b"")
        some.append(work)
    if some:
        yield some


def _key(subject: Subject) -> dict[str, Any]:
    return key_of(f"project#{subject.project}#{subject.kind}#{subject.digest}", "properties")
