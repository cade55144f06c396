"""Messages become objects."""

from constructs import Construct

from infra import permissions
from infra.constructs.queue_worker import Pace, QueueWorker, WorkQueue
from infra.constructs.worker import Site


class Messages:
    """The queue of messages, and the function that writes each of them to its bucket."""

    def __init__(self, scope: Construct, *, site: Site) -> None:
        config, store = site.config, site.store
        self.work = WorkQueue(
            scope,
            "Messages",
            store=store,
            pace=Pace(
                timeout_seconds=config.message_writer_timeout_seconds,
                batch_size=config.message_writer_batch_size,
                window_seconds=config.message_writer_window_seconds,
                max_concurrency=config.message_writer_max_concurrency,
            ),
        )
        self.writer = QueueWorker(
            scope,
            "MessageWriter",
            module="message_writer",
            work=self.work,
            site=site,
            memory_megabytes=config.message_writer_memory_megabytes,
            settings={
                "assume_role_pattern": config.assume_role_pattern,
                "writes_at_once": config.writes_at_once,
                "payload_budget_megabytes": config.payload_budget_megabytes,
            },
            permitted=[
                permissions.read_definitions(store.definitions.table_arn),
                permissions.keep_ledger(store.ledger.table_arn),
                permissions.read_payloads(store.bucket.bucket_arn),
                permissions.keep_failures(store.bucket.bucket_arn),
                *site.as_customers,
            ],
        )
