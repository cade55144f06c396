"""The whole system on one screen: what is kept, which jobs are done with it, who is told, what others must know."""

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from infra.config import Deployment
from infra.constructs.alarms import Alarms
from infra.constructs.data_store import DataStore
from infra.constructs.layers import Software
from infra.constructs.worker import Site
from infra.jobs.imports import Imports
from infra.jobs.messages import Messages
from infra.jobs.planning import Planning
from infra.jobs.streams import Streams
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
        store = DataStore(self, "Data", config=config)
        software = Software(self, "Software", package=package, architecture=config.architecture)
        alarms = Alarms(self, "Alarms", config=config, store=store)
        site = Site(config=config, store=store, software=software)

        messages = Messages(self, site=site)
        streams = Streams(self, site=site)
        imports = Imports(self, site=site)
        planning = Planning(self, site=site, deliveries=streams.deliveries, arrivals=imports.arrivals)

        for worker in (messages.writer, streams.stager, streams.file_writer, imports.importer):
            alarms.watch(worker)
        alarms.watch_planner(planning.planner)

        outputs = {
            "DefinitionsTable": store.definitions.table_name,
            "LedgerTable": store.ledger.table_name,
            "ClaimsTable": store.claims.table_name,
            "ProfilesTable": store.profiles.table_name,
            "DataBucket": store.bucket.bucket_name,
            "MessagesQueueUrl": messages.work.queue.queue_url,
            "MessagesDeadLetterQueueUrl": messages.work.dead_letters.queue_url,
            "MessageWriterFunction": messages.writer.function.function_name,
            "MessageWriterRoleArn": messages.writer.role.role_arn,
            "RecordsQueueUrl": streams.records.queue.queue_url,
            "RecordsDeadLetterQueueUrl": streams.records.dead_letters.queue_url,
            "StagerFunction": streams.stager.function.function_name,
            "DeliveriesQueueUrl": streams.deliveries.queue.queue_url,
            "DeliveriesDeadLetterQueueUrl": streams.deliveries.dead_letters.queue_url,
            "FileWriterFunction": streams.file_writer.function.function_name,
            "FileWriterRoleArn": streams.file_writer.role.role_arn,
            "ArrivalsQueueUrl": imports.arrivals.queue.queue_url,
            "ArrivalsQueueArn": imports.arrivals.queue.queue_arn,
            "ArrivalsDeadLetterQueueUrl": imports.arrivals.dead_letters.queue_url,
            "DropBucket": imports.drop.bucket.bucket_name,
            "ImporterFunction": imports.importer.function.function_name,
            "ImporterRoleArn": imports.importer.role.role_arn,
            "PlannerFunction": planning.planner.function.function_name,
            "KeyArn": store.key.key_arn,
            "AlarmTopicArn": alarms.topic.topic_arn,
            "SecretPrefix": site.secret_prefix,
            "AssumeRolePattern": config.assume_role_pattern,
            "DefinitionMaxAgeSeconds": str(config.definition_max_age_seconds),
            "PartRetentionDays": str(config.part_retention_days),
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
