"""Rows are staged, their runs sealed and delivered as files."""

from constructs import Construct

from infra import permissions
from infra.config import LONGEST_SECONDS
from infra.constructs.queue_worker import Pace, QueueWorker, WorkQueue
from infra.constructs.worker import Site


class Streams:
    """The queues of rows and of sealed runs, with the function that stages and the one that delivers."""

    def __init__(self, scope: Construct, *, site: Site) -> None:
        self.records, self.deliveries = _records(scope, site), _deliveries(scope, site)
        self.stager = _stager(scope, site, records=self.records, deliveries=self.deliveries)
        self.file_writer = _file_writer(scope, site, deliveries=self.deliveries)


def _records(scope: Construct, site: Site) -> WorkQueue:
    pace = Pace(
        timeout_seconds=site.config.stager_timeout_seconds,
        batch_size=site.config.stager_batch_size,
        window_seconds=site.config.stager_window_seconds,
        max_concurrency=site.config.stager_max_concurrency,
    )
    return WorkQueue(scope, "Records", store=site.store, pace=pace)


def _deliveries(scope: Construct, site: Site) -> WorkQueue:
    pace = Pace(
        timeout_seconds=LONGEST_SECONDS,
        batch_size=1,
        window_seconds=0,
        max_concurrency=site.config.file_writer_max_concurrency,
    )
    return WorkQueue(scope, "Deliveries", store=site.store, pace=pace)


def _stager(scope: Construct, site: Site, *, records: WorkQueue, deliveries: WorkQueue) -> QueueWorker:
    config, store = site.config, site.store
    return QueueWorker(
        scope,
        "Stager",
        module="stager",
        work=records,
        site=site,
        memory_megabytes=config.stager_memory_megabytes,
        settings={
            "deliveries_queue_url": deliveries.queue.queue_url,
            "writes_at_once": config.writes_at_once,
            "payload_budget_megabytes": config.payload_budget_megabytes,
        },
        permitted=[
            permissions.read_definitions(store.definitions.table_arn),
            permissions.keep_runs(store.ledger.table_arn),
            permissions.send_deliveries(deliveries.queue.queue_arn),
            permissions.stage_parts(store.bucket.bucket_arn),
            permissions.read_payloads(store.bucket.bucket_arn),
            permissions.keep_failures(store.bucket.bucket_arn),
        ],
    )


def _file_writer(scope: Construct, site: Site, *, deliveries: WorkQueue) -> QueueWorker:
    config, store = site.config, site.store
    return QueueWorker(
        scope,
        "FileWriter",
        module="file_writer",
        work=deliveries,
        site=site,
        memory_megabytes=config.file_writer_memory_megabytes,
        storage_megabytes=config.file_writer_storage_megabytes,
        settings={
            "assume_role_pattern": config.assume_role_pattern,
            "largest_run_gigabytes": config.largest_run_gigabytes,
        },
        permitted=[
            permissions.read_definitions(store.definitions.table_arn),
            permissions.deliver_runs(store.ledger.table_arn),
            permissions.read_parts(store.bucket.bucket_arn),
            permissions.keep_failures(store.bucket.bucket_arn),
            *site.as_customers,
        ],
        columnar=True,
    )
