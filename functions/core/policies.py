"""IAM documents as plain data: what a customer grants, and to whom.

Every function gives one policy document; the infrastructure, the command line and the docs print these very
ones. Strings may be CDK tokens, so nothing here looks inside them.
"""

from typing import Any

from functions.core.definitions import Destination

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


def access(destination: Destination) -> Document:
    """What the role of this destination may do: all that its job needs, and nothing else."""
    return write_messages(
        bucket=destination.bucket,
        prefix=destination.prefix,
        partition=destination.partition,
        keep=destination.keep,
        kms_key_arn=destination.kms_key_arn,
    )


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


def _allow(sid: str, actions: list[str], resource: str) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _document(*statements: Statement) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
