import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.adapters.drafts import BucketStore, bucket_store
from functions.adapters.objects import Bucket
from functions.core.definitions.streams import StreamDestination, parse
from functions.core.errors import Code, Permanent
from functions.core.files.store import Written
from tests.adapters.aws import Aws
from tests.memory import FakeDefinitions, MemoryBucket


def destination(**changes: Any) -> StreamDestination:
    return parse(FakeDefinitions().add(**changes).document)


def written(key: str = "a.csv.gz", **changes: Any) -> Written:
    said: dict[str, Any] = {"bytes": 3, "rows": 1, "checksum": "sha256:0", "content_type": "text/csv"}
    return Written(key=key, **(said | changes))


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def test_nothing_is_seen_of_a_draft_before_it_is_published(bucket: MemoryBucket) -> None:
    with bucket_store(bucket, destination()) as store:
        draft = store.draft()
        draft.stream.write(b"abc")
        draft.stream.seek(1)
        assert draft.stream.read() == b"bc"
        draft.close()
        assert bucket.objects == {}
        store.publish(draft, written())
    assert bucket.objects["a.csv.gz"].body == b"abc"


def test_an_object_has_all_that_the_definition_and_the_file_say(bucket: MemoryBucket) -> None:
    said = destination(storage_class="GLACIER", metadata={"team": "größe", "x": "y"})
    with bucket_store(bucket, said) as store:
        draft = store.draft()
        draft.close()
        store.publish(draft, written(content_encoding="gzip"))
    kept = bucket.objects["a.csv.gz"]
    assert (kept.storage_class, kept.content.type, kept.content.encoding) == ("GLACIER", "text/csv", "gzip")
    assert kept.metadata == {"team": "=?utf-8?b?Z3LDtsOfZQ==?=", "x": "y"}


def test_metadata_that_are_no_ascii_arrive_in_s3(aws: Aws, opened: Callable[..., Bucket]) -> None:
    name = aws.bucket()
    with bucket_store(opened(name), destination(metadata={"team": "größe"})) as store:
        draft = store.draft()
        draft.close()
        store.publish(draft, written())
    found = aws.client("s3").head_object(Bucket=name, Key="a.csv.gz")
    assert found["Metadata"] == {"team": "=?utf-8?b?Z3LDtsOfZQ==?="}


def test_an_object_can_be_withdrawn_whether_or_not_it_is_there(bucket: MemoryBucket) -> None:
    with bucket_store(bucket, destination()) as store:
        draft = store.draft()
        draft.close()
        store.publish(draft, written())
        store.withdraw("a.csv.gz")
        store.withdraw("absent")
    assert bucket.objects == {}


def test_a_draft_that_is_discarded_gives_its_room_back_and_the_others_stay(tmp_path: Path) -> None:
    store = BucketStore(MemoryBucket(), destination(), str(tmp_path))
    first, second = store.draft(), store.draft()
    first.discard()
    assert [str(path) for path in tmp_path.iterdir()] == [second.path]
    second.close()
    second.discard()
    assert list(tmp_path.iterdir()) == []
    store.close()


@pytest.mark.parametrize("error", [None, Permanent(Code.BAD_KEY, "why")])
def test_nothing_is_left_on_disk_and_open_whatever_happens(
    bucket: MemoryBucket, error: Exception | None
) -> None:
    def use() -> None:
        with bucket_store(bucket, destination()) as store:
            drafts.extend(store.draft() for _ in range(3))
            drafts[0].close()
            if error is not None:
                raise error

    drafts: list[Any] = []
    if error is None:
        use()
    else:
        with pytest.raises(Permanent):
            use()
    assert not any(os.path.exists(draft.path) for draft in drafts)  # noqa: PTH110 - a path of text
    assert all(draft.stream.closed for draft in drafts)


def test_a_bucket_that_refuses_is_told(bucket: MemoryBucket) -> None:
    bucket.journal.fail("put", Permanent(Code.MISSING_PERMISSION, "S3 answered 403"))
    with bucket_store(bucket, destination()) as store:
        draft = store.draft()
        draft.close()
        with pytest.raises(Permanent):
            store.publish(draft, written())
    assert bucket.objects == {}
