"""The adapters of an import, put together beside those that every function may have."""

from functools import cached_property

from functions.adapters.claims import Claims
from functions.adapters.event_store import EventStore
from functions.adapters.outputs import QueueOutputs
from functions.adapters.profiles import ProfileBook
from functions.adapters.wiring import UNDER_WAY_DAYS, Ports


class ImportPorts(Ports):
    """Everything that an import works with."""

    @cached_property
    def event_store(self) -> EventStore:
        """Parts, rejects and candidates."""
        return EventStore(self.data_bucket)

    @cached_property
    def claims(self) -> Claims:
        """Insert ids that are taken."""
        return Claims(self._clients.get("dynamodb"), table=self._settings.claims_table)

    @cached_property
    def profiles(self) -> ProfileBook:
        """Properties of users, groups and profiles."""
        return ProfileBook(
            self._clients.get("dynamodb"),
            table=self._settings.profiles_table,
            marker_days=self._settings.failure_retention_days + UNDER_WAY_DAYS,
        )

    @cached_property
    def outputs(self) -> QueueOutputs:
        """The queues that events go to besides."""
        return QueueOutputs(
            lambda: self._clients.get("sqs"), bucket=self.data_bucket, bucket_name=self._settings.data_bucket
        )
