"""A queue and the function that empties it: the one shape of everything that Sluice does with messages."""

from collections.abc import Mapping, Sequence

import msgspec
from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.core.records import MAX_RECEIVES
from infra import permissions
from infra.config import PYTHON, QUEUE_RETENTION_DAYS, Deployment
from infra.constructs.data_store import DataStore
from infra.constructs.findings import acknowledge, acknowledge_breadth
from infra.constructs.layers import Software
from infra.permissions import Permission

LARGEST_MESSAGE = 1_048_576
"""Bytes: the most that SQS takes."""

_FROM_A_QUEUE = "What fails goes back to the queue, and after the last receive to the dead letters"

_RETENTIONS = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
}


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much work one invocation is given, how long it has, and how many there are at once."""

    memory_megabytes: int
    timeout_seconds: int
    batch_size: int
    window_seconds: int
    max_concurrency: int

    @property
    def visibility(self) -> Duration:
        """How long SQS keeps a received message back: AWS asks for six timeouts and the window."""
        return Duration.seconds(6 * self.timeout_seconds + self.window_seconds)


class WorkQueue(Construct):
    """A queue and its dead-letter queue: encrypted, TLS only, both keeping messages as long as SQS can."""

    def __init__(self, scope: Construct, id: str, *, store: DataStore, pace: Pace) -> None:  # noqa: A002 CDK's own name for it
        super().__init__(scope, id)
        self._store = store
        self.pace = pace
        self.dead_letters = self._queue("DeadLetters")
        acknowledge(
            self.dead_letters, {"Serverless-SQSRedrivePolicy": "It is itself where given-up messages end"}
        )
        dead = sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES)
        self.queue = self._queue("Queue", visibility=pace.visibility, dead=dead)

    def _queue(
        self,
        id: str,  # noqa: A002 as above
        *,
        visibility: Duration | None = None,
        dead: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._store.key,
            enforce_ssl=True,
            retention_period=Duration.days(QUEUE_RETENTION_DAYS),
            max_message_size_bytes=LARGEST_MESSAGE,
            visibility_timeout=visibility,
            dead_letter_queue=dead,
            removal_policy=self._store.removal_policy,
        )


class QueueWorker(Construct):
    """The function `functions.<module>` with a role, a log group and the mapping that feeds it from its queue.

    Args:
        scope: Where it belongs.
        id: Its name there.
        module: The package below `functions`; with dashes it ends the role's explicit name, which customers' trust
            policies state.
        work: The queue that it empties, at the pace that the queue was built for.
        settings: The environment that `functions.core.settings` reads.
        permitted: What its job needs beyond its queue, its logs, its traces and the key.
        software: What it runs.
        store: Whose key encrypts its logs.
        config: The deployment.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name for it
        *,
        module: str,
        work: WorkQueue,
        settings: Mapping[str, str],
        permitted: Sequence[Permission],
        software: Software,
        store: DataStore,
        config: Deployment,
    ) -> None:
        super().__init__(scope, id)
        self.work = work
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=_RETENTIONS[config.log_retention_days],
            encryption_key=store.key,
            removal_policy=store.removal_policy,
        )
        by_every_worker = (
            permissions.consume(work.queue.queue_arn),
            permissions.write_logs(log_group.log_group_arn),
            permissions.send_traces(),
            permissions.use_key(store.key.key_arn),
        )
        self.role = self._role(f"{config.name}-{module.replace('_', '-')}", [*by_every_worker, *permitted])
        telemetry = {
            "POWERTOOLS_SERVICE_NAME": module,
            "POWERTOOLS_METRICS_NAMESPACE": "Sluice",
            "POWERTOOLS_LOG_LEVEL": config.log_level,
        }
        self.function = self._function(module, software, log_group, {**settings, **telemetry})
        self._map_events()

    def _role(self, name: str, permitted: Sequence[Permission]) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            role_name=name,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"job": iam.PolicyDocument.from_json(permissions.document(permitted))},
        )
        for permission in permitted:
            if permission.breadth:
                acknowledge_breadth(role, permission.resource, permission.breadth)
        acknowledge(role, {"Serverless-LambdaStarPermissions": permissions.send_traces().breadth})
        return role

    def _function(
        self, module: str, software: Software, log_group: logs.LogGroup, environment: Mapping[str, str]
    ) -> lambda_.Function:
        function = lambda_.Function(
            self,
            "Function",
            description=f"Sluice: {module}",
            handler=f"functions.{module}.handler.handler",
            code=software.code,
            layers=software.layers,
            runtime=software.runtime,
            architecture=software.architecture,
            memory_size=self.work.pace.memory_megabytes,
            timeout=Duration.seconds(self.work.pace.timeout_seconds),
            environment=environment,
            # The role is complete: CDK would add a statement for traces, its own way.
            role=self.role.without_policy_updates(),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
        )
        older = f"Functions are built for and tested on Python {PYTHON}; a newer one is a release of its own"
        acknowledge(
            function,
            {
                "AwsSolutions-L1": older,
                "Serverless-LambdaLatestVersion": older,
                "Serverless-LambdaDLQ": _FROM_A_QUEUE,
            },
        )
        return function

    def _map_events(self) -> None:
        mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=self.work.queue.queue_arn,
            batch_size=self.work.pace.batch_size,
            max_batching_window=Duration.seconds(self.work.pace.window_seconds),
            report_batch_item_failures=True,
            max_concurrency=self.work.pace.max_concurrency,
        )
        acknowledge(mapping, {"Serverless-LambdaEventSourceMappingDestination": _FROM_A_QUEUE})
