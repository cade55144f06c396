"""The whole system on one screen: what is kept, what is queued, what runs, what it may do, who is told."""

from aws_cdk import Aws, CfnOutput, Environment, Stack
from constructs import Construct

from functions.core import settings
from infra import permissions
from infra.config import Deployment
from infra.constructs.alarms import Alarms
from infra.constructs.data_store import DataStore
from infra.constructs.layers import Software
from infra.constructs.queue_worker import Pace, QueueWorker, WorkQueue
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

        messages = WorkQueue(
            self,
            "Messages",
            store=store,
            pace=Pace(
                memory_megabytes=config.message_writer_memory_megabytes,
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
            settings=settings.variables(
                definitions_table=store.definitions.table_name,
                ledger_table=store.ledger.table_name,
                data_bucket=store.bucket.bucket_name,
                queue_url=messages.queue.queue_url,
                assume_role_pattern=config.assume_role_pattern,
                definition_max_age_seconds=config.definition_max_age_seconds,
                writes_at_once=config.writes_at_once,
                payload_budget_megabytes=config.payload_budget_megabytes,
                failure_retention_days=config.failure_retention_days,
            ),
            permitted=[
                permissions.read_definitions(store.definitions.table_arn),
                permissions.keep_ledger(store.ledger.table_arn),
                permissions.read_payloads(store.bucket.bucket_arn),
                permissions.keep_failures(store.bucket.bucket_arn),
                permissions.read_secrets(f"arn:{Aws.PARTITION}:{secrets}"),
                permissions.assume_roles(f"arn:{Aws.PARTITION}:{customers_roles}"),
            ],
            software=software,
            store=store,
            config=config,
        )
        alarms.watch(message_writer)

        outputs = {
            "DefinitionsTable": store.definitions.table_name,
            "LedgerTable": store.ledger.table_name,
            "DataBucket": store.bucket.bucket_name,
            "MessagesQueueUrl": messages.queue.queue_url,
            "MessagesDeadLetterQueueUrl": messages.dead_letters.queue_url,
            "MessageWriterFunction": message_writer.function.function_name,
            "MessageWriterRoleArn": message_writer.role.role_arn,
            "KeyArn": store.key.key_arn,
            "AlarmTopicArn": alarms.topic.topic_arn,
            "SecretPrefix": secret_prefix,
            "AssumeRolePattern": config.assume_role_pattern,
            "DefinitionMaxAgeSeconds": str(config.definition_max_age_seconds),
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
