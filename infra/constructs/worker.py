"""A function of ours with the role and the log group that it needs: the part that all of them have alike."""

from collections.abc import Mapping, Sequence

import msgspec
from aws_cdk import Aws, Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from functions.core.settings import variables
from infra import permissions
from infra.config import PYTHON, Deployment
from infra.constructs.data_store import DataStore
from infra.constructs.findings import acknowledge, acknowledge_breadth
from infra.constructs.layers import Software
from infra.permissions import Permission

METRICS = "Sluice"
"""The namespace of all metrics; their dimension `service` is the function's module."""

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

_ZONES = {"PYTHONTZPATH": "/opt/python/tzdata/zoneinfo"}
"""The zones of the columnar layer, as the lock file pins them: Lambda's system may have others, or none."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What all functions of one deployment have in common."""

    config: Deployment
    store: DataStore
    software: Software

    @property
    def secret_prefix(self) -> str:
        """What the names of this deployment's secrets begin with."""
        return f"{self.config.name}/"

    @property
    def as_customers(self) -> list[Permission]:
        """What it takes to work in customers' buckets: their roles, or the keys of those who give none."""
        secrets = f"secretsmanager:{Aws.REGION}:{Aws.ACCOUNT_ID}:secret:{self.secret_prefix}*"
        roles = f"iam::*:role/{self.config.assume_role_pattern}"
        return [
            permissions.read_secrets(f"arn:{Aws.PARTITION}:{secrets}"),
            permissions.assume_roles(f"arn:{Aws.PARTITION}:{roles}"),
        ]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What one invocation has to work in."""

    memory_megabytes: int
    timeout_seconds: int
    storage_megabytes: int | None = None
    """Its disk; Lambda's 512 MB where it needs none."""


class Worker(Construct):
    """The function `functions.<module>` with a role and a log group.

    Args:
        scope: Where it belongs.
        id: Its name there.
        module: The package below `functions`; with dashes it ends the role's explicit name, which customers' trust
            policies state.
        site: What all functions share.
        room: What an invocation has.
        settings: What `functions.core.settings` is to read beside what it reads everywhere.
        permitted: What its job needs beyond its logs, its traces and the key.
        columnar: Whether it works on files, for which it needs the columnar layer.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name for it
        *,
        module: str,
        site: Site,
        room: Room,
        settings: Mapping[str, str | int],
        permitted: Sequence[Permission],
        columnar: bool = False,
    ) -> None:
        super().__init__(scope, id)
        self.module = module
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=_RETENTIONS[site.config.log_retention_days],
            encryption_key=site.store.key,
            removal_policy=site.store.removal_policy,
        )
        by_every_worker = (
            permissions.write_logs(log_group.log_group_arn),
            permissions.send_traces(),
            permissions.use_key(site.store.key.key_arn),
        )
        role_name = f"{site.config.name}-{module.replace('_', '-')}"
        self.role = self._role(role_name, [*by_every_worker, *permitted])
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"Sluice: {module}",
            handler=f"functions.{module}.handler.handler",
            code=site.software.code,
            layers=site.software.columnar if columnar else site.software.plain,
            runtime=site.software.runtime,
            architecture=site.software.architecture,
            memory_size=room.memory_megabytes,
            timeout=Duration.seconds(room.timeout_seconds),
            ephemeral_storage_size=Size.mebibytes(room.storage_megabytes) if room.storage_megabytes else None,
            environment=_environment(module, site, settings) | (_ZONES if columnar else {}),
            # The role is complete: CDK would add a statement for traces, its own way.
            role=self.role.without_policy_updates(),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
        )
        older = f"Functions are built for and tested on Python {PYTHON}; a newer one is a release of its own"
        acknowledge(self.function, {"AwsSolutions-L1": older, "Serverless-LambdaLatestVersion": older})

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
                acknowledge_breadth(role, str(permission.resource), permission.breadth)
        acknowledge(role, {"Serverless-LambdaStarPermissions": permissions.send_traces().breadth})
        return role


def _environment(module: str, site: Site, settings: Mapping[str, str | int]) -> dict[str, str]:
    everywhere = variables(
        definitions_table=site.store.definitions.table_name,
        ledger_table=site.store.ledger.table_name,
        data_bucket=site.store.bucket.bucket_name,
        definition_max_age_seconds=site.config.definition_max_age_seconds,
        failure_retention_days=site.config.failure_retention_days,
        part_retention_days=site.config.part_retention_days,
    )
    return {
        **everywhere,
        **variables(**settings),
        "POWERTOOLS_SERVICE_NAME": module,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS,
        "POWERTOOLS_LOG_LEVEL": site.config.log_level,
    }
