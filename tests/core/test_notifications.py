from typing import Any

import pytest

from functions.core.notifications import Rule, is_served, overlaps, rule_of, with_rule, without_rule

OURS = "arn:aws:sqs:eu-central-1:999988887777:sluice-arrivals"
RULE = Rule(id="sluice-acme-1", queue_arn=OURS, prefix="in/")


def _rule(target: str, prefix: str = "", *, event: str = "s3:ObjectCreated:*", **more: Any) -> dict[str, Any]:
    rules = [{"Name": "Prefix", "Value": prefix}] if prefix else []
    rules += [{"Name": name, "Value": value} for name, value in more.pop("filters", {}).items()]
    return {
        "Id": "theirs",
        target: "arn:theirs",
        "Events": [event],
        "Filter": {"Key": {"FilterRules": rules}},
    } | more


def _queues(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"QueueConfigurations": list(rules)}


OTHERS = {
    "TopicConfigurations": [_rule("TopicArn", "out/")],
    "QueueConfigurations": [_rule("QueueArn", "log/")],
    "LambdaFunctionConfigurations": [_rule("LambdaFunctionArn", event="s3:ObjectRemoved:*")],
    "EventBridgeConfiguration": {},
}


def test_our_rule_is_merged_and_taken_away_and_those_of_others_stay() -> None:
    merged = with_rule(RULE, OTHERS)
    assert merged == OTHERS | _queues(*OTHERS["QueueConfigurations"], RULE.document)
    assert with_rule(RULE, merged) == merged
    assert without_rule(RULE.id, merged) == OTHERS
    assert without_rule(RULE.id, OTHERS) == OTHERS
    assert without_rule(RULE.id, with_rule(RULE, {})) == {}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (_queues(RULE.document), True),
        (_queues(_rule("QueueArn", "", QueueArn=OURS)), True),
        (_queues(_rule("QueueArn", "in", QueueArn=OURS)), True),
        (_queues(_rule("QueueArn", "in/a", QueueArn=OURS)), False),
        (_queues(_rule("QueueArn", "in/", QueueArn=OURS, filters={"Suffix": ".gz"})), False),
        (_queues(_rule("QueueArn", "in/", QueueArn=OURS, event="s3:ObjectCreated:Put")), False),
        (_queues(_rule("QueueArn", "in/")), False),
        (_queues(_rule("QueueArn", "", QueueArn=OURS, Id=RULE.id)), False),
        ({}, False),
    ],
)
def test_who_is_told_of_everything_below_the_prefix(found: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_served(RULE, found) is expected


@pytest.mark.parametrize(
    ("rule", "meets"),
    [
        (_rule("TopicArn"), True),
        (_rule("TopicArn", "in/a/"), True),
        (_rule("TopicArn", "i", event="s3:ObjectCreated:Put"), True),
        (_rule("TopicArn", "in/", filters={"suffix": ".gz"}), True),
        (_rule("TopicArn", "out/"), False),
        (_rule("TopicArn", event="s3:ObjectRemoved:*"), False),
    ],
)
def test_a_rule_of_somebody_else_that_s3_would_not_take_beside_ours(
    rule: dict[str, Any],
    meets: bool,  # noqa: FBT001 - as above
) -> None:
    found = overlaps(RULE, {"TopicConfigurations": [rule]})
    assert bool(found) is meets
    assert all("`theirs` to arn:theirs for " in each for each in found)


def test_our_own_rule_is_nobody_elses() -> None:
    assert overlaps(RULE, _queues(RULE.document)) == []


def test_the_rule_of_a_source_is_its_own_in_each_deployment() -> None:
    first = rule_of(source="acme", queue_arn=OURS, prefix="in/")
    assert first == rule_of(source="acme", queue_arn=OURS, prefix="in/")
    ids = {first.id, rule_of(source="b", queue_arn=OURS, prefix="").id}
    assert len(ids | {rule_of(source="acme", queue_arn=OURS + "2", prefix="").id}) == 3
    assert first.document["Events"] == ["s3:ObjectCreated:*"]
    assert "Filter" not in rule_of(source="acme", queue_arn=OURS, prefix="").document
