"""Destinations as the functions use them: the definition, and the customer's bucket opened with its credentials.

Both are looked up once and used for a while; what is opened belongs to one version of one destination and is
never handed to another.
"""

from functions.adapters.aging import Aging
from functions.adapters.definitions import Definitions, Stored
from functions.adapters.objects import Bucket
from functions.adapters.sessions import Sessions
from functions.core.definitions import Destination
from functions.core.errors import Code, Permanent

ABSENT_SECONDS = 1.0
"""How long a destination counts as unknown: one that is created now works for the next message."""


class Destinations:
    """The destinations that one function meets.

    `region` is the deployment's own; `endpoint_url` is where an emulator listens, None in AWS.
    """

    def __init__(
        self,
        definitions: Definitions,
        sessions: Sessions,
        *,
        region: str,
        max_age_seconds: float,
        endpoint_url: str | None = None,
    ) -> None:
        self._definitions = definitions
        self._sessions = sessions
        self._region = region
        self._max_age_seconds = max_age_seconds
        self._endpoint_url = endpoint_url
        self._found = Aging(self._load)
        self._open = Aging(self._open_bucket)

    def definition(self, name: str) -> Destination | None:
        """The destination of this name, at most as old as a definition may be; None if there is none."""
        found = self._found.get(name)
        return found[1] if found else None

    def bucket(self, name: str) -> Bucket:
        """The customer's bucket.

        Raises:
            Permanent: Its credentials cannot be had.
            Transient: They cannot be had now.
        """
        found = self._found.get(name)
        if found is None:
            raise Permanent(Code.BAD_MESSAGE, "there is no such destination")
        return self._open.get((name, found[0].version))

    def _load(self, name: str) -> tuple[tuple[Stored, Destination] | None, float]:
        stored = self._definitions.current(name)
        if stored is None:
            return None, ABSENT_SECONDS
        return (stored, stored.destination()), self._max_age_seconds

    def _open_bucket(self, key: tuple[str, int]) -> tuple[Bucket, float]:
        name, _ = key
        found = self._found.get(name)
        if found is None:
            raise Permanent(Code.BAD_MESSAGE, "there is no such destination")
        return open_bucket(
            found[0], found[1], self._sessions, region=self._region, endpoint_url=self._endpoint_url
        )


def open_bucket(
    stored: Stored, destination: Destination, sessions: Sessions, *, region: str, endpoint_url: str | None
) -> tuple[Bucket, float]:
    """The bucket of a destination, with credentials of its own, and the seconds that they may be used."""
    credentials, seconds = sessions.open(
        stored.name,
        destination.credentials,
        external_id=stored.external_id,
        secret_arn=stored.secret_arn,
    )
    bucket = Bucket(
        destination.bucket,
        region=destination.region or region,
        credentials=lambda: credentials,
        owner=destination.owner,
        kms_key_arn=destination.kms_key_arn,
        endpoint_url=endpoint_url,
    )
    return bucket, seconds
