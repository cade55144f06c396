"""The stack's template as moto can create it, and what it leaves for us to drive.

What moto cannot do is taken out: types that it has no model for, and those that would do harm (its Lambda
wants Docker, its bucket policies deny everything that a condition should have let through, its schedules never
start anything). Functions, event source mappings and rules come back as outputs that hold their properties, so
that moto's own CloudFormation resolves every reference in them; so does what buckets are told to notify, which moto
creates without.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from moto.cloudformation.parsing import get_model_map

FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
RULE = "AWS::Events::Rule"
BUCKET = "AWS::S3::Bucket"
_HARMFUL = ("AWS::Lambda::", "AWS::Events::", "AWS::S3::BucketPolicy", "Custom::")
_NAMED_BY = {FUNCTION: "FunctionName", RULE: "Name"}
_OUTPUT = "EmbeddedCloud"


@dataclass(frozen=True, kw_only=True)
class LocalTemplate:
    """A template for moto, and the resources that stay with us, by logical id."""

    body: dict[str, Any]
    ours: dict[str, dict[str, Any]]
    notifying: frozenset[str] = frozenset()
    """The buckets, by logical id, that are to notify."""

    @classmethod
    def read(cls, template: Mapping[str, Any], *, stack: str) -> Self:
        """Divide a synthesised template between moto and the embedded cloud."""
        resources = template["Resources"]
        ours = {name: value for name, value in resources.items() if not _creatable(value["Type"])}
        notifying = frozenset(name for name, value in resources.items() if _notifies(value))
        references = _References(ours, stack)
        parameters = template.get("Parameters", {})
        outputs = {
            _OUTPUT + name: {"Value": {"Fn::ToJsonString": references.properties(name)}}
            for name, value in ours.items()
            if value["Type"] in (FUNCTION, MAPPING, RULE)
        } | {_OUTPUT + name: _notification(name, resources[name]) for name in notifying}
        body = {
            "Parameters": {name: value for name, value in parameters.items() if not _of_bootstrap(value)},
            "Conditions": template.get("Conditions", {}),
            "Mappings": template.get("Mappings", {}),
            "Resources": {name: value for name, value in resources.items() if name not in ours},
            "Outputs": template.get("Outputs", {}) | outputs,
        }
        return cls(body=references.rewritten(body), ours=ours, notifying=notifying)

    def resolved(self, outputs: Mapping[str, str], kind: str) -> list[dict[str, Any]]:
        """The properties of our resources of a type, once moto has resolved the outputs."""
        names = [name for name, value in self.ours.items() if value["Type"] == kind]
        return [json.loads(outputs[_OUTPUT + name]) for name in names]

    def notifications(self, outputs: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """What each bucket is to notify, by the bucket's name; not of buckets that their condition left out."""
        made = [json.loads(outputs[_OUTPUT + name]) for name in self.notifying if _OUTPUT + name in outputs]
        return {each["Bucket"]: each["NotificationConfiguration"] for each in made}


def own_outputs(outputs: Mapping[str, str]) -> dict[str, str]:
    """The outputs that the template itself declares."""
    return {name: value for name, value in outputs.items() if not name.startswith(_OUTPUT)}


def _of_bootstrap(parameter: Mapping[str, Any]) -> bool:
    """Whether a parameter is the version of the CDK's bootstrap stack: nothing is bootstrapped here."""
    kind: str = parameter["Type"]
    return kind.startswith("AWS::SSM::")


def _notifies(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] == BUCKET and "NotificationConfiguration" in resource.get("Properties", {})


def _notification(name: str, bucket: Mapping[str, Any]) -> dict[str, Any]:
    """The output that tells which bucket is to notify of what."""
    stated = bucket["Properties"]["NotificationConfiguration"]
    told = {"Bucket": {"Ref": name}, "NotificationConfiguration": stated}
    condition = {"Condition": bucket["Condition"]} if "Condition" in bucket else {}
    return {"Value": {"Fn::ToJsonString": told}, **condition}


def _creatable(kind: str) -> bool:
    return kind in get_model_map() and not kind.startswith(_HARMFUL)


class _References:
    """Puts the names of our resources where the template refers to them."""

    def __init__(self, ours: Mapping[str, dict[str, Any]], stack: str) -> None:
        self._ours = ours
        self._stack = stack

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The properties with which a resource is driven: its code lies here, its name must be known."""
        resource = self._ours[logical_id]
        properties = {name: value for name, value in resource["Properties"].items() if name != "Code"}
        named_by = _NAMED_BY.get(resource["Type"])
        return properties | ({named_by: self._name(logical_id)} if named_by else {})

    def rewritten(self, node: Any) -> Any:
        """The same JSON without references to our resources, in values and in DependsOn."""
        match node:
            case {"Ref": str(name)} if name in self._ours:
                return self._name(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]} if name in self._ours:
                return self._attribute(name, attribute)
            case {"DependsOn": str() | list() as named, **others}:
                before = [named] if isinstance(named, str) else named
                kept = [name for name in before if name not in self._ours]
                return {"DependsOn": kept, **{key: self.rewritten(value) for key, value in others.items()}}
            case dict():
                return {key: self.rewritten(value) for key, value in node.items()}
            case list():
                return [self.rewritten(value) for value in node]
        return node

    def _name(self, logical_id: str) -> Any:
        resource = self._ours[logical_id]
        named = resource.get("Properties", {}).get(_NAMED_BY.get(resource["Type"], ""))
        return named or f"{self._stack}-{logical_id}"

    def _attribute(self, logical_id: str, attribute: str) -> Any:
        if self._ours[logical_id]["Type"] != FUNCTION or attribute != "Arn":
            return f"{self._stack}-{logical_id}.{attribute}"
        place = ["arn:aws:lambda:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":function:"]
        return {"Fn::Join": ["", [*place, self._name(logical_id)]]}
