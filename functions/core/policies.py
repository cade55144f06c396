"""IAM documents as plain data: what a customer grants, and to whom.

Every function gives one policy document; the infrastructure, the command line and the docs print these very
ones. Strings may be CDK tokens, so nothing here looks inside them.
"""

from collections.abc import Mapping
from typing import Any

from functions.core.definitions.connection import Connection
from functions.core.definitions.discovery import Discovery
from functions.core.definitions.messages import MessageDestination

Document = dict[str, Any]
Statement = dict[str, Any]


def trust(*, role_arn: str, external_id: str) -> Document:
    """Who may assume the customer's role: our role, and only for the connection that bears the external id.

    Without the condition any other customer of ours could have us use this role: the confused deputy,
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html.
    """
    return _document(
        {
            "Sid": "SluiceAssumesThisRole",
            "Effect": "Allow",
            "Principal": {"AWS": role_arn},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
    )


def access(connection: Connection) -> Document:
    """What the role of this connection may do: all that its job needs, and nothing else."""
    where: dict[str, Any] = {
        "bucket": connection.bucket,
        "prefix": connection.prefix,
        "partition": connection.partition,
        "kms_key_arn": connection.kms_key_arn,
    }
    if isinstance(connection, Discovery):
        return read_files(**where, notifications=connection.notifications)
    if isinstance(connection, MessageDestination):
        return write_messages(**where, keep=connection.keep)
    return write_files(**where)


def granting(document: Mapping[str, Any], *actions: str) -> Document:
    """Those statements of a document that are about one of these actions."""
    return _document(*(each for each in document["Statement"] if not set(actions).isdisjoint(each["Action"])))


def write_messages(
    *, bucket: str, prefix: str, partition: str = "aws", keep: bool = False, kms_key_arn: str | None = None
) -> Document:
    """What a message destination's role may do: put objects under the prefix.

    With `keep` also `s3:GetObject`: an object that is already there is looked at, to tell a repeated message
    from another one under the same key. With a key also `kms:GenerateDataKey`; `kms:Decrypt` is for uploads of
    several parts and for reading, and a message is written by one request.
    """
    objects = f"arn:{partition}:s3:::{bucket}/{prefix}*"
    statements = [_allow("WriteObjects", ["s3:PutObject"], objects)]
    if keep:
        statements.append(_allow("RecogniseOwnObjects", ["s3:GetObject"], objects))
    if kms_key_arn is not None:
        statements.append(_allow("UseTheBucketsKey", ["kms:GenerateDataKey"], kms_key_arn))
    return _document(*statements)


def write_files(
    *, bucket: str, prefix: str, partition: str = "aws", kms_key_arn: str | None = None
) -> Document:
    """What the role of a destination of files may do: put, find, read and remove files under the prefix.

    Files are uploaded in several parts, and an upload that fails is given up, so that nobody pays for its parts.
    With a key also `kms:GenerateDataKey` and `kms:Decrypt`: S3 reads the parts before it joins them.
    """
    whole = f"arn:{partition}:s3:::{bucket}"
    files = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    statements = [
        _allow("WriteFiles", files, f"{whole}/{prefix}*"),
        _list_files(whole, prefix),
        _allow("LocateTheBucket", ["s3:GetBucketLocation"], whole),
    ]
    if kms_key_arn is not None:
        statements.append(_allow("UseTheBucketsKey", ["kms:GenerateDataKey", "kms:Decrypt"], kms_key_arn))
    return _document(*statements)


def read_files(
    *,
    bucket: str,
    prefix: str,
    notifications: bool = False,
    partition: str = "aws",
    kms_key_arn: str | None = None,
) -> Document:
    """What a source's role may do: find and read files under the prefix.

    With `notifications` it may look at the bucket's notifications and set them, so that ours are among them. With
    a key also `kms:Decrypt`.
    """
    whole = f"arn:{partition}:s3:::{bucket}"
    statements = [
        _list_files(whole, prefix),
        _allow("ReadFiles", ["s3:GetObject"], f"{whole}/{prefix}*"),
    ]
    if notifications:
        calls = ["s3:GetBucketNotification", "s3:PutBucketNotification"]
        statements.append(_allow("SetUpNotifications", calls, whole))
    if kms_key_arn is not None:
        statements.append(_allow("UseTheBucketsKey", ["kms:Decrypt"], kms_key_arn))
    return _document(*statements)


def _list_files(bucket: str, prefix: str) -> Statement:
    below: Statement = {"Condition": {"StringLike": {"s3:prefix": f"{prefix}*"}}}
    return _allow("ListFiles", ["s3:ListBucket"], bucket) | below


def _allow(sid: str, actions: list[str], resource: str) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _document(*statements: Statement) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
