"""S3 objects that obstore would change: keys with an empty segment (`a//b`, `a/`), metadata called `content-type`.

S3 allows them, users' templates and messages make them, and they are rare: botocore's speed will do. Listings are
here too, since there obstore ends at the first of them.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.utils import parse_timestamp

from functions.adapters import s3_errors
from functions.adapters.clients import CONFIG
from functions.core.imports import Found

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.adapters.objects import Content


_PIECE = 1024 * 1024


class VerbatimKeys:
    """One bucket, as `objects.Bucket` reaches it, with every key as it is."""

    def __init__(
        self,
        name: str,
        *,
        region: str,
        credentials: Callable[[], Mapping[str, Any]],
        owner: str | None,
        kms_key_arn: str | None,
        endpoint_url: str | None,
    ) -> None:
        self.at: dict[str, Any] = {"Bucket": name} | ({"ExpectedBucketOwner": owner} if owner else {})
        self._encryption: dict[str, Any] = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_arn} if kms_key_arn else {}
        )
        self._region = region
        self._credentials = credentials
        self._endpoint_url = endpoint_url
        self._local = threading.local()

    def put(
        self,
        key: str,
        body: bytes | Path,
        *,
        metadata: Mapping[str, str],
        content: "Content",
        storage_class: str,
        create: bool,
    ) -> bool:
        """As `objects.Bucket.put`, by one request, which takes up to 5 GB."""
        request: dict[str, Any] = {
            **self.at,
            **self._encryption,
            **({"IfNoneMatch": "*"} if create else {}),
            **({"ContentEncoding": content.encoding} if content.encoding else {}),
            "StorageClass": storage_class,
        }
        try:
            with nullcontext(body) if isinstance(body, bytes) else body.open("rb") as data:
                self.client().put_object(
                    **request,
                    Key=key,
                    Body=data,
                    ContentType=content.type,
                    ChecksumAlgorithm="SHA256",
                    Metadata=dict(metadata),
                )
        except (ClientError, BotoCoreError) as error:
            text = s3_errors.as_text(error)
            if create and s3_errors.is_taken(text):
                return False
            raise s3_errors.translate(text) from None
        return True

    def metadata(self, key: str) -> dict[str, str]:
        """As `objects.Bucket.metadata`."""
        found = self._head(key)["Metadata"]
        return {name.lower(): value for name, value in found.items()}

    def size(self, key: str) -> int:
        """As `objects.Bucket.size`."""
        return int(self._head(key)["ContentLength"])

    def head(self, key: str) -> Found:
        """As `objects.Bucket.head`."""
        return _found(key, self._head(key), size="ContentLength")

    def listing(self, prefix: str, *, after: str) -> Iterator[Found]:
        """As `objects.Bucket.listing`."""
        begin: dict[str, Any] = {"StartAfter": after} if after else {}
        while True:
            with s3_translated():
                page: Any = self.client().list_objects_v2(**self.at, Prefix=prefix, **begin)
            for each in page.get("Contents", ()):
                yield _found(each["Key"], each, size="Size")
            if "NextContinuationToken" not in page:
                return
            begin = {"ContinuationToken": page["NextContinuationToken"]}

    def fetch(self, key: str, path: Path, *, etag: str) -> None:
        """As `objects.Bucket.fetch`."""
        with s3_translated():
            body = self.client().get_object(**self.at, Key=key, IfMatch=etag)["Body"]
            with path.open("wb") as file:
                for piece in body.iter_chunks(_PIECE):
                    file.write(piece)

    def get(self, key: str) -> bytes:
        """As `objects.Bucket.get`."""
        with s3_translated():
            return self.client().get_object(**self.at, Key=key)["Body"].read()

    def delete(self, key: str) -> None:
        """As `objects.Bucket.delete`."""
        with s3_translated():
            self.client().delete_object(**self.at, Key=key)

    def _head(self, key: str) -> Any:
        with s3_translated():
            return self.client().head_object(**self.at, Key=key)

    def client(self) -> "S3Client":
        """A client of this thread's own: making one from a shared session is not safe between threads."""
        if not hasattr(self._local, "client"):
            self._local.client = s3_client(
                self._credentials(), region=self._region, endpoint_url=self._endpoint_url
            )
        client: S3Client = self._local.client
        return client


def s3_client(credentials: Mapping[str, Any], *, region: str, endpoint_url: str | None) -> "S3Client":
    """A client of botocore for one customer's bucket, by credentials as obstore wants them."""
    core = botocore.session.Session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    own = boto3.session.Session(
        aws_access_key_id=credentials["access_key_id"],
        aws_secret_access_key=credentials["secret_access_key"],
        aws_session_token=credentials["token"],
        region_name=region,
        botocore_session=core,
    )
    return own.client("s3", config=CONFIG, endpoint_url=endpoint_url)


def _timestamp(text: Any) -> datetime:
    """A time of S3's: with botocore's own parser a listing takes five times as long."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return parse_timestamp(text)


def _found(key: str, told: Mapping[str, Any], *, size: str) -> Found:
    return Found(
        key=key,
        etag=told["ETag"].strip('"'),
        size=told[size],
        modified=round(told["LastModified"].timestamp() * 1000),
    )


@contextmanager
def s3_translated() -> Iterator[None]:
    """Turn what S3 says to botocore into ours."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise s3_errors.translate(s3_errors.as_text(error)) from None
