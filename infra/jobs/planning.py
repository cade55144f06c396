"""What is waiting for nobody is found and enqueued again: runs, files, and what no notification told of."""

from aws_cdk import Duration
from constructs import Construct

from infra import permissions
from infra.constructs.queue_worker import WorkQueue
from infra.constructs.scheduled_worker import ScheduledWorker
from infra.constructs.worker import Room, Site


class Planning:
    """The function that the clock starts, and that gives others their tasks."""

    def __init__(self, scope: Construct, *, site: Site, deliveries: WorkQueue, arrivals: WorkQueue) -> None:
        config, store = site.config, site.store
        self.planner = ScheduledWorker(
            scope,
            "Planner",
            module="planner",
            every=Duration.minutes(1),
            site=site,
            room=Room(
                memory_megabytes=config.planner_memory_megabytes,
                timeout_seconds=config.planner_timeout_seconds,
            ),
            settings={
                "deliveries_queue_url": deliveries.queue.queue_url,
                "arrivals_queue_url": arrivals.queue.queue_url,
            },
            permitted=[
                permissions.find_definitions(store.definitions.table_arn),
                permissions.keep_runs(store.ledger.table_arn),
                permissions.find_runs(store.ledger.table_arn),
                permissions.send_deliveries(deliveries.queue.queue_arn),
                permissions.send_imports(arrivals.queue.queue_arn),
            ],
        )
