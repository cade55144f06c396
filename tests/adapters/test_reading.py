"""Finding and reading a customer's files: whole, in order, and always the version that is meant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from functions.adapters.fetching import PIECE
from functions.adapters.objects import Bucket
from functions.core.errors import Code, Permanent, Transient
from tests.adapters.aws import Aws
from tests.adapters.stub_s3 import Answer, Asked, StubS3, refusal

Open = Callable[..., Bucket]
ODD = ["/a", "a b+%41.json", "a//b", "a/", "a/./b", "a/../b", "t\tab", "é😀.json", "\U0001f600", "\uffee"]


def _filled(aws: Aws, *keys: str) -> str:
    name = aws.bucket()
    for key in keys:
        aws.client("s3").put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def test_a_listing_gives_every_key_once_in_the_order_of_its_bytes(aws: Aws, opened: Open) -> None:
    bucket = opened(_filled(aws, *ODD))
    ordered = sorted(ODD, key=str.encode)
    found = list(bucket.listing(""))
    assert [each.key for each in found] == ordered
    assert [each.size for each in found] == [len(key.encode()) for key in ordered]
    assert [each.key for each in bucket.listing("a")] == [key for key in ordered if key.startswith("a")]
    assert [each.key for each in bucket.listing("", after="a/")] == ordered[ordered.index("a/") + 1 :]
    assert list(bucket.listing("nothing")) == []


def test_a_listing_goes_on_from_page_to_page(stub: StubS3, opened: Open) -> None:
    def page(asked: Asked) -> Answer:
        first = "continuation-token" not in asked.query
        more = "<NextContinuationToken>next</NextContinuationToken>" if first else ""
        listed = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2025-10-14T02:58:59.000Z</LastModified>"
            "<ETag>&quot;e&quot;</ETag><Size>1</Size></Contents>"
            for key in (("a%0Ab", "b") if first else ("c",))
        )
        body = f"<ListBucketResult><EncodingType>url</EncodingType>{more}{listed}</ListBucketResult>"
        return Answer(body=body.encode(), headers={"Content-Type": "application/xml"})

    stub.answer = page
    listing = opened("acme", endpoint_url=stub.url, owner="111122223333").listing("", after="a")
    first = next(listing)
    assert (first.key, first.etag, first.modified) == ("a\nb", "e", 1760410739000)
    assert len(stub.asked) == 1
    assert [each.key for each in listing] == ["b", "c"]
    assert "start-after=a" in stub.asked[0].query
    assert "start-after" not in stub.asked[1].query
    assert {asked.headers["x-amz-expected-bucket-owner"] for asked in stub.asked} == {"111122223333"}


@pytest.mark.parametrize("key", ODD)
def test_a_file_is_looked_at_and_fetched_under_any_key(
    aws: Aws, opened: Open, tmp_path: Path, key: str
) -> None:
    bucket = opened(_filled(aws, key))
    [listed] = bucket.listing("")
    assert bucket.head(key) == listed
    bucket.fetch(key, tmp_path / "file", etag=listed.etag)
    assert (tmp_path / "file").read_bytes() == key.encode()


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_file_of_any_size_is_fetched_whole(aws: Aws, opened: Open, tmp_path: Path, size: int) -> None:
    name = aws.bucket()
    body = bytes(range(251)) * (size // 251 + 1)
    aws.client("s3").put_object(Bucket=name, Key="a", Body=body[:size])
    bucket = opened(name)
    bucket.fetch("a", tmp_path / "file", etag=bucket.head("a").etag)
    assert (tmp_path / "file").read_bytes() == body[:size]


@pytest.mark.parametrize("key", ["a", "a//b"])
def test_a_file_that_was_replaced_is_changed_and_one_that_is_gone_is_missing(
    aws: Aws, opened: Open, tmp_path: Path, key: str
) -> None:
    name = _filled(aws, key)
    bucket = opened(name)
    etag = bucket.head(key).etag
    aws.client("s3").put_object(Bucket=name, Key=key, Body=b"other")
    with pytest.raises(Permanent) as raised:
        bucket.fetch(key, tmp_path / "file", etag=etag)
    assert raised.value.code is Code.CHANGED
    bucket.delete(key)
    for call in (lambda: bucket.fetch(key, tmp_path / "file", etag=etag), lambda: bucket.head(key)):
        with pytest.raises(Permanent) as raised:
            call()
        assert raised.value.code is Code.MISSING_FILE


def test_a_file_that_is_replaced_between_its_pieces_is_changed(
    stub: StubS3, opened: Open, tmp_path: Path
) -> None:
    def answer(asked: Asked) -> Answer:
        if "range" not in asked.headers:
            return Answer(body=b"x" * (2 * PIECE))
        return refusal(412, "PreconditionFailed")

    stub.answer = answer
    with pytest.raises(Permanent) as raised:
        opened("acme", endpoint_url=stub.url).fetch("a", tmp_path / "file", etag="e")
    assert raised.value.code is Code.CHANGED
    assert {asked.headers["if-match"] for asked in stub.asked} == {'"e"'}


def test_what_passes_while_a_file_is_fetched_is_transient(stub: StubS3, opened: Open, tmp_path: Path) -> None:
    stub.answer = lambda _: refusal(503, "SlowDown")
    with pytest.raises(Transient):
        opened("acme", endpoint_url=stub.url).fetch("a", tmp_path / "file", etag="e")
