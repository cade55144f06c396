"""What is tried in a customer's bucket: every kind of request that the job makes, on an object of our own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.destinations import bucket_of
from functions.adapters.objects import Bucket
from functions.adapters.verbatim_keys import s3_client, s3_translated
from functions.core import policies
from functions.core.definitions.connection import Connection
from functions.core.definitions.destination import ARCHIVES, Destination
from functions.core.definitions.messages import MessageDestination
from functions.core.errors import Code, Permanent, SluiceError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TEST_NAME = ".sluice-test"
"""The object that is written below the prefix; a role that may only put cannot remove it."""

_BODY = b'{"sluice": "tests its access with this object, and overwrites it each time"}'
_OLD_LOCATIONS = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}
"""What S3 calls two regions: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html."""

_LACKS = {Code.MISSING_PERMISSION: "s3:", Code.KMS_DENIED: "kms:"}
"""The codes that a policy cures, and the service that the missing permission is one of."""


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question and its answer; `grant` is the policy that would mend what is wrong."""

    name: str
    passed: bool
    text: str
    code: Code | None = None
    grant: dict[str, Any] | None = None


def trials(
    destination: Destination, credentials: Mapping[str, Any], *, region: str, endpoint_url: str | None
) -> Iterator[Check]:
    """Questions that S3 answers: whether this job's requests are allowed, made as the job makes them."""
    if isinstance(destination, MessageDestination):
        bucket = bucket_of(destination, credentials, region=region, endpoint_url=endpoint_url)
        yield from _of_messages(destination, bucket)
    else:
        client = s3_client(credentials, region=destination.region or region, endpoint_url=endpoint_url)
        yield from _FileTrials(destination, client).all()


def _of_messages(destination: MessageDestination, bucket: Bucket) -> Iterator[Check]:
    key = destination.prefix + TEST_NAME

    def write() -> None:
        try:
            bucket.put(key, _BODY, storage_class=destination.storage_class)
        except Permanent as error:
            if not destination.owner or error.code is not Code.MISSING_PERMISSION:
                raise
            # S3 says the same of both, and asking without the expected owner could write to a stranger.
            why = f"the role may not write there, or the bucket is not of account {destination.owner}"
            raise Permanent(error.code, f"{error}: {why}") from None

    yield asked("object written", destination, write)
    if destination.keep:
        yield asked("object looked at", destination, lambda: bucket.metadata(key))


class _FileTrials:
    """The requests of who writes files: for each statement of the policy there is one that needs it."""

    def __init__(self, destination: Destination, client: "S3Client") -> None:
        self._destination = destination
        self._client = client
        self._owner: dict[str, Any] = {"ExpectedBucketOwner": destination.owner} if destination.owner else {}
        self._bucket: dict[str, Any] = {"Bucket": destination.bucket}
        self._object = {**self._bucket, **self._owner, "Key": destination.prefix + TEST_NAME}
        self._stored: dict[str, Any] = {"StorageClass": destination.storage_class}
        if destination.kms_key_arn:
            self._stored |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": destination.kms_key_arn}
        self._foreign = self._there = False

    def all(self) -> Iterator[Check]:
        """Every trial, in the order in which what is wrong can be cured; the test object never stays."""
        put, encrypt, decrypt = "s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"
        yield self._asked("bucket", self._locate, "s3:GetBucketLocation")
        if self._owner:
            yield self._asked("bucket owner", self._refuse_foreign)
        try:
            yield self._asked("object written", self._put, put, encrypt)
            yield self._asked("object written in parts", self._put_parts, put, encrypt, decrypt)
            yield self._asked("upload given up", self._give_up, "s3:AbortMultipartUpload", put, encrypt)
            yield self._asked("object listed", self._list, "s3:ListBucket")
            if self._destination.storage_class not in ARCHIVES:
                yield self._asked("object read", self._read, "s3:GetObject", decrypt)
            yield self._asked("object removed", self._remove, "s3:DeleteObject")
        finally:
            if self._there:
                with suppress(SluiceError), s3_translated():
                    self._remove()

    def _asked(self, name: str, ask: Callable[[], object], *needed: str) -> Check:
        def ask_translated() -> None:
            with s3_translated():
                ask()

        return asked(name, self._destination, ask_translated, needed)

    def _locate(self) -> None:
        stated = self._client.meta.region_name
        found = self._location()
        if found != stated:
            text = f"the bucket is in {found}, and not in {stated}: say `region: {found}`"
            raise Permanent(Code.INVALID_BUCKET, text)

    def _location(self) -> str:
        try:
            with s3_translated():
                answer = self._client.get_bucket_location(**self._bucket, **self._owner)
        except Permanent as error:
            if not self._owner or error.code is not Code.MISSING_PERMISSION:
                raise
            # S3 says the same of a wrong owner. Asked without one, about nothing but the region, it tells which.
            answer = self._client.get_bucket_location(**self._bucket)
            self._foreign = True
        location: Any = answer.get("LocationConstraint")
        return str(_OLD_LOCATIONS.get(location, location))

    def _refuse_foreign(self) -> None:
        if self._foreign:
            raise Permanent(Code.INVALID_BUCKET, f"the bucket is not of account {self._destination.owner}")

    def _put(self) -> None:
        self._client.put_object(**self._object, **self._stored, Body=_BODY)
        self._there = True

    def _put_parts(self) -> None:
        upload = self._begin()
        try:
            part = self._client.upload_part(**self._object, UploadId=upload, PartNumber=1, Body=_BODY)
            known: Any = {each: part[each] for each in ("ETag", "ChecksumCRC32") if each in part}
            whole: Any = {"Parts": [{**known, "PartNumber": 1}]}
            self._client.complete_multipart_upload(**self._object, UploadId=upload, MultipartUpload=whole)
        except BaseException:
            with suppress(SluiceError), s3_translated():
                self._end(upload)
            raise

    def _give_up(self) -> None:
        self._end(self._begin())

    def _begin(self) -> str:
        begun = self._client.create_multipart_upload(
            **self._object, **self._stored, ChecksumAlgorithm="CRC32"
        )
        return begun["UploadId"]

    def _end(self, upload: str) -> None:
        self._client.abort_multipart_upload(**self._object, UploadId=upload)

    def _list(self) -> None:
        self._client.list_objects_v2(**self._bucket, **self._owner, Prefix=self._object["Key"])

    def _read(self) -> None:
        self._client.get_object(**self._object)["Body"].read()

    def _remove(self) -> None:
        self._client.delete_object(**self._object)
        self._there = False


def asked(
    name: str,
    connection: Connection,
    ask: Callable[[], object],
    needed: tuple[str, ...] = (),
    *,
    place: str = TEST_NAME,
) -> Check:
    """The answer; a refusal names the permissions that are `needed`, and the statements that would grant them.

    `place` is what it was asked about, below the prefix.
    """
    try:
        ask()
    except Permanent as error:
        grant = policies.access(connection) if error.code in _LACKS else None
        text, actions = error.text, [each for each in needed if each.startswith(_LACKS.get(error.code, "-"))]
        if grant and actions:
            text = f"{text}; this needs {' and '.join(actions)}"
            grant = policies.granting(grant, *actions)
        if grant and not grant["Statement"]:
            text = f"{text}, and the definition does not name the key: say `kms_key_arn`"
            grant = None
        return Check(name=name, passed=False, text=text, code=error.code, grant=grant)
    return Check(name=name, passed=True, text=f"{name}: s3://{connection.bucket}/{connection.prefix}{place}")
