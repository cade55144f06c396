"""Destinations as the functions use them: the definition, and the customer's bucket opened with its credentials.

Both are looked up once and used for a while; what is opened belongs to one version of one destination and is
never handed to another.
"""

import math
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

import msgspec

from functions.adapters.aging import Aging
from functions.adapters.definitions import Definitions, Stored
from functions.adapters.objects import Bucket
from functions.adapters.sessions import Sessions
from functions.core.definitions.connection import Connection
from functions.core.definitions.destination import ONLY, of_another_kind
from functions.core.errors import Code, Permanent

D = TypeVar("D", bound=Connection)

ABSENT_SECONDS = 1.0
"""How long a destination counts as unknown: one that is created now works for the next message."""


class Pinned(msgspec.Struct, Generic[D], frozen=True, kw_only=True):
    """A destination as one version of its definition has it, and that version's bucket, opened."""

    destination: D
    bucket: Bucket


class Current(msgspec.Struct, Generic[D], frozen=True, kw_only=True):
    """A destination, and the version of the definition that it is of."""

    destination: D
    version: int


class _Found(msgspec.Struct, Generic[D], frozen=True, kw_only=True):
    """`destination` is None where it is of another kind: its modules are then not to be had here."""

    stored: Stored
    destination: D | None


class Destinations(Generic[D]):
    """The destinations of one `kind`, those that one function meets.

    `region` is the deployment's own; `endpoint_url` is where an emulator listens, None in AWS.
    """

    def __init__(
        self,
        definitions: Definitions,
        sessions: Sessions,
        *,
        kind: str,
        region: str,
        max_age_seconds: float,
        endpoint_url: str | None = None,
    ) -> None:
        self._definitions = definitions
        self._sessions = sessions
        self._kind = kind
        self._region = region
        self._max_age_seconds = max_age_seconds
        self._endpoint_url = endpoint_url
        self._current = Aging(self._load_current)
        self._versions = Aging(self._load_version)
        self._open = Aging(self._open_bucket)

    def definition(self, name: str) -> D | None:
        """The destination of this name, at most as old as a definition may be; None if there is none.

        Raises:
            Permanent: `BAD_MESSAGE`; it is of another kind.
        """
        found = self.current(name)
        return found.destination if found else None

    def current(self, name: str) -> Current[D] | None:
        """The same, with its version.

        Raises:
            Permanent: `BAD_MESSAGE`; it is of another kind.
        """
        found = self._current.get(name)
        return Current(destination=self._of_our_kind(found), version=found.stored.version) if found else None

    def bucket(self, name: str) -> Bucket:
        """The customer's bucket.

        Raises:
            Permanent: There is no such destination, or its credentials cannot be had.
            Transient: They cannot be had now.
        """
        found = self._current.get(name)
        if found is None:
            raise Permanent(Code.BAD_MESSAGE, f"there is no such {self._definitions.what}")
        self._of_our_kind(found)
        version = found.stored.version
        return self._open.get((name, version, version))

    def version(self, name: str, number: int) -> Pinned[D]:
        """One version of a destination, with its bucket opened by the credentials that the connection has now.

        Once the connection is deleted, and also where another has its name, they are the version's own.

        Raises:
            Permanent: There is no such version, or its credentials cannot be had.
            Transient: They cannot be had now.
        """
        pinned, current = self._at(name, number), self._current.get(name)
        # An external id is issued to one connection only, and never again.
        same = current is not None and current.stored.external_id == pinned.stored.external_id
        holder = current if current and current.destination and same else pinned
        return Pinned(
            destination=self._of_our_kind(pinned),
            bucket=self._open.get((name, number, holder.stored.version)),
        )

    def _of_our_kind(self, found: _Found[D]) -> D:
        if found.destination is None:
            raise of_another_kind(found.stored.name, found.stored.kind)
        return found.destination

    def _load_current(self, name: str) -> tuple[_Found[D] | None, float]:
        stored = self._definitions.current(name)
        if stored is None:
            return None, ABSENT_SECONDS
        return self._found(stored), self._max_age_seconds

    def _load_version(self, key: tuple[str, int]) -> tuple[_Found[D], float]:
        stored = self._definitions.version(*key)
        if stored is None:
            raise Permanent(Code.BAD_MESSAGE, f"there is no version {key[1]} of the {self._definitions.what}")
        return self._found(stored), math.inf

    def _found(self, stored: Stored) -> _Found[D]:
        if stored.kind in ONLY and stored.kind != self._kind:
            return _Found(stored=stored, destination=None)
        return _Found(stored=stored, destination=cast("D", stored.connection()))

    def _at(self, name: str, number: int) -> _Found[D]:
        """One version; the current one is at hand."""
        current = self._current.get(name)
        if current is not None and current.stored.version == number:
            return current
        return self._versions.get((name, number))

    def _open_bucket(self, key: tuple[str, int, int]) -> tuple[Bucket, float]:
        """The bucket of one version, with the credentials of another, and the seconds that they may be used."""
        name, number, holder = key
        place, held = self._of_our_kind(self._at(name, number)), self._at(name, holder)
        credentials, seconds = self._sessions.open(
            name,
            self._of_our_kind(held).credentials,
            external_id=held.stored.external_id,
            secret_arn=held.stored.secret_arn,
        )
        opened = bucket_of(place, credentials, region=self._region, endpoint_url=self._endpoint_url)
        return opened, seconds


def bucket_of(
    connection: Connection, credentials: Mapping[str, Any], *, region: str, endpoint_url: str | None
) -> Bucket:
    """The bucket of a connection, opened with credentials as `Sessions` gives them."""
    return Bucket(
        connection.bucket,
        region=connection.region or region,
        credentials=lambda: credentials,
        owner=connection.owner,
        kms_key_arn=connection.kms_key_arn,
        endpoint_url=endpoint_url,
    )
