"""A template as CloudFormation would read it: references replaced by names and ARNs that say what they are of."""

import re
from typing import Any

ACCOUNT = "111122223333"
REGION = "eu-central-1"

_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "sluice",
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/",
    "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:",
    "AWS::S3::Bucket": "arn:aws:s3:::",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:",
}
_URLS = {"AWS::SQS::Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/"}


def resolved(template: dict[str, Any]) -> dict[str, Any]:
    """The template with every reference resolved, and its resources under their names without CDK's hashes."""
    result: dict[str, Any] = _resolve(template, template)
    result["Resources"] = {_name(key): body for key, body in result["Resources"].items()}
    return result


def of_type(template: dict[str, Any], type_name: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by name."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == type_name
    }


def _resolve(value: Any, template: dict[str, Any]) -> Any:
    match value:
        case {"Ref": name}:
            return _reference(name, template)
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return _attribute(logical_id, attribute, template)
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(_resolve(part, template) for part in parts)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: _reference(found[1], template), text)
    if isinstance(value, dict):
        return {key: _resolve(part, template) for key, part in value.items()}
    return [_resolve(part, template) for part in value] if isinstance(value, list) else value


def _reference(name: str, template: dict[str, Any]) -> str:
    if name in _PSEUDO:
        return _PSEUDO[name]
    if name in template.get("Parameters", {}):
        return str(template["Parameters"][name]["Default"])
    kind = template["Resources"][name]["Type"]
    return _URLS.get(kind, _ARNS[kind] if kind == "AWS::SNS::Topic" else "") + _name(name)


def _attribute(logical_id: str, attribute: str, template: dict[str, Any]) -> str:
    kind = template["Resources"][logical_id]["Type"]
    if attribute != "Arn":
        return _name(logical_id)
    if kind == "AWS::Logs::LogGroup":
        return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{_name(logical_id)}:*"
    return _ARNS[kind] + _name(logical_id)


def _name(logical_id: str) -> str:
    return re.sub(r"[0-9A-F]{8}$", "", logical_id)
