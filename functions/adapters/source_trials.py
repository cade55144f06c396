"""What is tried in a bucket that is to be read: the requests of the import, none of which changes anything."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from functions.adapters.notifications import Notifications
from functions.adapters.trials import Check, asked
from functions.adapters.verbatim_keys import s3_client, s3_translated
from functions.core.definitions.destination import ARCHIVES
from functions.core.definitions.discovery import Discovery
from functions.core.errors import Code, Permanent
from functions.core.notifications import rule_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOTIFYING = ("s3:GetBucketNotification", "s3:PutBucketNotification")
"""The permissions for notifications: those to look, and those to set them up."""


def source_trials(
    source: Discovery,
    credentials: Mapping[str, Any],
    *,
    queue_arn: str,
    region: str,
    endpoint_url: str | None,
) -> Iterator[Check]:
    """Questions that S3 answers: whether files can be found and read, and notifications be set up.

    `queue_arn` is the queue of arrivals.
    """
    client = s3_client(credentials, region=source.region or region, endpoint_url=endpoint_url)
    yield from _SourceTrials(source, client, queue_arn).all()


class _SourceTrials:
    def __init__(self, source: Discovery, client: "S3Client", queue_arn: str) -> None:
        self._source = source
        self._client = client
        self._queue_arn = queue_arn
        self._owner: dict[str, Any] = {"ExpectedBucketOwner": source.owner} if source.owner else {}
        self._foreign = False
        self._listed: list[Mapping[str, Any]] = []

    def all(self) -> Iterator[Check]:
        """Every trial, in the order in which what is wrong can be cured."""
        yield self._asked("files listed", self._list, "s3:ListBucket")
        if self._owner:
            yield self._asked("bucket owner", self._refuse_foreign)
        yield self._read()
        if self._source.notifications and not self._source.ours:
            yield self._asked("notifications", self._refuse_overlaps, NOTIFYING[0])

    def _asked(self, name: str, ask: Callable[[], object], *needed: str, place: str = "") -> Check:
        def ask_translated() -> None:
            with s3_translated():
                ask()

        return asked(name, self._source, ask_translated, needed, place=place)

    def _list(self) -> None:
        try:
            with s3_translated():
                page = self._page(**self._owner)
        except Permanent as error:
            if not self._owner or error.code is not Code.MISSING_PERMISSION:
                raise
            # S3 says the same of a wrong owner. Asked without one, which writes nothing, it tells which.
            page = self._page()
            self._foreign = True
        self._listed = page.get("Contents", [])
        stated = self._client.meta.region_name
        # botocore follows a bucket to where it is; what reads the files does not.
        found = page["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", stated)
        if found != stated:
            text = f"the bucket is in {found}, and not in {stated}: say `region: {found}`"
            raise Permanent(Code.INVALID_BUCKET, text)

    def _page(self, **owner: Any) -> Any:
        return self._client.list_objects_v2(Bucket=self._source.bucket, Prefix=self._source.prefix, **owner)

    def _refuse_foreign(self) -> None:
        if self._foreign:
            raise Permanent(Code.INVALID_BUCKET, f"the bucket is not of account {self._source.owner}")

    def _read(self) -> Check:
        """A byte of the first file that has one; an archived file cannot be read before it is restored."""
        readable = (
            each["Key"]
            for each in self._listed
            if each["Size"] and each.get("StorageClass", "STANDARD") not in ARCHIVES
        )
        key = next(readable, None)
        if key is None:
            return Check(name="file read", passed=True, text="file read: there is none yet to read")
        where: dict[str, Any] = {"Bucket": self._source.bucket, "Key": key, **self._owner}

        def read() -> None:
            self._client.get_object(**where, Range="bytes=0-0")["Body"].read()

        return self._asked(
            "file read",
            read,
            "s3:GetObject",
            "kms:Decrypt",
            place=key.removeprefix(self._source.prefix),
        )

    def _refuse_overlaps(self) -> None:
        rule = rule_of(source=self._source.name, queue_arn=self._queue_arn, prefix=self._source.prefix)
        Notifications(self._client, at={"Bucket": self._source.bucket, **self._owner}).refuse_overlaps(rule)
