"""Which objects a bucket tells of: our rule, how it goes with those of others, and the whole that has it.

S3 takes the whole configuration of a bucket or nothing, and refuses rules that could tell of one object twice:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

CREATED = "s3:ObjectCreated:*"
_QUEUES = "QueueConfigurations"
_TARGETS = {
    _QUEUES: "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
"""The lists of a configuration, and what the target of a rule is called in each."""

Configuration = Mapping[str, Any]
"""As S3's API gives and takes it, without `ResponseMetadata`."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What we want to be told of: every object that is created below the prefix."""

    id: str
    queue_arn: str
    prefix: str

    @property
    def document(self) -> dict[str, Any]:
        """The rule as S3 takes it."""
        rules = [{"Name": "prefix", "Value": self.prefix}] if self.prefix else []
        where = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
        return {"Id": self.id, "QueueArn": self.queue_arn, "Events": [CREATED], **where}


def rule_of(*, source: str, queue_arn: str, prefix: str) -> Rule:
    """The rule of a source; its id is the same whenever it is asked for, and differs between deployments."""
    deployment = hashlib.sha256(queue_arn.encode()).hexdigest()[:8]
    return Rule(id=f"sluice-{source}-{deployment}", queue_arn=queue_arn, prefix=prefix)


def is_served(rule: Rule, configuration: Configuration) -> bool:
    """Whether the bucket tells our queue of all that the rule is about, by this rule or by a wider one."""
    return any(_serves(each, rule) for each in configuration.get(_QUEUES, []))


def overlaps(rule: Rule, configuration: Configuration) -> list[str]:
    """The rules of others, each in words, beside which S3 would not take ours."""
    return [
        f"`{each.get('Id', '')}` to {each[target]} for {_prefix(each)}*{_suffix(each)}"
        for target, each in _rules(configuration)
        if each.get("Id") != rule.id and _tells_of_creation(each) and _meet(rule.prefix, _prefix(each))
    ]


def with_rule(rule: Rule, configuration: Configuration) -> dict[str, Any]:
    """The configuration with our rule as it is now, and every other as it was."""
    rest = without_rule(rule.id, configuration)
    return {**rest, _QUEUES: [*rest.get(_QUEUES, []), rule.document]}


def without_rule(rule_id: str, configuration: Configuration) -> dict[str, Any]:
    """The configuration without our rule."""
    kept = [each for each in configuration.get(_QUEUES, []) if each.get("Id") != rule_id]
    rest = {name: value for name, value in configuration.items() if name != _QUEUES}
    return {**rest, _QUEUES: kept} if kept else rest


def _serves(each: Mapping[str, Any], rule: Rule) -> bool:
    if each["QueueArn"] != rule.queue_arn or CREATED not in each["Events"] or _suffix(each):
        return False
    # Our own rule is to be as it should be; one that somebody else has made for us may be wider.
    return (
        _prefix(each) == rule.prefix if each.get("Id") == rule.id else rule.prefix.startswith(_prefix(each))
    )


def _rules(configuration: Configuration) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind, target in _TARGETS.items():
        for each in configuration.get(kind, []):
            yield target, each


def _tells_of_creation(each: Mapping[str, Any]) -> bool:
    return any(event.startswith("s3:ObjectCreated:") for event in each["Events"])


def _meet(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _prefix(each: Mapping[str, Any]) -> str:
    return _filter(each, "prefix")


def _suffix(each: Mapping[str, Any]) -> str:
    return _filter(each, "suffix")


def _filter(each: Mapping[str, Any], name: str) -> str:
    rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((str(rule["Value"]) for rule in rules if str(rule["Name"]).lower() == name), "")
