"""Files that appear become events, properties and profiles."""

from constructs import Construct

from infra import permissions
from infra.config import LONGEST_SECONDS
from infra.constructs.arrivals import Arrivals, DropBucket
from infra.constructs.queue_worker import Pace, QueueWorker
from infra.constructs.worker import Site
from infra.permissions import Permission


class Imports:
    """The queue that buckets tell of their files, our own bucket for files, and the function that reads them."""

    def __init__(self, scope: Construct, *, site: Site) -> None:
        config, store = site.config, site.store
        self.arrivals = Arrivals(
            scope,
            "Arrivals",
            store=store,
            pace=Pace(
                timeout_seconds=LONGEST_SECONDS,
                batch_size=config.importer_batch_size,
                window_seconds=config.importer_window_seconds,
                max_concurrency=config.importer_max_concurrency,
            ),
            accounts=config.import_accounts,
        )
        self.drop = DropBucket(scope, "Drop", store=store, arrivals=self.arrivals)
        self.importer = QueueWorker(
            scope,
            "Importer",
            module="importer",
            work=self.arrivals,
            site=site,
            memory_megabytes=config.importer_memory_megabytes,
            storage_megabytes=config.importer_storage_megabytes,
            settings={
                "arrivals_queue_url": self.arrivals.queue.queue_url,
                "claims_table": store.claims.table_name,
                "profiles_table": store.profiles.table_name,
                "drop_bucket": self.drop.bucket.bucket_name,
                "assume_role_pattern": config.assume_role_pattern,
                "event_retention_days": config.event_retention_days,
                "chunk_events": config.chunk_events,
                "chunk_megabytes": config.chunk_megabytes,
                "largest_file_gigabytes": config.largest_file_gigabytes,
                "payload_budget_megabytes": config.payload_budget_megabytes,
            },
            permitted=[
                permissions.find_definitions(store.definitions.table_arn),
                permissions.keep_imports(store.ledger.table_arn),
                permissions.claim_insert_ids(store.claims.table_arn),
                permissions.keep_profiles(store.profiles.table_arn),
                *_reading(self.drop, site),
                *_writing(site),
                permissions.send_imports(self.arrivals.queue.queue_arn),
                *site.as_customers,
            ],
            columnar=True,
        )


def _reading(drop: DropBucket, site: Site) -> list[Permission]:
    return [
        permissions.read_drops(drop.bucket.bucket_arn),
        permissions.list_drops(drop.bucket.bucket_arn),
        permissions.read_payloads(site.store.bucket.bucket_arn),
    ]


def _writing(site: Site) -> list[Permission]:
    bucket = site.store.bucket.bucket_arn
    outputs = site.config.output_queue_arns
    return [
        permissions.keep_candidates(bucket),
        permissions.keep_events(bucket),
        permissions.keep_rejects(bucket),
        permissions.keep_failures(bucket),
        *([permissions.send_events(outputs)] if outputs else []),
    ]
