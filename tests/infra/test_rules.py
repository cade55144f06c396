import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sns as sns

from infra import app
from infra.config import Deployment
from infra.package import Package
from tests.infra.linters import policies, policy_findings, template_findings

Template = dict[str, Any]


def test_cfn_lint_finds_nothing(raw_template: Template) -> None:
    assert template_findings(raw_template) == []


WORKERS = ("MessageWriter", "Stager", "FileWriter", "Importer", "Planner")

RIGHT_HERE = {
    ("DataKey", "RESOURCE_STAR"): "in a key's policy, * is the key",
    ("DataKey", "PERMISSIONS_MANAGEMENT_ACTIONS"): "a key that the account cannot manage is lost",
    **{
        (
            f"{worker}Role-job",
            "CREDENTIALS_EXPOSURE",
        ): "it becomes the customers' roles, by a pattern of names"
        for worker in ("MessageWriter", "FileWriter", "Importer")
    },
    **{
        (f"{worker}Role-trust", "CREDENTIALS_EXPOSURE"): "being assumed is what a trust policy is about"
        for worker in WORKERS
    },
}


def test_parliament_finds_nothing_else(template: Template) -> None:
    assert policy_findings(template) == set(RIGHT_HERE)
    assert {name for name, _ in policies(template)} == {
        "AlarmsTopicPolicy",
        "DataBucketPolicy",
        "DataKey",
        "DropBucketPolicy",
        *(f"{worker}Role-{part}" for worker in WORKERS for part in ("job", "trust")),
        *(
            f"{name}{part}Policy"
            for name in ("Messages", "Records", "Deliveries", "Arrivals")
            for part in ("Queue", "DeadLetters")
        ),
    }


def test_parliament_is_heard() -> None:
    statement = {"Effect": "Allow", "Action": "s3:PutObjekt", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    template = {"Resources": {"Wrong": {"Properties": {"PolicyDocument": document}}}}
    assert ("Wrong", "UNKNOWN_ACTION") in policy_findings(template)


def test_what_nobody_acknowledged_fails_the_synthesis(tmp_path: Path) -> None:
    careless = App(outdir=str(tmp_path / "cdk.out"))
    sns.Topic(Stack(careless, "careless"), "Topic")
    empty = tmp_path / "empty"
    empty.mkdir()
    package = Package(code=empty, layer=empty, columnar=empty)
    with pytest.raises(RuntimeError, match="AwsSolutions-SNS3"):
        app.synthesise(careless, config=Deployment(), package=package)


def test_the_template_holds_no_secret_and_no_machine(raw_template: Template) -> None:
    text = json.dumps(raw_template)
    assert str(Path.cwd()) not in text
    assert "aws:cdk:path" not in text
