"""The whole system on one screen: what is kept, what is queued, what runs, what it may do, who is told."""

from aws_cdk import Aws, CfnOutput, Duration, Environment, Stack
from constructs import Construct

from infra import permissions
from infra.config import DELIVERY_SECONDS, Deployment
from infra.constructs.alarms import Alarms
from infra.constructs.data_store import DataStore
from infra.constructs.layers import Software
from infra.constructs.queue_worker import Pace, QueueWorker, WorkQueue
from infra.constructs.scheduled_worker import ScheduledWorker
from infra.constructs.worker import Room, Site
from infra.package import Package


class SluiceStack(Stack):
    """One deployment of Sluice."""

    def __init__(self, scope: Construct, *, config: Deployment, package: Package) -> None:
        super().__init__(
            scope,
            config.name,
            description="Sluice: S3 destinations and S3 imports",
            env=Environment(account=config.account, region=config.region),
            termination_protection=config.retain,
        )
        secret_prefix = f"{config.name}/"
        secrets = f"secretsmanager:{Aws.REGION}:{Aws.ACCOUNT_ID}:secret:{secret_prefix}*"
        customers_roles = f"iam::*:role/{config.assume_role_pattern}"

        store = DataStore(self, "Data", config=config)
        software = Software(self, "Software", package=package, architecture=config.architecture)
        alarms = Alarms(self, "Alarms", config=config, store=store)
        site = Site(config=config, store=store, software=software)

        read_definitions = permissions.read_definitions(store.definitions.table_arn)
        read_payloads = permissions.read_payloads(store.bucket.bucket_arn)
        keep_failures = permissions.keep_failures(store.bucket.bucket_arn)
        as_customers = [
            permissions.read_secrets(f"arn:{Aws.PARTITION}:{secrets}"),
            permissions.assume_roles(f"arn:{Aws.PARTITION}:{customers_roles}"),
        ]

        # Messages become objects.
        messages = WorkQueue(
            self,
            "Messages",
            store=store,
            pace=Pace(
                timeout_seconds=config.message_writer_timeout_seconds,
                batch_size=config.message_writer_batch_size,
                window_seconds=config.message_writer_window_seconds,
                max_concurrency=config.message_writer_max_concurrency,
            ),
        )
        message_writer = QueueWorker(
            self,
            "MessageWriter",
            module="message_writer",
            work=messages,
            site=site,
            memory_megabytes=config.message_writer_memory_megabytes,
            settings={
                "assume_role_pattern": config.assume_role_pattern,
                "writes_at_once": config.writes_at_once,
                "payload_budget_megabytes": config.payload_budget_megabytes,
            },
            permitted=[
                read_definitions,
                permissions.keep_ledger(store.ledger.table_arn),
                read_payloads,
                keep_failures,
                *as_customers,
            ],
        )
        alarms.watch(message_writer)

        # Rows are staged, their runs sealed and delivered as files.
        records = WorkQueue(
            self,
            "Records",
            store=store,
            pace=Pace(
                timeout_seconds=config.stager_timeout_seconds,
                batch_size=config.stager_batch_size,
                window_seconds=config.stager_window_seconds,
                max_concurrency=config.stager_max_concurrency,
            ),
        )
        deliveries = WorkQueue(
            self,
            "Deliveries",
            store=store,
            pace=Pace(
                timeout_seconds=DELIVERY_SECONDS,
                batch_size=1,
                window_seconds=0,
                max_concurrency=config.file_writer_max_concurrency,
            ),
        )
        keep_runs = [
            permissions.keep_runs(store.ledger.table_arn),
            permissions.send_tasks(deliveries.queue.queue_arn),
        ]
        stager = QueueWorker(
            self,
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
                read_definitions,
                *keep_runs,
                permissions.stage_parts(store.bucket.bucket_arn),
                read_payloads,
                keep_failures,
            ],
        )
        alarms.watch(stager)
        file_writer = QueueWorker(
            self,
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
                read_definitions,
                permissions.deliver_runs(store.ledger.table_arn),
                permissions.read_parts(store.bucket.bucket_arn),
                keep_failures,
                *as_customers,
            ],
            writes_files=True,
        )
        alarms.watch(file_writer)
        planner = ScheduledWorker(
            self,
            "Planner",
            module="planner",
            every=Duration.minutes(1),
            site=site,
            room=Room(
                memory_megabytes=config.planner_memory_megabytes,
                timeout_seconds=config.planner_timeout_seconds,
            ),
            settings={"deliveries_queue_url": deliveries.queue.queue_url},
            permitted=[read_definitions, *keep_runs],
        )
        alarms.watch_runs(planner)

        outputs = {
            "DefinitionsTable": store.definitions.table_name,
            "LedgerTable": store.ledger.table_name,
            "DataBucket": store.bucket.bucket_name,
            "MessagesQueueUrl": messages.queue.queue_url,
            "MessagesDeadLetterQueueUrl": messages.dead_letters.queue_url,
            "MessageWriterFunction": message_writer.function.function_name,
            "MessageWriterRoleArn": message_writer.role.role_arn,
            "RecordsQueueUrl": records.queue.queue_url,
            "RecordsDeadLetterQueueUrl": records.dead_letters.queue_url,
            "StagerFunction": stager.function.function_name,
            "DeliveriesQueueUrl": deliveries.queue.queue_url,
            "DeliveriesDeadLetterQueueUrl": deliveries.dead_letters.queue_url,
            "FileWriterFunction": file_writer.function.function_name,
            "FileWriterRoleArn": file_writer.role.role_arn,
            "PlannerFunction": planner.function.function_name,
            "KeyArn": store.key.key_arn,
            "AlarmTopicArn": alarms.topic.topic_arn,
            "SecretPrefix": secret_prefix,
            "AssumeRolePattern": config.assume_role_pattern,
            "DefinitionMaxAgeSeconds": str(config.definition_max_age_seconds),
            "PartRetentionDays": str(config.part_retention_days),
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
