"""Sources as the importer uses them: found by their bucket, opened with their credentials."""

import msgspec

from functions.adapters.aging import Aging
from functions.adapters.definitions import Definitions
from functions.adapters.destinations import ABSENT_SECONDS, Destinations
from functions.adapters.objects import Bucket
from functions.adapters.sessions import Sessions
from functions.core.definitions.destination import SOURCE
from functions.core.definitions.sources import Source
from functions.core.notifications import rule_of


class StoredSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source, and the version of the definition that it is of."""

    source: Source
    version: int

    @property
    def name(self) -> str:
        """Its name."""
        return self.source.name


class OpenSource(StoredSource, frozen=True, kw_only=True):
    """A source with its bucket, opened by the credentials that it has now."""

    bucket: Bucket

    def is_told(self, arrivals_arn: str) -> bool:
        """Whether its bucket tells this queue of files, as far as it is to; ours always does.

        Raises:
            Permanent: Its notifications may not be looked at.
            Transient: They cannot be, now.
        """
        source = self.source
        if source.ours or not source.notifications:
            return True
        rule = rule_of(source=source.name, queue_arn=arrivals_arn, prefix=source.prefix)
        return self.bucket.notifications().serve(rule)


class Sources:
    """The sources that there are; everything is at most as old as a definition may be.

    `definitions` are those of sources; `sessions` know our own credentials, too. `region` is the deployment's own;
    `endpoint_url` is where an emulator listens, None in AWS.
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
        self._max_age_seconds = max_age_seconds
        self._names = Aging(self._load_names)
        self._known: Destinations[Source] = Destinations(
            definitions,
            sessions,
            kind=SOURCE,
            region=region,
            max_age_seconds=max_age_seconds,
            endpoint_url=endpoint_url,
        )

    def of_bucket(self, bucket: str) -> list[StoredSource]:
        """The sources that read this bucket, those that are disabled among them, by their names."""
        found = (self.get(name) for name in self._names.get(bucket))
        return [each for each in found if each and each.source.bucket == bucket]

    def get(self, name: str) -> StoredSource | None:
        """The source of this name, or None if there is none."""
        found = self._known.current(name)
        return StoredSource(source=found.destination, version=found.version) if found else None

    def version(self, name: str, number: int) -> OpenSource:
        """One version of a source, with its bucket opened by the credentials that the source has now.

        Raises:
            Permanent: There is no such version, or its credentials cannot be had.
            Transient: They cannot be had now.
        """
        pinned = self._known.version(name, number)
        return OpenSource(source=pinned.destination, version=number, bucket=pinned.bucket)

    def _load_names(self, bucket: str) -> tuple[list[str], float]:
        names = list(self._definitions.of_bucket(bucket))
        return names, self._max_age_seconds if names else min(ABSENT_SECONDS, self._max_age_seconds)
