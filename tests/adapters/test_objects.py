import random
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from functions.adapters.objects import Bucket, Content, own_credentials
from functions.core.errors import Code, Permanent, SluiceError, Transient
from functions.core.keys import object_key
from functions.core.metadata import faults
from tests.adapters.aws import Aws
from tests.adapters.conftest import credentials
from tests.adapters.stub_s3 import Answer, Asked, StubS3, refusal

Open = Callable[..., Bucket]
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"

ODD_KEYS = [
    "a//b",
    "a/",
    "a//",
    "a b+%41#?*~{}é😀[]",
    "a b+%41#?*~{}é😀[]//x/",
    "%2e%2e/%2F/%",
    ".hidden/...",
    "a\\..\\b",
    "&amp;<x>\"'|^`@!$(),;=:",
    " leading and trailing ",
    "x" * 1024,
]


@pytest.fixture
def loopback(stub: StubS3, opened: Open) -> Bucket:
    return opened("acme", endpoint_url=stub.url)


def test_an_object_is_written_as_it_is_and_read_back(aws: Aws, opened: Open) -> None:
    name = aws.bucket()
    bucket = opened(name)
    body = b'{"data": {"z":  1.0, "u": "\\ud83d"}}'
    assert bucket.put("in/a.json", body, metadata={"operationId": "op-1", "sluice-id": "s", "empty": ""})
    found = aws.client("s3").head_object(Bucket=name, Key="in/a.json")
    assert aws.body(name, "in/a.json") == body == bucket.get("in/a.json")
    assert found["ContentType"] == "application/json"
    assert found["Metadata"] == {"operationid": "op-1", "sluice-id": "s", "empty": ""}
    assert bucket.size("in/a.json") == len(body)
    assert bucket.metadata("in/a.json")["sluice-id"] == "s"


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_key_is_written_as_it_is(aws: Aws, opened: Open, key: str) -> None:
    name = aws.bucket()
    bucket = opened(name)
    assert bucket.put(key, b"{}", metadata={"sluice-id": "one"}, create=True)
    assert not bucket.put(key, b"[]", metadata={"sluice-id": "two"}, create=True)
    assert aws.keys(name) == [key]
    assert aws.body(name, key) == b"{}"
    assert bucket.metadata(key)["sluice-id"] == "one"
    assert bucket.put(key, b"[]")
    assert aws.body(name, key) == b"[]"


def test_a_later_object_replaces_an_earlier_one(aws: Aws, opened: Open) -> None:
    name = aws.bucket()
    bucket = opened(name)
    assert bucket.put("a", b"1")
    assert bucket.put("a", b"2")
    assert aws.body(name, "a") == b"2"


@pytest.mark.parametrize("key", ["a.json", "a//b"])
@pytest.mark.parametrize("storage_class", ["STANDARD", "STANDARD_IA", "GLACIER_IR", "DEEP_ARCHIVE"])
def test_an_object_has_its_storage_class(aws: Aws, opened: Open, key: str, storage_class: str) -> None:
    name = aws.bucket()
    opened(name).put(key, b"{}", storage_class=storage_class)
    found = aws.client("s3").head_object(Bucket=name, Key=key)
    assert found.get("StorageClass", "STANDARD") == storage_class


@pytest.mark.parametrize("key", ["a.json", "a//b"])
def test_an_object_is_encrypted_with_the_definitions_key(aws: Aws, opened: Open, key: str) -> None:
    name = aws.bucket()
    opened(name, kms_key_arn=KEY_ARN).put(key, b"{}")
    found = aws.client("s3").head_object(Bucket=name, Key=key)
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", KEY_ARN)


@pytest.mark.parametrize("key", ["a.json", "a//b"])
def test_a_request_says_all_that_it_must(stub: StubS3, opened: Open, key: str) -> None:
    bucket = opened("acme", endpoint_url=stub.url, owner="111122223333", kms_key_arn=KEY_ARN)
    bucket.put(key, b"{}", metadata={"event-id": "e"}, storage_class="STANDARD_IA", create=True)
    [asked] = stub.asked
    expected = {
        "content-type": "application/json",
        "if-none-match": "*",
        "x-amz-checksum-sha256": "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
        "x-amz-expected-bucket-owner": "111122223333",
        "x-amz-meta-event-id": "e",
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": KEY_ARN,
        "x-amz-storage-class": "STANDARD_IA",
    }
    assert (asked.method, asked.key, asked.body) == ("PUT", key, b"{}")
    assert {name: asked.headers.get(name) for name in expected} == expected
    assert "AWS4-HMAC-SHA256" in asked.headers["authorization"]


@pytest.mark.parametrize("key", ["a.json", "a//b"])
def test_a_request_says_nothing_that_it_need_not(stub: StubS3, opened: Open, key: str) -> None:
    bucket = opened("acme", endpoint_url=stub.url)
    bucket.put(key, b"{}")
    [asked] = stub.asked
    unwanted = {"if-none-match", "x-amz-acl", "x-amz-tagging", "x-amz-expected-bucket-owner"}
    assert not unwanted & asked.headers.keys()
    assert not [name for name in asked.headers if name.startswith("x-amz-server-side")]
    assert asked.headers.get("x-amz-storage-class", "STANDARD") == "STANDARD"


@pytest.mark.parametrize("key", ["a.json", "a//b"])
def test_looking_at_an_object_expects_its_owner(stub: StubS3, opened: Open, key: str) -> None:
    stub.answer = lambda _: Answer(headers={"x-amz-meta-Sluice-Id": "s"})
    bucket = opened("acme", endpoint_url=stub.url, owner="111122223333")
    assert bucket.metadata(key)["sluice-id"] == "s"
    [asked] = stub.asked
    assert (asked.method, asked.key) == ("HEAD", key)
    assert asked.headers["x-amz-expected-bucket-owner"] == "111122223333"


@pytest.mark.parametrize("key", ["a.json", "a//b"])
@pytest.mark.parametrize(
    "name",
    [
        "Content-Type",
        "content-encoding",
        "Content-Disposition",
        "Content-Language",
        "Cache-Control",
        "Storage-Class",
    ],
)
def test_metadata_named_like_a_property_of_the_object_are_metadata_all_the_same(
    stub: StubS3, loopback: Bucket, key: str, name: str
) -> None:
    loopback.put(key, b"{}", metadata={name: "GLACIER"})
    [asked] = stub.asked
    assert asked.headers[f"x-amz-meta-{name.lower()}"] == "GLACIER"
    assert asked.headers["content-type"] == "application/json"
    assert {
        value for header, value in asked.headers.items() if not header.startswith("x-amz-meta-")
    }.isdisjoint({"GLACIER"})


_KEYS = st.lists(
    st.one_of(st.text(max_size=8), st.sampled_from(["", "%2e", "...", "a b", "+", "~", "é", "\\", "?", "#"])),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_KEYS)
@example("a/b%2F../c")
def test_every_key_that_is_one_is_written_as_it_is(stub: StubS3, loopback: Bucket, key: str) -> None:
    try:
        object_key(prefix="", name=key)
    except Permanent:
        return
    stub.asked.clear()
    loopback.put(key, b"{}")
    [asked] = stub.asked
    assert asked.path.startswith("/acme/")
    assert asked.key == key


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.dictionaries(
        st.text("abcXYZ-_.!#$%&'*+^`|~09", min_size=1, max_size=6),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
        max_size=3,
    )
)
def test_metadata_arrive_as_they_were_sent(stub: StubS3, loopback: Bucket, metadata: dict[str, str]) -> None:
    if list(faults(metadata)):
        return
    for key in ("a.json", "a//b"):
        stub.asked.clear()
        loopback.put(key, b"{}", metadata=metadata)
        [asked] = stub.asked
        prefix = "x-amz-meta-"
        found = {
            name.removeprefix(prefix): value
            for name, value in asked.headers.items()
            if name.startswith(prefix)
        }
        assert found == {name.lower(): value for name, value in metadata.items()}


# S3 always says where: without it botocore asks for it, and asks for it again.
ELSEWHERE = Answer(
    status=301,
    body=refusal(301, "PermanentRedirect").body,
    headers={"Content-Type": "application/xml", "x-amz-bucket-region": "us-east-1"},
)


def _raised(call: Callable[[], object]) -> SluiceError:
    with pytest.raises(SluiceError) as raised:
        call()
    return raised.value


@pytest.mark.parametrize("key", ["a.json", "a//b"])
@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(404, "NoSuchBucket"), Permanent, Code.INVALID_BUCKET),
        (refusal(403, "AccessDenied"), Permanent, Code.MISSING_PERMISSION),
        (
            refusal(
                403,
                "AccessDenied",
                "User: x is not authorized to perform: kms:GenerateDataKey on resource: y",
            ),
            Permanent,
            Code.KMS_DENIED,
        ),
        (refusal(403, "InvalidAccessKeyId"), Permanent, Code.INVALID_CREDENTIALS),
        (refusal(400, "AuthorizationHeaderMalformed"), Permanent, Code.INVALID_BUCKET),
        (ELSEWHERE, Permanent, Code.INVALID_BUCKET),
        (refusal(409, "ConditionalRequestConflict"), Transient, Code.UNAVAILABLE),
    ],
    ids=["no-bucket", "denied", "kms", "keys", "signed-elsewhere", "redirect", "conflict"],
)
def test_what_s3_answers_is_told(
    stub: StubS3, loopback: Bucket, *, key: str, answer: Answer, kind: type[SluiceError], code: Code
) -> None:
    stub.answer = lambda _: answer
    error = _raised(lambda: loopback.put(key, b"{}", create=True))
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize("key", ["a.json", "a//b"])
def test_what_passes_is_tried_again_and_then_told(stub: StubS3, loopback: Bucket, key: str) -> None:
    stub.answer = lambda _: refusal(503, "SlowDown")
    error = _raised(lambda: loopback.put(key, b"{}"))
    assert (type(error), error.code) == (Transient, Code.THROTTLED)
    assert len(stub.asked) > 1


def test_what_passes_at_once_is_not_told(stub: StubS3, loopback: Bucket) -> None:
    answers = iter([refusal(500, "InternalError")])
    stub.answer = lambda _: next(answers, Answer())
    assert loopback.put("a.json", b"{}")
    assert [asked.body for asked in stub.asked] == [b"{}", b"{}"]


@pytest.mark.parametrize("key", ["a.json", "a//b"])
def test_looking_where_nobody_may_is_a_missing_permission(stub: StubS3, loopback: Bucket, key: str) -> None:
    stub.answer = lambda _: Answer(status=403)
    assert _raised(lambda: loopback.metadata(key)).code is Code.MISSING_PERMISSION


def test_an_object_that_is_not_there_is_a_missing_file(aws: Aws, opened: Open) -> None:
    bucket = opened(aws.bucket())
    for call in (bucket.get, bucket.size, bucket.metadata):
        error = _raised(lambda call=call: call("absent"))  # type: ignore[misc] # bound at once, as it is called
        assert (type(error), error.code) == (Permanent, Code.MISSING_FILE)


def test_a_bucket_that_is_not_there_is_an_invalid_one(opened: Open) -> None:
    error = _raised(lambda: opened("no-such-bucket").put("a", b"{}"))
    assert (type(error), error.code) == (Permanent, Code.INVALID_BUCKET)


def test_a_network_that_is_gone_is_unavailable(opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    error = _raised(lambda: opened("acme", endpoint_url=url).put("a", b"{}"))
    assert (type(error), error.code) == (Transient, Code.UNAVAILABLE)
    assert "127.0.0.1" not in error.text


_SAID = "User: x is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::acme/{}"


@pytest.mark.parametrize(
    "key",
    [
        "kms:x",
        "perform: kms:x",
        "<Code>SlowDown</Code>",
        "<Code>PreconditionFailed</Code>",
        "status code: 412",
        "Server returned non-2xx status code: 503",
        "Received redirect without LOCATION",
    ],
)
def test_a_key_does_not_pass_for_an_answer_of_s3(stub: StubS3, loopback: Bucket, key: str) -> None:
    def answer(asked: Asked) -> Answer:
        return refusal(403, "AccessDenied", _SAID.format(quote(asked.key, safe=":/ ")))

    stub.answer = answer
    error = _raised(lambda: loopback.put(key, b"{}", create=True))
    assert (type(error), error.code) == (Permanent, Code.MISSING_PERMISSION)


@pytest.mark.parametrize("key", ["e", "4", "o", "Code", "403", "412", "AccessDenied", "<", ":", " ", "Error"])
def test_a_short_key_takes_nothing_from_an_answer_of_s3(stub: StubS3, loopback: Bucket, key: str) -> None:
    stub.answer = lambda _: refusal(403, "AccessDenied")
    error = _raised(lambda: loopback.put(key, b"{}", create=True))
    assert (type(error), error.code) == (Permanent, Code.MISSING_PERMISSION)
    stub.answer = lambda _: refusal(404, "NoSuchBucket")
    assert _raised(lambda: loopback.put(key, b"{}", create=True)).code is Code.INVALID_BUCKET
    stub.answer = lambda _: Answer(status=412)
    assert not loopback.put(key, b"{}", create=True)


def test_a_secret_is_in_no_error(stub: StubS3, loopback: Bucket) -> None:
    stub.answer = lambda asked: refusal(403, "SignatureDoesNotMatch", asked.headers["authorization"])
    for key in ("a.json", "a//b"):
        error = _raised(lambda key=key: loopback.put(key, b"s3cr3t"))  # type: ignore[misc] # as above
        assert "AWS4" not in error.text
        assert "s3cr3t" not in error.text


# Files, pieces and removal


@pytest.mark.parametrize("key", ["a.csv.gz", "a//b.csv.gz"])
@pytest.mark.parametrize("size", [0, 1, 17 * 1024 * 1024 + 1])
def test_a_file_is_written_as_it_is_with_all_that_is_said_of_it(
    aws: Aws, opened: Open, tmp_path: Path, key: str, size: int
) -> None:
    name = aws.bucket()
    body = random.Random(size).randbytes(size)
    path = tmp_path / "file"
    path.write_bytes(body)
    content = Content(type="text/csv; charset=utf-8", encoding="gzip")
    bucket = opened(name, kms_key_arn=KEY_ARN)
    assert bucket.put(key, path, metadata={"team": "billing"}, content=content, storage_class="STANDARD_IA")
    found = aws.client("s3").head_object(Bucket=name, Key=key)
    assert (found["ContentLength"], found["ContentType"]) == (size, "text/csv; charset=utf-8")
    assert (found["ContentEncoding"], found["StorageClass"]) == ("gzip", "STANDARD_IA")
    assert (found["Metadata"], found["SSEKMSKeyId"]) == ({"team": "billing"}, KEY_ARN)
    assert aws.body(name, key) == body


def test_bytes_go_by_one_request_and_large_files_by_several(
    stub: StubS3, loopback: Bucket, tmp_path: Path
) -> None:
    body = b"x" * (17 * 1024 * 1024)
    loopback.put("a", body)
    assert [(asked.method, asked.query) for asked in stub.asked] == [("PUT", "")]
    stub.asked.clear()
    path = tmp_path / "file"
    path.write_bytes(body)
    stub.answer = _multipart
    loopback.put("a", path)
    assert next(asked.method for asked in stub.asked) == "POST"
    parts = sorted(
        (asked.query.partition("partNumber=")[2][:1], len(asked.body))
        for asked in stub.asked
        if asked.method == "PUT"
    )
    assert parts == [("1", 16 * 1024 * 1024), ("2", 1024 * 1024)]


def _multipart(asked: Asked) -> Answer:
    begun = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
    done = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
    if asked.method == "POST":
        return Answer(body=begun if "uploads" in asked.query else done)
    return Answer()


def test_a_file_that_is_refused_is_told(stub: StubS3, loopback: Bucket, tmp_path: Path) -> None:
    stub.answer = lambda _: refusal(403, "AccessDenied")
    path = tmp_path / "file"
    for size in (1, 17 * 1024 * 1024):
        path.write_bytes(b"x" * size)
        error = _raised(lambda: loopback.put("a", path))
        assert (type(error), error.code) == (Permanent, Code.MISSING_PERMISSION)


@pytest.mark.parametrize("key", ["a.json", "a//b"])
def test_an_object_says_what_it_is(stub: StubS3, loopback: Bucket, key: str) -> None:
    loopback.put(key, b"{}", content=Content(type="application/x-ndjson"))
    loopback.put(key, b"{}", content=Content(type="text/csv", encoding="gzip"))
    said = [(asked.headers["content-type"], asked.headers.get("content-encoding")) for asked in stub.asked]
    assert said == [("application/x-ndjson", None), ("text/csv", "gzip")]


@pytest.mark.parametrize("key", ["a.json", "a//b", "a/", "a b+%41#?*~{}é😀[]", "x" * 1024])
def test_an_object_is_removed_and_removing_it_again_is_no_error(aws: Aws, opened: Open, key: str) -> None:
    name = aws.bucket()
    bucket = opened(name)
    bucket.put(key, b"{}")
    bucket.put("other", b"{}")
    for _ in range(2):
        bucket.delete(key)
        assert aws.keys(name) == ["other"]


@pytest.mark.parametrize("key", ["a.json", "a//b"])
def test_removing_what_one_may_not_is_told(stub: StubS3, opened: Open, key: str) -> None:
    stub.answer = lambda _: refusal(403, "AccessDenied")
    bucket = opened("acme", endpoint_url=stub.url, owner="111122223333")
    error = _raised(lambda: bucket.delete(key))
    assert (type(error), error.code) == (Permanent, Code.MISSING_PERMISSION)
    assert (stub.asked[0].method, stub.asked[0].key) == ("DELETE", key)
    assert stub.asked[0].headers["x-amz-expected-bucket-owner"] == "111122223333"


def test_some_bytes_of_an_object_are_read(aws: Aws, opened: Open) -> None:
    bucket = opened(aws.bucket())
    bucket.put("a", b"0123456789")
    assert [
        bucket.get_range("a", start=start, length=length) for start, length in ((0, 10), (3, 4), (9, 1))
    ] == [
        b"0123456789",
        b"3456",
        b"9",
    ]
    error = _raised(lambda: bucket.get_range("absent", start=0, length=1))
    assert (type(error), error.code) == (Permanent, Code.MISSING_FILE)
    assert isinstance(_raised(lambda: bucket.get_range("a", start=11, length=1)), SluiceError)


def test_our_own_credentials_are_looked_at_anew_each_time(aws: Aws) -> None:
    provide = own_credentials(aws.session)
    found = provide()
    assert found["access_key_id"] == credentials()["access_key_id"]
    assert found["expires_at"] is not None


def test_a_process_without_credentials_is_told_so() -> None:
    class Nobody:
        def get_credentials(self) -> None:
            return None

    error = _raised(own_credentials(Nobody()))  # type: ignore[arg-type] # a session that has none
    assert error.code is Code.INVALID_CREDENTIALS
