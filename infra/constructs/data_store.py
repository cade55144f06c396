"""What a deployment remembers: four tables and a bucket, all encrypted with one key."""

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import Deployment
from infra.constructs.findings import acknowledge
from infra.constructs.private_bucket import expiry, private_bucket

_USERS_OF_THE_DATA = "Only this stack's roles and the senders of offloaded payloads work in this bucket"

_CANDIDATE_DAYS = 30
"""A candidate is of use until its chunk is committed; its claims last a week."""

_CLAIMS_GO_ANYWAY = (
    "A claim lasts a week and stands for an event that the event store holds: without it a repeat within that week"
    " is let in, and nothing is lost"
)


class DataStore(Construct):
    """The key, the tables of definitions, of the ledger, of claims and of profiles, and the data bucket."""

    def __init__(self, scope: Construct, id: str, *, config: Deployment) -> None:  # noqa: A002 CDK's own name for it
        super().__init__(scope, id)
        self.removal_policy = RemovalPolicy.RETAIN if config.retain else RemovalPolicy.DESTROY
        self.key = kms.Key(
            self,
            "Key",
            description=f"Encrypts everything that {config.name} keeps",
            enable_key_rotation=True,
            removal_policy=self.removal_policy,
            policy=iam.PolicyDocument(
                statements=[_owner_decides(), _logs_encrypt(), _alarms_publish(), _buckets_tell()]
            ),
        )
        self.definitions = self._table("Definitions")
        self.ledger = self._table("Ledger", expires=True)
        self.claims = self._table("Claims", sorted_by=None, expires=True, restorable=False)
        acknowledge(self.claims, {"AwsSolutions-DDB3": _CLAIMS_GO_ANYWAY})
        self.profiles = self._table("Profiles", expires=True)
        self.bucket = private_bucket(
            self,
            "Bucket",
            key=self.key,
            removal_policy=self.removal_policy,
            users=_USERS_OF_THE_DATA,
            rules=[
                expiry("payloads/", days=config.payload_retention_days),
                expiry("failures/", days=config.failure_retention_days),
                expiry("parts/", days=config.part_retention_days),
                expiry("candidates/", days=_CANDIDATE_DAYS),
                expiry("events/", days=config.event_retention_days),
                expiry("merged_ids/", days=config.event_retention_days),
                expiry("rejects/", days=config.reject_retention_days),
            ],
        )

    def _table(
        self,
        id: str,  # noqa: A002 as above
        *,
        sorted_by: str | None = "sk",
        expires: bool = False,
        restorable: bool = True,
    ) -> dynamodb.Table:
        text = dynamodb.AttributeType.STRING
        return dynamodb.Table(
            self,
            id,
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name=sorted_by, type=text) if sorted_by else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=restorable
            ),
            time_to_live_attribute="expires_at" if expires else None,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            deletion_protection=self.removal_policy is RemovalPolicy.RETAIN,
            removal_policy=self.removal_policy,
        )


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


def _buckets_tell() -> iam.PolicyStatement:
    """S3 and EventBridge tell an encrypted queue of files: AWS's own wording, as above.

    Whose buckets they are, the queue's policy says.
    """
    return iam.PolicyStatement(
        sid="BucketsTell",
        principals=[iam.ServicePrincipal(f"{name}.amazonaws.com") for name in ("s3", "events")],
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=["*"],
    )
