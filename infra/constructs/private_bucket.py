"""A bucket of ours: encrypted with the deployment's key, closed to the public, TLS only."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.findings import acknowledge


def private_bucket(
    scope: Construct,
    id: str,  # noqa: A002 CDK's own name for it
    *,
    key: kms.IKey,
    removal_policy: RemovalPolicy,
    users: str,
    rules: Sequence[s3.LifecycleRule] = (),
) -> s3.Bucket:
    """A bucket that ends uploads which nobody else ended, and does what further rules say.

    Args:
        scope: Where it belongs.
        id: Its name there.
        key: What encrypts its objects.
        removal_policy: What becomes of it when the stack goes.
        users: Who works in it: why it has no access log.
        rules: What it forgets, and when.
    """
    bucket = s3.Bucket(
        scope,
        id,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7)), *rules],
        removal_policy=removal_policy,
    )
    who_must_know = "who must know of every access turns on CloudTrail's data events, which name the caller"
    acknowledge(bucket, {"AwsSolutions-S1": f"{users}; {who_must_know}"})
    return bucket


def expiry(prefix: str, *, days: int) -> s3.LifecycleRule:
    """Objects under a prefix go when they are so old."""
    return s3.LifecycleRule(id=f"Expire {prefix}", prefix=prefix, expiration=Duration.days(days))
