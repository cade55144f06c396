"""What linters that work offline say of a template and of the IAM policies in it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs

_REGIONS = ["eu-central-1", "us-east-1", "us-gov-west-1"]

_CDKS_OWN = "W3005"
"""A dependency that a reference implies already: CDK writes one from each function to its role."""


def template_findings(template: Mapping[str, Any]) -> list[str]:
    """What cfn-lint has to say."""
    found = lint(json.dumps(template), config=ManualArgs(regions=_REGIONS))
    return [str(match) for match in found if match.rule.id != _CDKS_OWN]


def policy_findings(template: Mapping[str, Any]) -> set[tuple[str, str]]:
    """What parliament and its community's auditors say of a resolved template: (policy, issue)."""
    command = [sys.executable, "-m", "tests.infra.judge_policies"]
    ran = subprocess.run(
        command, input=json.dumps(dict(policies(template))), capture_output=True, text=True, check=True
    )
    return {(name, issue) for name, issue in json.loads(ran.stdout)}


def policies(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy document of a resolved template; one without a resource is about what it is attached to."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for policy in properties.get("Policies", []):
            yield f"{name}-{policy['PolicyName']}", policy["PolicyDocument"]
        for key in ("PolicyDocument", "KeyPolicy"):
            if key in properties:
                yield name, properties[key]
        if trust := properties.get("AssumeRolePolicyDocument"):
            role = {"Resource": f"arn:aws:iam::111122223333:role/{name}"}
            yield f"{name}-trust", {**trust, "Statement": [{**each, **role} for each in trust["Statement"]]}
