"""Properties against DynamoDB: each chunk is applied to each subject once, whatever others do meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.adapters.profiles import Applied, ProfileBook
from functions.core.chunks import Change
from functions.core.errors import Code, Transient
from functions.core.events.fields import DataType
from functions.core.profiles import Kept, Kind, Origin, Outcome, Subject
from tests.adapters.aws import Aws
from tests.fakes import Clock

ORIGIN = Origin(project=7, key="users/1.json", modified=1_000)
ADA = Subject(7, Kind.USER, "ada@example.com")
BOB = Subject(7, Kind.USER, "bob@example.com")


def row(record: int, user: Subject = ADA, **properties: Any) -> Change:
    return Change(record, DataType.USER_PROPERTIES, {"user_id": user.id, "user_properties": properties})


def add(record: int, user: Subject = ADA) -> Change:
    return row(record, user, **{"$add": {"n": 1}, "$append": {"seen": record}})


def mutation(record: int, kind: str, **properties: Any) -> Change:
    given = {"user_id": ADA.id, "mutation_type": kind, "user_properties": properties}
    return Change(record, DataType.PROFILE, given)


class Meddling:
    """A client of DynamoDB that does something else just before some of its transactions."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.before: list[Callable[[], object]] = []
        self.transactions: list[list[Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def transact_write_items(self, **request: Any) -> Any:
        if self.before:
            self.before.pop(0)()
        self.transactions.append(request["TransactItems"])
        return self.client.transact_write_items(**request)


@pytest.fixture(scope="module")
def make(aws: Aws) -> Callable[..., ProfileBook]:
    def book(client: Any = None, table: str | None = None) -> ProfileBook:
        return ProfileBook(
            client or aws.client("dynamodb"),
            table=table or aws.table(),
            marker_days=430,
            at_once=1,
            clock=Clock(),
            sleep=lambda _: None,
        )

    return book


@pytest.fixture
def book(make: Callable[..., ProfileBook]) -> ProfileBook:
    return make()


def values(book: ProfileBook, subject: Subject = ADA) -> dict[str, Any]:
    kept = book.read(subject)
    return {} if kept is None else kept.values()


def test_a_chunk_is_applied_once_and_answers_the_same_each_time(book: ProfileBook) -> None:
    chunk = [add(1), add(2), add(3, BOB)]
    first = book.apply("one", chunk, origin=ORIGIN)
    assert first == Applied(subjects=2, outcome=Outcome(changes=3))
    assert book.apply("two", [add(4)], origin=ORIGIN) == Applied(subjects=1, outcome=Outcome(changes=1))
    assert book.apply("one", chunk, origin=ORIGIN) == first
    assert values(book) == {"n": 3, "seen": [1, 2, 4]}
    assert values(book, BOB) == {"n": 1, "seen": [3]}


def test_what_changed_nothing_is_not_applied_later_either(book: ProfileBook) -> None:
    book.apply("one", [row(1, color="blue")], origin=ORIGIN)
    book.apply("two", [row(1, color="blue")], origin=ORIGIN)
    book.apply("three", [row(1, color="red")], origin=ORIGIN)
    book.apply("two", [row(1, color="blue")], origin=ORIGIN)
    assert values(book) == {"color": "red"}


def test_more_subjects_than_one_transaction_takes(book: ProfileBook) -> None:
    users = [Subject(7, Kind.USER, f"user-{number}") for number in range(120)]
    changes = [add(number, user) for number, user in enumerate(users)]
    done = book.apply("one", changes, origin=ORIGIN)
    assert done == Applied(subjects=120, outcome=Outcome(changes=120))
    assert [values(book, user)["seen"] for user in users] == [[number] for number in range(120)]


def test_large_subjects_go_into_several_transactions(aws: Aws, make: Callable[..., ProfileBook]) -> None:
    client = Meddling(aws.client("dynamodb"))
    users = [Subject(7, Kind.USER, f"user-{number}") for number in range(11)]
    text = "x" * 390_000
    make(client).apply("one", [row(1, user, text=text) for user in users], origin=ORIGIN)
    assert [len(actions) for actions in client.transactions] == [16, 6]


def test_changes_by_others_in_between_are_kept(aws: Aws, make: Callable[..., ProfileBook]) -> None:
    table = aws.table()
    client = Meddling(aws.client("dynamodb"))
    book, other = make(client, table), make(None, table)
    other.apply("zero", [add(9)], origin=ORIGIN)
    client.before.append(lambda: other.apply("other", [add(8), add(8, BOB)], origin=ORIGIN))
    done = book.apply("one", [add(1), add(1, BOB)], origin=ORIGIN)
    assert done.outcome == Outcome(changes=2)
    assert values(book)["seen"] == [9, 8, 1]
    assert values(book, BOB)["seen"] == [8, 1]


def test_of_two_who_apply_a_chunk_at_once_one_does(aws: Aws, make: Callable[..., ProfileBook]) -> None:
    table = aws.table()
    client = Meddling(aws.client("dynamodb"))
    book, other = make(client, table), make(None, table)
    chunk = [add(1), add(2, BOB)]
    client.before.append(lambda: other.apply("one", chunk, origin=ORIGIN))
    assert book.apply("one", chunk, origin=ORIGIN) == Applied(subjects=2, outcome=Outcome(changes=2))
    assert values(book) == {"n": 1, "seen": [1]}


def test_one_whom_others_change_all_the_time_is_tried_again_later(
    aws: Aws, make: Callable[..., ProfileBook]
) -> None:
    table = aws.table()
    client = Meddling(aws.client("dynamodb"))
    book, other = make(client, table), make(None, table)
    client.before += [
        lambda number=number: other.apply(f"other {number}", [add(number)], origin=ORIGIN)  # type: ignore[misc] # a default binds it
        for number in range(100)
    ]
    with pytest.raises(Transient) as caught:
        book.apply("one", [add(1)], origin=ORIGIN)
    assert caught.value.code is Code.THROTTLED


def test_what_is_too_large_is_told_and_stops_nobody_else(book: ProfileBook) -> None:
    book.apply("zero", [row(1, small=1)], origin=ORIGIN)
    large = row(1, text=["x" * 1_000] * 420)
    done = book.apply("one", [large, row(2, other=1), row(3, BOB, a=1)], origin=ORIGIN)
    assert done == Applied(subjects=2, outcome=Outcome(changes=1, too_large=2), too_large=(ADA,))
    assert (values(book), values(book, BOB)) == ({"small": 1}, {"a": 1})
    assert book.apply("one", [large, row(2, other=1), row(3, BOB, a=1)], origin=ORIGIN) == done


def test_rows_of_a_mirror_count_by_their_stamps(book: ProfileBook) -> None:
    later = Origin(project=7, key="users/2.json", modified=2_000)
    book.apply("two", [mutation(1, "UPDATE", plan="gold"), mutation(2, "DELETE")], origin=later)
    done = book.apply("one", [mutation(1, "INSERT", plan="free")], origin=ORIGIN)
    assert done.outcome == Outcome(stale=1)
    profile = Subject(7, Kind.PROFILE, ADA.id)
    kept = book.read(profile)
    assert isinstance(kept, Kept)
    assert (kept.state.exists, values(book, profile), values(book)) == (False, {}, {})
    book.apply("three", [mutation(3, "UPDATE", plan="new")], origin=later)
    assert values(book, profile) == {"plan": "new"}
    gone = book.apply(
        "four", [Change(1, DataType.PROFILE, {"user_id": BOB.id, "mutation_type": "DELETE"})], origin=later
    )
    assert gone.outcome == Outcome(absent=1)


def test_what_is_erased_is_gone_and_a_chunk_of_before_does_not_bring_it_back(book: ProfileBook) -> None:
    book.apply("one", [add(1)], origin=ORIGIN)
    assert book.erase(ADA)
    assert not book.erase(ADA)
    book.apply("one", [add(1)], origin=ORIGIN)
    assert book.read(ADA) is None


def test_ids_that_are_longer_than_keys_are_ids(book: ProfileBook) -> None:
    long = Subject(7, Kind.USER, "\N{GRINNING FACE}" * 1_024)
    book.apply("one", [row(1, long, a=1)], origin=ORIGIN)
    kept = book.read(long)
    assert kept is not None
    assert (kept.subject, kept.values()) == (long, {"a": 1})
    assert book.read(Subject(7, Kind.USER, long.id[:-1])) is None


def test_markers_expire_and_do_not_tell_whose_they_are(aws: Aws, make: Callable[..., ProfileBook]) -> None:
    table = aws.table()
    make(None, table).apply("one", [add(1)], origin=ORIGIN)
    items = {item["sk"]["S"]: item for item in aws.client("dynamodb").scan(TableName=table)["Items"]}
    assert items["applied"]["expires_at"] == {"N": str(int(Clock().now) + 430 * 86_400)}
    assert ADA.id not in str(items["applied"])
    assert "expires_at" not in items["properties"]
