"""The adapters of one process, put together; clients are made when they are first needed."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.clients import Clients
from functions.adapters.definitions import Definitions, Stored
from functions.adapters.destinations import Destinations, open_bucket
from functions.adapters.failures import FailureLedger
from functions.adapters.objects import Bucket, own_credentials
from functions.adapters.payloads import Payloads
from functions.adapters.queues import Queue
from functions.adapters.sessions import Sessions
from functions.core.errors import Transient
from functions.core.settings import Settings

if TYPE_CHECKING:
    from functions.adapters.verification import Check

_MEGABYTE = 1_000_000


class Ports:
    """Everything that a function of this deployment works with; `endpoint_url` is an emulator's, None in AWS."""

    def __init__(
        self, settings: Settings, *, clients: Clients | None = None, endpoint_url: str | None = None
    ) -> None:
        self._settings = settings
        self._clients = clients or Clients(endpoint_url=endpoint_url)

    @cached_property
    def definitions(self) -> Definitions:
        """The table of definitions."""
        return Definitions(self._clients.get("dynamodb"), table=self._settings.definitions_table)

    @cached_property
    def destinations(self) -> Destinations:
        """The destinations, and their buckets opened."""
        return Destinations(
            self.definitions,
            self.sessions,
            region=self._clients.region,
            max_age_seconds=self._settings.definition_max_age_seconds,
            endpoint_url=self._clients.endpoint_url,
        )

    @cached_property
    def sessions(self) -> Sessions:
        """The customers' credentials."""
        return Sessions(
            sts=lambda: self._clients.get("sts"), secrets=lambda: self._clients.get("secretsmanager")
        )

    @cached_property
    def data_bucket(self) -> Bucket:
        """Our own bucket."""
        return Bucket(
            self._settings.data_bucket,
            region=self._clients.region,
            credentials=own_credentials(self._clients.session),
            endpoint_url=self._clients.endpoint_url,
        )

    @cached_property
    def payloads(self) -> Payloads:
        """Offloaded bodies."""
        return Payloads(
            self.data_bucket,
            name=self._settings.data_bucket,
            budget=self._settings.payload_budget_megabytes * _MEGABYTE,
        )

    @cached_property
    def failures(self) -> FailureLedger:
        """What could not be delivered."""
        return FailureLedger(
            self._clients.get("dynamodb"),
            table=self._settings.ledger_table,
            bucket=self.data_bucket,
            retention_days=self._settings.failure_retention_days,
        )

    @cached_property
    def messages_queue(self) -> Queue:
        """The queue of `message_writer`."""
        return Queue(lambda: self._clients.get("sqs"), url=self._settings.queue_url)

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Whether a destination's access is in order.

        `{"stored", "role_arn"}` gives `{"checks": […]}`, or `{"later": why}` where AWS cannot be asked now;
        `stored` need not be stored yet; `role_arn` is our own role, which trust policies name.
        """
        stored = msgspec.convert(question["stored"], Stored)
        try:
            checks = self._checks(stored, question["role_arn"])
        except Transient as error:
            return {"later": error.text}
        found: dict[str, Any] = msgspec.to_builtins({"checks": checks})
        return found

    def _checks(self, stored: Stored, role_arn: str) -> "list[Check]":
        # Imported when it is asked for: no batch should wait for it at a cold start.
        from functions.adapters import verification  # noqa: PLC0415

        return verification.verify(
            stored.destination(),
            external_id=stored.external_id,
            role_pattern=self._settings.assume_role_pattern,
            role_arn=role_arn,
            sts=lambda: self._clients.get("sts"),
            open_bucket=lambda destination: open_bucket(
                stored,
                destination,
                self.sessions,
                region=self._clients.region,
                endpoint_url=self._clients.endpoint_url,
            )[0],
        )
