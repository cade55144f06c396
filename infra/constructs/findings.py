"""Where we differ from cdk-nag's rules, and why: without a reason, synthesis fails."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """State why the findings of these rules are right here, on this construct and all below it."""
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=rule, reason=why) for rule, why in reasons.items())
    )


def acknowledge_breadth(construct: IConstruct, resource: str, reason: str) -> None:
    """State why a policy on this construct has a resource with a wildcard, which may hold tokens."""
    printed = _printed(Stack.of(construct).resolve(resource))
    acknowledge(construct, {f"AwsSolutions-IAM5[Resource::{printed}]": reason})


def _printed(value: Any) -> str:
    """A resolved value as cdk-nag prints it in the name of a finding: references in angle brackets."""
    match value:
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_printed(part) for part in parts)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
        case _:
            return str(value)
