"""What a customer deploys, so that Sluice can work in their bucket: one role, and the bucket if they want it.

`customer_template` gives it as a template for CloudFormation that depends on nothing of the CDK's.
"""

import re
import tempfile
from typing import Any

import msgspec
from aws_cdk import (
    App,
    Aws,
    CfnCondition,
    CfnOutput,
    CfnParameter,
    DefaultStackSynthesizer,
    Fn,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_s3 as s3
from constructs import Construct

from functions.core import policies
from functions.core.notifications import CREATED
from infra.constructs.access_role import AccessRole
from infra.constructs.findings import acknowledge

_ROLE_NAME_CHARACTER = r"[\w+=,.@-]"


class AccessError(ValueError):
    """No template can be made for this access; the text names the value that stands against it."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The access that one destination or source needs: its parameters' defaults, and what shapes the template."""

    role_name: str
    trusted_role_arn: str
    """Our function's role: the deployment's output `MessageWriterRoleArn`, for streams `FileWriterRoleArn`, for
    sources `ImporterRoleArn`."""
    external_id: str
    bucket: str
    kind: str = "messages"
    """The kind of the destination, or `files` for a source: what its job is."""
    prefix: str = ""
    kms_key_arn: str | None = None
    """Only with a key does the template have a parameter for it, and the role its use."""
    keep: bool = False
    """Whether a destination of messages has `on_existing: keep`, which looks at what is already there."""
    notifications: bool = False
    """Whether a source's notifications are to be set up for the customer."""
    create_bucket: bool = False
    notified_queue_arn: str | None = None
    """The deployment's output `ArrivalsQueueArn`: a bucket that is made tells this queue of its files."""
    role_name_pattern: str = "sluice-*"
    """What roles the deployment can assume: its `assume_role_pattern`."""


class AccessStack(Stack):
    """The customer's stack for one destination or source."""

    def __init__(self, scope: Construct, id: str, *, access: Access) -> None:  # noqa: A002 CDK's own name for it
        super().__init__(
            scope,
            id,
            description="Lets Sluice work in one bucket",
            # Neither a bootstrapped account nor a rule that asks for one: customers have no CDK.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        role_name = self._parameter("RoleName", access.role_name, _role_name_rule(access.role_name_pattern))
        trusted = self._parameter(
            "TrustedRoleArn",
            access.trusted_role_arn,
            (r"arn:aws[a-z-]*:iam::\d{12}:role/.+", "the ARN of the role that Sluice's function has"),
        )
        external_id = self._parameter(
            "ExternalId",
            access.external_id,
            (r"[\w+=,.@:/-]{2,1224}", "the external id that Sluice issued for this connection, unchanged"),
        )
        bucket = self._parameter(
            "BucketName", access.bucket, (r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of your bucket")
        )
        prefix = self._parameter(
            "Prefix",
            access.prefix,
            (
                r"([^/*?$][^*?$]*)?",
                "what the keys of all objects begin with, without * ? $, which IAM reads as patterns",
            ),
        )
        key = access.kms_key_arn and self._parameter(
            "KmsKeyArn",
            access.kms_key_arn,
            (
                r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+",
                "the ARN of the KMS key that encrypts the objects",
            ),
        )
        queue = access.notified_queue_arn and self._parameter(
            "ArrivalsQueueArn",
            access.notified_queue_arn,
            (
                r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:.+",
                "the ARN of the queue that is told of files, once Sluice's deployment lists your account",
            ),
        )
        role = AccessRole(
            self,
            "Access",
            role_name=role_name,
            trusted_role_arn=trusted,
            external_id=external_id,
            allowed=_allowed(access, bucket=bucket, prefix=prefix, key=key),
        ).role
        role.override_logical_id("Role")
        told = _notifying(queue, prefix) if queue else None
        self._bucket(
            bucket, key=key, told=told, wanted=self._asked_for("CreateBucket", default=access.create_bucket)
        )
        CfnOutput(self, "RoleArn", value=role.attr_arn, description="The definition's credentials.role_arn")

    def _parameter(self, name: str, default: str, rule: tuple[str, str]) -> str:
        """A reference to a parameter whose default obeys the rule that CloudFormation will hold it to.

        Raises:
            AccessError: The default does not obey it.
        """
        pattern, meaning = rule
        if not re.fullmatch(pattern, default):
            raise AccessError(f"{name} cannot be {default!r}: it must be {meaning}")
        parameter = CfnParameter(
            self,
            name,
            default=default,
            description=meaning,
            allowed_pattern=f"^{pattern}$",
            constraint_description=meaning,
        )
        return parameter.value_as_string

    def _asked_for(self, name: str, *, default: bool) -> CfnCondition:
        answer = CfnParameter(
            self,
            name,
            default="yes" if default else "no",
            allowed_values=["yes", "no"],
            description="yes to have the bucket made; no where it exists",
        )
        return CfnCondition(
            self, f"{name}Wanted", expression=Fn.condition_equals(answer.value_as_string, "yes")
        )

    def _bucket(
        self,
        name: str,
        *,
        key: str | None,
        told: s3.CfnBucket.NotificationConfigurationProperty | None,
        wanted: CfnCondition,
    ) -> None:
        """The bucket: encrypted, private, TLS only; it stays when the stack goes."""
        algorithm = "aws:kms" if key else "AES256"
        encryption = s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
            sse_algorithm=algorithm, kms_master_key_id=key
        )
        bucket = s3.CfnBucket(
            self,
            "Bucket",
            bucket_name=name,
            notification_configuration=told,
            bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    s3.CfnBucket.ServerSideEncryptionRuleProperty(
                        server_side_encryption_by_default=encryption, bucket_key_enabled=key is not None
                    )
                ]
            ),
            public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
                rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
            ),
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
                rules=[
                    s3.CfnBucket.RuleProperty(
                        status="Enabled",
                        abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                            days_after_initiation=7
                        ),
                    )
                ]
            ),
        )
        bucket.apply_removal_policy(RemovalPolicy.RETAIN)
        bucket.cfn_options.condition = wanted
        policy = s3.CfnBucketPolicy(
            self, "BucketPolicy", bucket=bucket.ref, policy_document=_tls_only(bucket)
        )
        policy.cfn_options.condition = wanted
        acknowledge(bucket, {"AwsSolutions-S1": "Whether accesses are logged is the customer's to decide"})


def customer_template(access: Access) -> dict[str, Any]:
    """The template of the customer's stack, as the CloudFormation console takes it.

    Its role has a name, so creating it asks for the capability CAPABILITY_NAMED_IAM.

    Raises:
        AccessError: A value is malformed, or the deployment cannot assume a role of this name.
    """
    context = {"aws:cdk:enable-path-metadata": False, "aws:cdk:enable-asset-metadata": False}
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder, analytics_reporting=False, context=context)
        stack = AccessStack(app, "SluiceAccess", access=access)
        template: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template
    return template


def _allowed(access: Access, *, bucket: str, prefix: str, key: str | None) -> dict[str, policies.Document]:
    """What the job needs, by the name that it is to have on the role."""
    where: dict[str, Any] = {
        "bucket": bucket,
        "prefix": prefix,
        "partition": Aws.PARTITION,
        "kms_key_arn": key,
    }
    if access.kind == "messages":
        return {"write-messages": policies.write_messages(**where, keep=access.keep)}
    if access.kind == "files":
        return {"read-files": policies.read_files(**where, notifications=access.notifications)}
    return {"write-files": policies.write_files(**where)}


def _notifying(queue_arn: str, prefix: str) -> s3.CfnBucket.NotificationConfigurationProperty:
    """The queue is told of every object that is created below the prefix."""
    below = s3.CfnBucket.FilterRuleProperty(name="prefix", value=prefix)
    return s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[
            s3.CfnBucket.QueueConfigurationProperty(
                event=CREATED,
                queue=queue_arn,
                filter=s3.CfnBucket.NotificationFilterProperty(
                    s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[below])
                ),
            )
        ]
    )


def _role_name_rule(pattern: str) -> tuple[str, str]:
    """The names that a pattern with `*` and `?` allows."""
    wild = {"*": f"{_ROLE_NAME_CHARACTER}*", "?": _ROLE_NAME_CHARACTER}
    allowed = "".join(wild.get(character, re.escape(character)) for character in pattern)
    return allowed, f"a name such as {pattern}: Sluice can assume no other role"


def _tls_only(bucket: s3.CfnBucket) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket.attr_arn, f"{bucket.attr_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
