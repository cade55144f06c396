"""S3's data plane, through obstore.

obstore's blocking calls from many threads cost a third of the processor time of its asynchronous ones
(docs/decisions/threads.md), so everything here blocks.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import boto3
import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from functions.adapters import fetching, s3_errors
from functions.adapters.fetching import obstore_translated
from functions.adapters.notifications import Notifications
from functions.adapters.verbatim_keys import VerbatimKeys
from functions.core.imports import Found
from functions.core.regions import s3_endpoint

Credentials = Mapping[str, Any]
"""`access_key_id`, `secret_access_key`, `token` (or None) and `expires_at` (or None), as obstore wants them."""

_CLIENT_OPTIONS: dict[str, Any] = {"connect_timeout": "3s", "timeout": "60s", "allow_http": True}
_RETRY: Any = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=15),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=3),
        "base": 2,
    },
}
_PIECES = {"chunk_size": 16 * 1024 * 1024, "max_concurrency": 4}
"""S3 takes 10,000 pieces of an object; as many as are sent at once are held in memory."""

_VERBATIM = re.compile(r"^/|//|/$|[\x00-\x1f\x7f]|(?:^|/)\.{1,2}(?:/|$)")
"""Keys that obstore changes or refuses: empty segments and those that are dots, control characters."""

_REFRESH = timedelta(minutes=15)
_NO_METADATA = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "storage-class",
    }
)
"""Names that obstore takes for properties of the object; a message's metadata must not set those."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What an object says that it is."""

    type: str
    encoding: str | None = None


JSON = Content(type="application/json")


class Bucket:
    """One bucket, reached with one set of credentials.

    `owner` is the account that must own it; `kms_key_arn` encrypts what is written; `endpoint_url` is where an
    emulator listens. What is not `hashed` is protected by TLS alone: for what is many bytes, and our own. Every
    method raises `Permanent` or `Transient`, never an exception of a library.
    """

    def __init__(
        self,
        name: str,
        *,
        region: str,
        credentials: Callable[[], Credentials],
        owner: str | None = None,
        kms_key_arn: str | None = None,
        endpoint_url: str | None = None,
        hashed: bool = True,
    ) -> None:
        endpoint, virtual = s3_endpoint(bucket=name, region=region)
        options: dict[str, Any] = {
            "region": region,
            "endpoint": endpoint_url or endpoint,
            "virtual_hosted_style_request": virtual and not endpoint_url,
        }
        options |= {"checksum_algorithm": "SHA256"} if hashed else {"unsigned_payload": True}
        if kms_key_arn:
            options |= {"server_side_encryption": "aws:kms", "sse_kms_key_id": kms_key_arn}
        options["credential_provider"] = credentials
        options["client_options"] = _CLIENT_OPTIONS | {"default_headers": _owner_header(owner)}
        self._store = S3Store(name, retry_config=_RETRY, **options)
        self._verbatim = VerbatimKeys(
            name,
            region=region,
            credentials=credentials,
            owner=owner,
            kms_key_arn=kms_key_arn,
            endpoint_url=endpoint_url,
        )

    def put(
        self,
        key: str,
        body: bytes | Path,
        *,
        metadata: Mapping[str, str] | None = None,
        content: Content = JSON,
        storage_class: str = "STANDARD",
        create: bool = False,
    ) -> bool:
        """Write bytes by one request, or a file in pieces, with SHA-256 checksums.

        False says that with `create` nothing was written, since it is there.
        """
        if _changed_by_obstore(key) or not _NO_METADATA.isdisjoint(map(str.lower, metadata or ())):
            return self._verbatim.put(
                key,
                body,
                metadata=metadata or {},
                content=content,
                storage_class=storage_class,
                create=create,
            )
        attributes = {"Content-Type": content.type, **(metadata or {})}
        if content.encoding:
            attributes["Content-Encoding"] = content.encoding
        if storage_class != "STANDARD":
            attributes["Storage-Class"] = storage_class
        mode: Literal["create", "overwrite"] = "create" if create else "overwrite"
        # Bytes go by one request: atomic, and its condition holds for the whole of it.
        how: Any = _PIECES if isinstance(body, Path) else {"use_multipart": False}
        try:
            obstore.put(self._store, key, body, attributes=attributes, mode=mode, **how)
        except (BaseError, OSError) as error:
            if create and s3_errors.is_taken(str(error)):
                return False
            raise s3_errors.translate(str(error)) from None
        return True

    def metadata(self, key: str) -> dict[str, str]:
        """An object's user metadata, names in small letters."""
        if _changed_by_obstore(key):
            return self._verbatim.metadata(key)
        try:
            found = obstore.get(self._store, key, options={"head": True}).attributes
        except (BaseError, OSError) as error:
            raise s3_errors.translate(str(error)) from None
        return {name.lower(): value for name, value in found.items()}

    def size(self, key: str) -> int:
        """An object's size in bytes."""
        if _changed_by_obstore(key):
            return self._verbatim.size(key)
        try:
            return int(obstore.head(self._store, key)["size"])
        except (BaseError, OSError) as error:
            raise s3_errors.translate(str(error)) from None

    def head(self, key: str) -> Found:
        """An object as it is now."""
        if _changed_by_obstore(key):
            return self._verbatim.head(key)
        with obstore_translated():
            found = obstore.head(self._store, key)
        return Found(
            key=key,
            etag=(found["e_tag"] or "").strip('"'),
            size=found["size"],
            modified=round(found["last_modified"].timestamp() * 1000),
        )

    def listing(self, prefix: str, *, after: str = "") -> Iterator[Found]:
        """The objects whose keys begin so and come after that one, in the order of their keys' UTF-8 bytes.

        Nothing but one page of a thousand is held in memory.
        """
        return self._verbatim.listing(prefix, after=after)

    def notifications(self) -> Notifications:
        """What the bucket tells whom of."""
        return Notifications(self._verbatim.client(), at=self._verbatim.at)

    def fetch(self, key: str, path: Path, *, etag: str) -> None:
        """Copy an object into a file, piece by piece, if it is still the version that has this ETag.

        Raises:
            Permanent: `CHANGED`; it is another. `MISSING_FILE`; it is gone.
            OSError: The file cannot be written.
        """
        quoted = f'"{etag}"'
        if _changed_by_obstore(key):
            self._verbatim.fetch(key, path, etag=quoted)
        else:
            fetching.fetch(self._store, key, path, etag=quoted)

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        # obstore asks by `DeleteObjects`, whose refusals come with status 200 and are lost on it.
        self._verbatim.delete(key)

    def get_range(self, key: str, *, start: int, length: int) -> bytes:
        """Some bytes of an object, under a key that obstore takes as it is."""
        try:
            return bytes(obstore.get_range(self._store, key, start=start, length=length))
        except (BaseError, OSError) as error:
            raise s3_errors.translate(str(error)) from None

    def get(self, key: str) -> bytes:
        """An object's bytes."""
        if _changed_by_obstore(key):
            return self._verbatim.get(key)
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (BaseError, OSError) as error:
            raise s3_errors.translate(str(error)) from None


def own_credentials(session: boto3.session.Session) -> Callable[[], Credentials]:
    """The credentials that this process itself runs with, looked at anew before they can have expired."""

    def provide() -> Credentials:
        found = session.get_credentials()
        if found is None:
            raise s3_errors.no_credentials()
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _REFRESH,
        }

    return provide


def _changed_by_obstore(key: str) -> bool:
    """Whether obstore would take this key for another, or for none."""
    return _VERBATIM.search(key) is not None


def _owner_header(owner: str | None) -> dict[str, str]:
    return {"x-amz-expected-bucket-owner": owner} if owner else {}
