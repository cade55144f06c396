"""What a deployment remembers: two tables and a bucket, all encrypted with one key."""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import Deployment
from infra.constructs.findings import acknowledge


class DataStore(Construct):
    """The key, the tables of definitions and of the ledger, and the data bucket."""

    def __init__(self, scope: Construct, id: str, *, config: Deployment) -> None:  # noqa: A002 CDK's own name for it
        super().__init__(scope, id)
        self.removal_policy = RemovalPolicy.RETAIN if config.retain else RemovalPolicy.DESTROY
        self.key = kms.Key(
            self,
            "Key",
            description=f"Encrypts everything that {config.name} keeps",
            enable_key_rotation=True,
            removal_policy=self.removal_policy,
            policy=iam.PolicyDocument(statements=[_owner_decides(), _logs_encrypt(), _alarms_publish()]),
        )
        self.definitions = self._table("Definitions")
        self.ledger = self._table("Ledger", expires_by="expires_at")
        self.bucket = self._bucket(config)

    def _table(self, id: str, *, expires_by: str | None = None) -> dynamodb.Table:  # noqa: A002 as above
        return dynamodb.Table(
            self,
            id,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=expires_by,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            deletion_protection=self.removal_policy is RemovalPolicy.RETAIN,
            removal_policy=self.removal_policy,
        )

    def _bucket(self, config: Deployment) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7)),
                _expiry("payloads/", days=config.payload_retention_days),
                _expiry("failures/", days=config.failure_retention_days),
                _expiry("parts/", days=config.part_retention_days),
            ],
            removal_policy=self.removal_policy,
        )
        reason = (
            "Only this stack's roles and the senders of offloaded payloads work in this bucket;"
            " who must know of every access turns on CloudTrail's data events, which name the role and the message"
        )
        acknowledge(bucket, {"AwsSolutions-S1": reason})
        return bucket


def _expiry(prefix: str, *, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(id=f"Expire {prefix}", prefix=prefix, expiration=Duration.days(days))


def _owner_decides() -> iam.PolicyStatement:
    """The account's own identity policies decide who uses the key, as KMS's default policy has it."""
    return iam.PolicyStatement(
        sid="AccountDecides", principals=[iam.AccountRootPrincipal()], actions=["kms:*"], resources=["*"]
    )


def _logs_encrypt() -> iam.PolicyStatement:
    """CloudWatch Logs encrypts the log groups of this stack, whose names begin with the stack's."""
    groups = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:{Aws.STACK_NAME}-*"
    return iam.PolicyStatement(
        sid="LogsEncrypt",
        principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
        actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
        resources=["*"],
        conditions={"StringLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )


def _alarms_publish() -> iam.PolicyStatement:
    """Alarms publish to the encrypted topic.

    This is AWS's own wording, without a condition: one that CloudWatch does not fill in would silence the alarms.
    Whose alarms they are, the topic's policy says.
    """
    return iam.PolicyStatement(
        sid="AlarmsPublish",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],
    )
