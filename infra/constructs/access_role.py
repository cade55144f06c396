"""The role by which a customer lets a deployment of Sluice into their bucket."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from constructs import Construct

from functions.core import policies
from infra.constructs.findings import acknowledge_breadth


class AccessRole(Construct):
    """A role that one deployment can assume, only with the external id that it issued for this connection.

    For customers who use CDK themselves; all others deploy the template of `infra.access_stack`.

    Args:
        scope: Where it belongs, in the customer's own stack.
        id: Its name there.
        role_name: As the deployment's pattern of role names asks, `sluice-*` by default.
        trusted_role_arn: The role of the function that does the work: the output `MessageWriterRoleArn`, for
            streams `FileWriterRoleArn`, for sources `ImporterRoleArn`.
        external_id: As issued by the deployment.
        allowed: Policy documents of `functions.core.policies`, by the names that they are to have on the role.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name for it
        *,
        role_name: str,
        trusted_role_arn: str,
        external_id: str,
        allowed: Mapping[str, Mapping[str, Any]],
    ) -> None:
        super().__init__(scope, id)
        self.role = iam.CfnRole(
            self,
            "Role",
            role_name=role_name,
            description="Lets Sluice work in one bucket",
            assume_role_policy_document=policies.trust(role_arn=trusted_role_arn, external_id=external_id),
            policies=[
                iam.CfnRole.PolicyProperty(policy_name=name, policy_document=document)
                for name, document in allowed.items()
            ],
        )
        for document in allowed.values():
            for statement in document["Statement"]:
                if "*" in statement["Resource"]:
                    acknowledge_breadth(
                        self.role,
                        statement["Resource"],
                        "It works on the objects under one prefix, and on no others",
                    )
