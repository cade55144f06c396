"""S3 objects that obstore would change: keys with an empty segment (`a//b`, `a/`), metadata called `content-type`.

S3 allows them, users' templates and messages make them, and they are rare: botocore's speed will do.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters import s3_errors
from functions.adapters.clients import CONFIG

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.adapters.objects import Content


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
        self._at: dict[str, Any] = {"Bucket": name} | ({"ExpectedBucketOwner": owner} if owner else {})
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
            **self._at,
            **self._encryption,
            **({"IfNoneMatch": "*"} if create else {}),
            **({"ContentEncoding": content.encoding} if content.encoding else {}),
            "StorageClass": storage_class,
        }
        try:
            with nullcontext(body) if isinstance(body, bytes) else body.open("rb") as data:
                self._client().put_object(
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

    def get(self, key: str) -> bytes:
        """As `objects.Bucket.get`."""
        with s3_translated():
            return self._client().get_object(**self._at, Key=key)["Body"].read()

    def delete(self, key: str) -> None:
        """As `objects.Bucket.delete`."""
        with s3_translated():
            self._client().delete_object(**self._at, Key=key)

    def _head(self, key: str) -> Any:
        with s3_translated():
            return self._client().head_object(**self._at, Key=key)

    def _client(self) -> "S3Client":
        """A client of this thread's own: making one from a shared session is not safe between threads."""
        if not hasattr(self._local, "client"):
            self._local.client = s3_client(
                self._credentials(), region=self._region, endpoint_url=self._endpoint_url
            )
        client: S3Client = self._local.client
        return client


def s3_client(credentials: Mapping[str, Any], *, region: str, endpoint_url: str | None) -> "S3Client":
    """A client of botocore for one customer's bucket, by credentials as obstore wants them."""
    own = boto3.session.Session(
        aws_access_key_id=credentials["access_key_id"],
        aws_secret_access_key=credentials["secret_access_key"],
        aws_session_token=credentials["token"],
        region_name=region,
    )
    return own.client("s3", config=CONFIG, endpoint_url=endpoint_url)


@contextmanager
def s3_translated() -> Iterator[None]:
    """Turn what S3 says to botocore into ours."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise s3_errors.translate(s3_errors.as_text(error)) from None
