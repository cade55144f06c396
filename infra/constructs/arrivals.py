"""How we are told of files: the queue that buckets send their notifications to, and a bucket of ours that does."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Aws, CfnResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.data_store import DataStore
from infra.constructs.private_bucket import private_bucket
from infra.constructs.queue_worker import Pace, WorkQueue


class Arrivals(WorkQueue):
    """A work queue that S3 and EventBridge may send to, for our own account's buckets and for customers'.

    Args:
        scope: Where it belongs.
        id: Its name there.
        store: As `WorkQueue`.
        pace: As `WorkQueue`.
        accounts: The customers' accounts, 12 digits each.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name for it
        *,
        store: DataStore,
        pace: Pace,
        accounts: Sequence[str],
    ) -> None:
        super().__init__(scope, id, store=store, pace=pace)
        # By account, not by bucket: S3 asks for the policy before it makes a bucket that is to send.
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="BucketsTell",
                principals=[iam.ServicePrincipal(f"{name}.amazonaws.com") for name in ("s3", "events")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"StringEquals": {"aws:SourceAccount": [Aws.ACCOUNT_ID, *accounts]}},
            )
        )

    @property
    def policy(self) -> CfnResource:
        """What must be there before a bucket can be told to send."""
        policy = cast("sqs.QueuePolicy", self.queue.node.find_child("Policy"))
        return cast("CfnResource", policy.node.default_child)


class DropBucket(Construct):
    """A bucket of ours for files that are to be imported: it tells the queue of each."""

    def __init__(self, scope: Construct, id: str, *, store: DataStore, arrivals: Arrivals) -> None:  # noqa: A002 as above
        super().__init__(scope, id)
        self.bucket = private_bucket(
            self,
            "Bucket",
            key=store.key,
            removal_policy=store.removal_policy,
            users="Only the importer and those whom the account lets drop files work in this bucket",
        )
        resource = cast("s3.CfnBucket", self.bucket.node.default_child)
        # Not CDK's own way: that takes a custom resource, with a function and a role of its own.
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*", queue=arrivals.queue.queue_arn
                )
            ]
        )
        resource.add_resource_dependency(arrivals.policy)
