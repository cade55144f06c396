"""The accounts of the embedded cloud, ours and customers', as their administrators work with them."""

import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.template import LocalTemplate

OURS = "123456789012"
"""moto's own default; every other account is one by being named in a role's ARN."""


class StackError(RuntimeError):
    """A stack was not created; the text says why."""


class Accounts:
    """Whoever has this may do everything: it speaks to moto directly, where no trust policy is read."""

    def __init__(self, *, endpoint_url: str, region: str) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._root = boto3.Session("local", "local", region_name=region)
        self._sessions: dict[str, boto3.Session] = {}

    def credentials(self, role_arn: str) -> dict[str, str]:
        """The environment variables of credentials of a role, as Lambda gives them to a function."""
        sts = self._root.client("sts", endpoint_url=self._endpoint_url)
        keys = sts.assume_role(RoleArn=role_arn, RoleSessionName="embedded-cloud")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def client(self, service: str, account: str) -> Any:
        """A boto3 client; it does not repeat what failed, an emulator fails again."""
        if account not in self._sessions:
            keys = self.credentials(f"arn:aws:iam::{account}:role/administrator")
            self._sessions[account] = boto3.Session(
                aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
                aws_session_token=keys["AWS_SESSION_TOKEN"],
                region_name=self._region,
            )
        config = Config(retries={"total_max_attempts": 1})
        return self._sessions[account].client(  # type: ignore[call-overload] # the stubs list every service
            service, endpoint_url=self._endpoint_url, config=config
        )

    def create_stack(
        self, template: LocalTemplate, *, name: str, account: str, parameters: Mapping[str, str]
    ) -> dict[str, str]:
        """Create a stack and give all its outputs.

        Raises:
            StackError: Its resources were not all created.
        """
        cloudformation = self.client("cloudformation", account)
        try:
            cloudformation.create_stack(
                StackName=name,
                TemplateBody=json.dumps(template.body),
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
                ],
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
        except (BotoCoreError, ClientError) as error:  # the former when moto breaks down over it
            raise StackError(f"{name}: {error}") from error
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            raise StackError(f"{name}: {stack['StackStatus']}: {stack.get('StackStatusReason', 'no reason')}")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
