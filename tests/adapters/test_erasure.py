"""A user's events erased from S3 and counted out of the ledger, however often it is begun anew."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from functions.adapters.erasure import Erasure, Looked
from functions.adapters.files import FileLedger, GroupPart
from functions.adapters.ledger import Ledger
from functions.core.digests import digest
from functions.core.errors import Transient
from functions.core.event_groups import EventPart, Hour, hour_of
from functions.core.imports import Found, waiting
from functions.core.profiles import Kind, Subject
from functions.core.runs import Tally
from tests.adapters.aws import Aws

ADA = Subject(7, Kind.USER, "ada@example.com")
HOUR = hour_of(7, seconds=1_760_410_739)


class Meddling:
    """A client of S3 that does something else just before some of its writes."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.before: list[Callable[[], object]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def put_object(self, **request: Any) -> Any:
        if self.before:
            self.before.pop(0)()
        return self.client.put_object(**request)


class Store:
    """An event store with its ledger."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self.bucket = bucket
        self.table = aws.table()
        self.aws = aws
        self.s3 = Meddling(aws.client("s3"))
        self.ledger = Ledger(aws.client("dynamodb"), table=self.table)

    def erasure(self) -> Erasure:
        return Erasure(
            self.s3,  # type: ignore[arg-type] # it does what that does
            self.aws.client("dynamodb"),
            bucket=self.bucket,
            ledger_table=self.table,
            sleep=lambda _: None,
        )

    def run(self, subject: Subject = ADA, **options: Any) -> list[Looked]:
        return list(self.erasure().run(subject, **options))

    def put(self, hour: Hour, name: str, *users: str, committed: bool = True) -> str:
        """A part with an event of each of these users."""
        key = hour.key(digest(name))
        lines = b"".join(json.dumps({"user_id": f"{user}@example.com"}).encode() + b"\n" for user in users)
        body = gzip.compress(lines)
        self.s3.client.put_object(
            Bucket=self.bucket, Key=key, Body=body, ContentType="application/gzip", Metadata={"a": "b"}
        )
        if committed:
            self.commit(
                hour,
                EventPart(key=key, events=len(users), bytes=len(lines), compressed=len(body), origin=name),
            )
        return key

    def commit(self, hour: Hour, part: EventPart) -> None:
        files = FileLedger(self.aws.client("dynamodb"), table=self.table, event_days=400)
        found = Found(key=part.origin, etag="1", size=1, modified=1)
        file = files.begin(waiting(found, source="shop", bucket="drop", now=1))
        assert file is not None
        assert files.commit(file, [GroupPart(group=hour.group, part=part)])

    def users(self, key: str) -> list[str]:
        lines = gzip.decompress(self.aws.body(self.bucket, key)).splitlines()
        return [json.loads(line)["user_id"].partition("@")[0] for line in lines]

    def part(self, hour: Hour, key: str) -> EventPart:
        bodies = [item["body"]["B"] for item in self.ledger.parts(hour.group)]
        [found] = [
            part for part in (msgspec.json.decode(each, type=EventPart) for each in bodies) if part.key == key
        ]
        return found


@pytest.fixture
def store(aws: Aws) -> Store:
    return Store(aws, aws.bucket())


def size_of(*users: str) -> int:
    return sum(len(json.dumps({"user_id": f"{user}@example.com"})) + 1 for user in users)


def test_events_go_and_what_is_counted_follows(store: Store) -> None:
    mixed = store.put(HOUR, "mixed", "ada", "bob", "ada", "eve")
    others = store.put(HOUR, "others", "bob")
    elsewhere = store.put(Hour(77, HOUR.number), "elsewhere", "ada")
    assert sorted(store.run(), key=lambda each: -each.events) == [
        Looked(key=mixed, events=2),
        Looked(key=others),
    ]
    assert store.users(mixed) == ["bob", "eve"]
    assert store.users(elsewhere) == ["ada"]
    part = store.part(HOUR, mixed)
    assert (part.events, part.bytes) == (2, size_of("bob", "eve"))
    assert part.compressed == len(store.aws.body(store.bucket, mixed))
    total = Tally(messages=2, rows=3, bytes=size_of("bob", "eve", "bob"))
    assert store.ledger.tally(HOUR.group) == total
    assert sum(each.events for each in store.run()) == 0
    assert store.ledger.tally(HOUR.group) == total


def test_an_object_keeps_what_it_says_of_itself(store: Store) -> None:
    key = store.put(HOUR, "one", "ada", "bob")
    store.run()
    head = store.s3.head_object(Bucket=store.bucket, Key=key)
    assert (head["ContentType"], head["Metadata"]) == ("application/gzip", {"a": "b"})


def test_an_erasure_that_broke_between_ledger_and_object_is_finished_by_the_next(store: Store) -> None:
    key = store.put(HOUR, "one", "ada", "bob")

    def breaks() -> None:
        raise ConnectionError

    store.s3.before.append(breaks)
    with pytest.raises(ConnectionError):
        store.run()
    assert store.part(HOUR, key).events == 1
    assert store.users(key) == ["ada", "bob"]
    assert store.run() == [Looked(key=key, events=1)]
    assert store.users(key) == ["bob"]
    assert store.ledger.tally(HOUR.group).rows == store.part(HOUR, key).events == 1


def test_two_erasures_at_once_undo_nothing_of_one_another(store: Store) -> None:
    key = store.put(HOUR, "one", "ada", "bob", "eve")
    bob = Subject(7, Kind.USER, "bob@example.com")
    store.s3.before.append(lambda: store.run(bob))
    assert store.run() == [Looked(key=key, events=1)]
    assert store.users(key) == ["eve"]
    assert store.ledger.tally(HOUR.group).rows == store.part(HOUR, key).events == 1


def test_a_part_that_nobody_committed_is_rewritten_too(store: Store) -> None:
    key = store.put(HOUR, "one", "ada", "bob", committed=False)
    assert store.run() == [Looked(key=key, events=1)]
    assert store.users(key) == ["bob"]
    assert store.ledger.tally(HOUR.group) == Tally()


def test_it_goes_on_after_a_key(store: Store) -> None:
    keys = sorted(store.put(Hour(7, HOUR.number + number), f"part {number}", "ada") for number in range(9))
    assert [each.key for each in store.run(after=keys[3])] == keys[4:]
    assert [each.events for each in store.run()] == [1] * 4 + [0] * 5


def test_a_damaged_part_is_told_and_the_others_are_done(store: Store) -> None:
    key = store.put(HOUR, "one", "ada")
    damaged = Hour(7, HOUR.number - 1).key(digest("damaged"))
    store.s3.client.put_object(Bucket=store.bucket, Key=damaged, Body=b"no gzip")
    first, second = store.run()
    assert first.fault is not None
    assert damaged in str(first.fault)
    assert second == Looked(key=key, events=1)


def test_a_part_that_is_always_changed_is_tried_again_later(store: Store) -> None:
    store.put(HOUR, "one", "ada", "bob")
    counts = iter(range(2, 99))
    store.s3.before += [lambda: store.put(HOUR, "one", "ada", *["bob"] * next(counts), committed=False)] * 50
    with pytest.raises(Transient, match="others change"):
        store.run()
