"""The adapters of one process, put together; clients are made when they are first needed."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from functions.adapters.answering import Answers
from functions.adapters.clients import Clients
from functions.adapters.definitions import Definitions, What
from functions.adapters.destinations import Destinations
from functions.adapters.discoveries import Discoveries
from functions.adapters.failures import FailureLedger
from functions.adapters.files import FileLedger
from functions.adapters.intakes import Intakes
from functions.adapters.objects import Bucket, own_credentials
from functions.adapters.parts import Parts
from functions.adapters.payloads import Payloads
from functions.adapters.queues import Queue
from functions.adapters.runs import RunLedger
from functions.adapters.scans import Scans
from functions.adapters.seals import Seals
from functions.adapters.sending import Sender
from functions.adapters.sessions import Sessions
from functions.core.records import Queue as FedBy
from functions.core.settings import Settings

if TYPE_CHECKING:
    from functions.adapters.sources import Sources
    from functions.core.definitions.messages import MessageDestination
    from functions.core.definitions.streams import StreamDestination

_MEGABYTE = 1_000_000

UNDER_WAY_DAYS = 30
"""A message may wait in its queue and among the dead letters, 14 days each, beside the time that it is kept."""


class Ports:
    """Everything that a function of this deployment works with.

    `queue` is the one that feeds it; `endpoint_url` is an emulator's, None in AWS.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        queue: FedBy = FedBy.MESSAGES,
        clients: Clients | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self._settings = settings
        self._fed_by = queue
        self._clients = clients or Clients(endpoint_url=endpoint_url)

    @cached_property
    def definitions(self) -> Definitions:
        """The table of definitions."""
        return Definitions(self._clients.get("dynamodb"), table=self._settings.definitions_table)

    @cached_property
    def source_definitions(self) -> Definitions:
        """The same table, as far as it is about sources."""
        dynamodb = self._clients.get("dynamodb")
        return Definitions(dynamodb, table=self._settings.definitions_table, what=What.SOURCE)

    @cached_property
    def sources(self) -> "Sources":
        """The sources, and their buckets opened."""
        # Imported when it is asked for: most functions have not its libraries.
        from functions.adapters.sources import Sources  # noqa: PLC0415 - as said

        return Sources(
            self.source_definitions,
            self.sessions,
            region=self._clients.region,
            max_age_seconds=self._settings.definition_max_age_seconds,
            endpoint_url=self._clients.endpoint_url,
        )

    @cached_property
    def destinations(self) -> "Destinations[MessageDestination]":
        """The destinations of messages, and their buckets opened."""
        return Destinations(
            self.definitions,
            self.sessions,
            kind="messages",
            region=self._clients.region,
            max_age_seconds=self._settings.definition_max_age_seconds,
            endpoint_url=self._clients.endpoint_url,
        )

    @cached_property
    def stream_destinations(self) -> "Destinations[StreamDestination]":
        """The destinations of streams, and their buckets opened."""
        return Destinations(
            self.definitions,
            self.sessions,
            kind="streams",
            region=self._clients.region,
            max_age_seconds=self._settings.definition_max_age_seconds,
            endpoint_url=self._clients.endpoint_url,
        )

    @cached_property
    def sessions(self) -> Sessions:
        """The customers' credentials."""
        return Sessions(
            sts=lambda: self._clients.get("sts"),
            secrets=lambda: self._clients.get("secretsmanager"),
            own=own_credentials(self._clients.session),
        )

    @cached_property
    def data_bucket(self) -> Bucket:
        """Our own bucket."""
        return self._own_bucket()

    def _own_bucket(self, *, hashed: bool = True) -> Bucket:
        return Bucket(
            self._settings.data_bucket,
            region=self._clients.region,
            credentials=own_credentials(self._clients.session),
            endpoint_url=self._clients.endpoint_url,
            hashed=hashed,
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
            queue=self._fed_by,
        )

    @cached_property
    def intakes(self) -> Intakes:
        """What taking rows in needs of the definitions."""
        return Intakes(self.definitions, max_age_seconds=self._settings.definition_max_age_seconds)

    @cached_property
    def parts(self) -> Parts:
        """The staging objects."""
        return Parts(self._own_bucket(hashed=False))

    @cached_property
    def runs(self) -> RunLedger:
        """The runs, and what was staged of them."""
        return RunLedger(
            self._clients.get("dynamodb"),
            table=self._settings.ledger_table,
            part_days=self._settings.part_retention_days,
            marker_days=self._settings.failure_retention_days + UNDER_WAY_DAYS,
        )

    @cached_property
    def seals(self) -> Seals:
        """What seals runs, and asks for their delivery."""
        return Seals(self.runs, self._sender(self._settings.deliveries_queue_url))

    @cached_property
    def discoveries(self) -> Discoveries:
        """What finding files needs of the definitions."""
        return Discoveries(self.source_definitions, max_age_seconds=self._settings.definition_max_age_seconds)

    @cached_property
    def files(self) -> FileLedger:
        """The files of all sources."""
        return FileLedger(
            self._clients.get("dynamodb"),
            table=self._settings.ledger_table,
            event_days=self._settings.event_retention_days,
        )

    @cached_property
    def scans(self) -> Scans:
        """The passes over their buckets."""
        return Scans(self._clients.get("dynamodb"), table=self._settings.ledger_table)

    @cached_property
    def import_tasks(self) -> Sender:
        """The queue of arrivals, for tasks of our own."""
        return self._sender(self._settings.arrivals_queue_url)

    @cached_property
    def queue(self) -> Queue:
        """The queue that feeds the function."""
        return Queue(lambda: self._clients.get("sqs"), url=self._settings.queue_url)

    def _sender(self, url: str) -> Sender:
        return Sender(
            self._clients.get("sqs"),
            url=url,
            bucket=self.data_bucket,
            bucket_name=self._settings.data_bucket,
        )

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Whether a connection's access is in order, and what else `functions.adapters.answering` answers."""
        return Answers(self._settings, clients=self._clients, sessions=self.sessions).answer(question)
