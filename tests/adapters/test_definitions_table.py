import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.adapters.definitions import Definitions, Stored
from functions.core.errors import Code, Permanent, Transient
from tests.adapters.aws import Aws

DOCUMENT = {
    "name": "acme",
    "kind": "messages",
    "bucket": "acme-data",
    "credentials": {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"},
}


def _stored(version: int = 1, *, name: str = "acme", prefix: str = "") -> Stored:
    return Stored(
        name=name,
        version=version,
        document=DOCUMENT | {"name": name, "prefix": prefix},
        created_at="2025-10-14T02:58:59Z",
        external_id="sluice-1",
    )


@pytest.fixture
def definitions(aws: Aws) -> Definitions:
    return Definitions(aws.client("dynamodb"), table=aws.table())


def test_what_is_put_is_read_back(definitions: Definitions) -> None:
    definitions.put(_stored(prefix="größe/"))
    assert definitions.current("acme") == _stored(prefix="größe/")
    assert _stored(prefix="x/").destination().prefix == "x/"


def test_what_was_never_put_is_not_there(definitions: Definitions) -> None:
    assert definitions.current("acme") is None
    assert definitions.version("acme", 1) is None
    assert definitions.last_version("acme") == 0
    assert list(definitions.names()) == []


def test_every_version_is_kept(definitions: Definitions) -> None:
    for version in (1, 2, 3):
        definitions.put(_stored(version, prefix=f"{version}/"))
    assert definitions.current("acme") == _stored(3, prefix="3/")
    for version in (1, 2, 3):
        assert definitions.version("acme", version) == _stored(version, prefix=f"{version}/")
    assert definitions.last_version("acme") == 3


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_version_that_does_not_follow_the_current_one_is_refused(
    definitions: Definitions, version: int
) -> None:
    definitions.put(_stored(1))
    definitions.put(_stored(2))
    with pytest.raises(Permanent) as raised:
        definitions.put(_stored(version, prefix="other/"))
    assert raised.value.code is Code.EXISTS
    assert definitions.current("acme") == _stored(2)
    assert [definitions.version("acme", each) for each in (1, 2, 4)] == [_stored(1), _stored(2), None]
    assert definitions.last_version("acme") == 2


def test_a_later_version_of_nothing_is_refused(definitions: Definitions) -> None:
    with pytest.raises(Permanent) as raised:
        definitions.put(_stored(2))
    assert raised.value.code is Code.EXISTS
    assert definitions.current("acme") is None


@pytest.mark.parametrize("version", [1, 2])
def test_of_two_writers_who_began_from_the_same_version_one_wins(
    definitions: Definitions, version: int
) -> None:
    # One after the other: moto's own transactions are not safe against one another.
    for before in range(1, version):
        definitions.put(_stored(before))
    definitions.put(_stored(version, prefix="one/"))
    with pytest.raises(Permanent) as raised:
        definitions.put(_stored(version, prefix="other/"))
    assert raised.value.code is Code.EXISTS
    assert definitions.current("acme") == _stored(version, prefix="one/")
    assert definitions.version("acme", version) == _stored(version, prefix="one/")


@pytest.mark.parametrize(
    "reason", ["ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"]
)
def test_a_transaction_that_was_not_refused_by_its_condition_may_be_tried_again(
    aws: Aws, reason: str
) -> None:
    dynamodb = aws.client("dynamodb")
    with Stubber(dynamodb) as stubber:
        stubber.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": reason}, {"Code": "None"}, {"Code": "None"}]},
        )
        with pytest.raises(Transient):
            Definitions(dynamodb, table="definitions").put(_stored())


def test_a_table_that_is_throttled_is_transient(aws: Aws) -> None:
    dynamodb = aws.client("dynamodb")
    with Stubber(dynamodb) as stubber:
        for deed in ("put", "delete"):
            stubber.add_client_error("transact_write_items", "ProvisionedThroughputExceededException")
            with pytest.raises(Transient) as raised:
                getattr(Definitions(dynamodb, table="definitions"), deed)(_stored())
            assert raised.value.code is Code.THROTTLED


def test_names_are_listed_in_order(definitions: Definitions) -> None:
    for name in ("b", "a", "C", "a-1"):
        definitions.put(_stored(name=name))
    definitions.put(_stored(2, name="a"))
    assert list(definitions.names()) == sorted(["b", "a", "C", "a-1"])


def test_a_destination_that_is_deleted_is_gone_and_its_versions_stay(definitions: Definitions) -> None:
    definitions.put(_stored(1))
    definitions.put(_stored(2))
    definitions.delete(_stored(2))
    assert definitions.current("acme") is None
    assert list(definitions.names()) == []
    assert definitions.version("acme", 1) == _stored(1)
    assert definitions.version("acme", 2) == _stored(2)
    assert definitions.last_version("acme") == 2


def test_a_destination_that_somebody_else_changed_is_not_deleted(definitions: Definitions) -> None:
    definitions.put(_stored(1))
    definitions.put(_stored(2))
    with pytest.raises(Permanent) as raised:
        definitions.delete(_stored(1))
    assert raised.value.code is Code.EXISTS
    assert definitions.current("acme") == _stored(2)


def test_a_name_that_was_deleted_goes_on_after_its_last_version(definitions: Definitions) -> None:
    definitions.put(_stored(1, prefix="first/"))
    definitions.delete(_stored(1))
    definitions.put(_stored(2, prefix="second/"))
    assert definitions.current("acme") == _stored(2, prefix="second/")
    assert definitions.version("acme", 1) == _stored(1, prefix="first/")


def test_a_version_that_there_was_is_never_written_over(definitions: Definitions) -> None:
    definitions.put(_stored(1, prefix="first/"))
    definitions.delete(_stored(1))
    with pytest.raises(Permanent):
        definitions.put(_stored(1, prefix="second/"))
    assert definitions.version("acme", 1) == _stored(1, prefix="first/")


def test_an_external_id_is_made_once(definitions: Definitions) -> None:
    made = definitions.issue_external_id("acme")
    assert definitions.issue_external_id("acme") == made
    assert definitions.issue_external_id("other") != made


def test_of_two_who_ask_for_an_external_id_at_once_both_get_the_same(definitions: Definitions) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(lambda _: definitions.issue_external_id("acme"), range(4)))) == 1


def test_an_external_id_is_never_issued_again(definitions: Definitions) -> None:
    issued = set()
    for version in range(1, 4):
        issued.add(definitions.issue_external_id("acme"))
        stored = _stored(version)
        definitions.put(stored)
        definitions.delete(stored)
    assert len(issued) == 3


def test_an_external_id_is_one_that_aws_takes(definitions: Definitions) -> None:
    made = definitions.issue_external_id("acme")
    assert 2 <= len(made) <= 1_224
    assert all(each.isascii() and (each.isalnum() or each in "_+=,.@:/-") for each in made)


def test_a_table_that_is_not_there_is_our_own_fault_and_transient(aws: Aws) -> None:
    definitions = Definitions(aws.client("dynamodb"), table="no-such-table")
    calls = (
        lambda: definitions.current("acme"),
        lambda: list(definitions.names()),
        lambda: definitions.issue_external_id("acme"),
        lambda: definitions.last_version("acme"),
    )
    for call in calls:
        with pytest.raises(Transient):
            call()


_NUMBERS = itertools.count()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["put", "put", "delete"]), max_size=6))
def test_whatever_is_put_and_deleted_every_version_is_kept(
    definitions: Definitions, deeds: list[str]
) -> None:
    name = f"name-{next(_NUMBERS)}"
    seen: dict[int, Stored] = {}
    for number, deed in enumerate(deeds):
        current = definitions.current(name)
        if deed == "delete" and current:
            definitions.delete(current)
        elif deed == "put":
            stored = _stored(definitions.last_version(name) + 1, name=name, prefix=f"{number}/")
            definitions.put(stored)
            seen[stored.version] = stored
    assert {version: definitions.version(name, version) for version in seen} == seen
