import threading
from collections.abc import Callable

import pytest

from functions.adapters.objects import Bucket
from functions.adapters.payloads import Payloads
from functions.core.errors import Code, Permanent, Transient
from tests.adapters.aws import Aws
from tests.adapters.stub_s3 import Answer, StubS3, refusal

Open = Callable[..., Bucket]


@pytest.fixture
def data(aws: Aws, opened: Open) -> tuple[str, Bucket]:
    name = aws.bucket()
    return name, opened(name)


def _refused(payloads: Payloads, bucket: str, key: str) -> Permanent:
    with pytest.raises(Permanent) as raised, payloads.read(bucket=bucket, key=key):
        pytest.fail("it was read")
    return raised.value


def test_a_body_is_read_as_it_was_put_aside(data: tuple[str, Bucket]) -> None:
    name, bucket = data
    bucket.put("payloads/1", b'{"a": "\xff"}')
    with Payloads(bucket, name=name, budget=1_000).read(bucket=name, key="payloads/1") as body:
        assert body == b'{"a": "\xff"}'


def test_a_body_of_twenty_megabytes_is_read(data: tuple[str, Bucket]) -> None:
    name, bucket = data
    bucket.put("payloads/1", b"x" * 20_000_000)
    with Payloads(bucket, name=name, budget=256_000_000).read(bucket=name, key="payloads/1") as body:
        assert len(body) == 20_000_000


@pytest.mark.parametrize("key", ["payloads/1", "failures/acme/1.json", "", "payloads"])
def test_another_bucket_is_never_read(data: tuple[str, Bucket], stub: StubS3, opened: Open, key: str) -> None:
    payloads = Payloads(opened("data", endpoint_url=stub.url), name="data", budget=1_000)
    assert _refused(payloads, "data-of-another", key).code is Code.BAD_MESSAGE
    assert stub.asked == []


@pytest.mark.parametrize(
    "key", ["failures/acme/1.json", "", "payloads", "/payloads/1", "other/payloads/1", "payloadsX/1"]
)
def test_nothing_else_of_our_own_bucket_is_read(stub: StubS3, opened: Open, key: str) -> None:
    payloads = Payloads(opened("data", endpoint_url=stub.url), name="data", budget=1_000)
    assert _refused(payloads, "data", key).code is Code.BAD_MESSAGE
    assert stub.asked == []


@pytest.mark.parametrize(
    "key", ["payloads/../failures/acme/1.json", "payloads/./1", "payloads/..", "payloads/\x00", "payloads/"]
)
def test_a_key_that_climbs_is_refused_for_good(stub: StubS3, opened: Open, key: str) -> None:
    stub.answer = lambda _: Answer(status=404)
    payloads = Payloads(opened("data", endpoint_url=stub.url), name="data", budget=1_000)
    assert _refused(payloads, "data", key).code in {Code.BAD_MESSAGE, Code.BAD_KEY, Code.MISSING_FILE}
    assert all("failures" not in asked.path for asked in stub.asked)


@pytest.mark.parametrize("key", ["payloads/a//b", "payloads/a b+%41é", "payloads/x/"])
def test_an_odd_key_is_read(data: tuple[str, Bucket], key: str) -> None:
    name, bucket = data
    bucket.put(key, b"{}")
    with Payloads(bucket, name=name, budget=1_000).read(bucket=name, key=key) as body:
        assert body == b"{}"


def test_a_body_that_is_not_there_is_a_missing_file(data: tuple[str, Bucket]) -> None:
    name, bucket = data
    assert _refused(Payloads(bucket, name=name, budget=1_000), name, "payloads/1").code is Code.MISSING_FILE


def test_a_403_means_the_same_for_we_may_not_list(stub: StubS3, opened: Open) -> None:
    stub.answer = lambda _: Answer(status=403)
    payloads = Payloads(opened("data", endpoint_url=stub.url), name="data", budget=1_000)
    assert _refused(payloads, "data", "payloads/1").code is Code.MISSING_FILE


def test_s3_that_cannot_answer_now_is_asked_again_later(stub: StubS3, opened: Open) -> None:
    stub.answer = lambda _: Answer(status=503)
    payloads = Payloads(opened("data", endpoint_url=stub.url), name="data", budget=1_000)
    with pytest.raises(Transient), payloads.read(bucket="data", key="payloads/1"):
        pytest.fail("it was read")


def test_a_body_beyond_the_whole_budget_is_too_large_and_not_fetched(stub: StubS3, opened: Open) -> None:
    stub.answer = lambda _: Answer(headers={"Content-Length": "1000001"})
    payloads = Payloads(opened("data", endpoint_url=stub.url), name="data", budget=1_000_000)
    error = _refused(payloads, "data", "payloads/1")
    assert error.code is Code.TOO_LARGE
    assert [asked.method for asked in stub.asked] == ["HEAD"]


def test_bodies_that_do_not_fit_together_are_read_one_after_the_other(data: tuple[str, Bucket]) -> None:
    name, bucket = data
    bucket.put("payloads/1", b"x" * 600)
    payloads = Payloads(bucket, name=name, budget=1_500)
    most = [0]
    now = [0]
    lock = threading.Lock()

    def read() -> None:
        with payloads.read(bucket=name, key="payloads/1") as body:
            with lock:
                now[0] += len(body)
                most[0] = max(most[0], now[0])
            with lock:
                now[0] -= len(body)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert 600 <= most[0] <= 1_500


def test_the_budget_is_given_back_whatever_happens_with_a_body(data: tuple[str, Bucket]) -> None:
    name, bucket = data
    bucket.put("payloads/1", b"x" * 400)
    payloads = Payloads(bucket, name=name, budget=1_000)
    for _ in range(5):
        with pytest.raises(LookupError), payloads.read(bucket=name, key="payloads/1"):
            raise LookupError("of the caller")
    with payloads.read(bucket=name, key="payloads/1") as body:
        assert len(body) == 400


def test_the_budget_is_given_back_when_a_body_cannot_be_fetched(stub: StubS3, opened: Open) -> None:
    def answer(asked: object) -> Answer:
        head = getattr(asked, "method", "") == "HEAD"
        return Answer(headers={"Content-Length": "900"}) if head else refusal(409, "OperationAborted")

    stub.answer = answer
    payloads = Payloads(opened("data", endpoint_url=stub.url), name="data", budget=1_000)
    for _ in range(3):
        with pytest.raises(Transient), payloads.read(bucket="data", key="payloads/1"):
            pytest.fail("it was read")
