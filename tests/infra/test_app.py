"""The application as a user starts it, with what this repository pins."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.package import ROOT

Template = dict[str, Any]

pytestmark = pytest.mark.slow  # each starts a Python and a Node, and builds the package

CDK = ROOT / "node_modules/.bin/cdk"


def described(template: Template) -> Template:
    """The template without what the CDK command line notes in it, and without the hashes of what was built."""
    plain: Template = json.loads(json.dumps(template))
    for resource in plain["Resources"].values():
        resource.pop("Metadata", None)
        for asset in ("Code", "Content"):
            resource["Properties"].pop(asset, None)
    return plain


def environment(**more: str) -> dict[str, str]:
    """A user's environment without AWS: neither credentials nor a region that synthesis could use."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "JSII_"))
    }
    return {**ours, **more}


def test_python_synthesises_without_node_or_docker_on_the_path(
    raw_template: Template, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "infra.app"],
        cwd=ROOT,
        env=environment(PATH=str(tmp_path), CDK_OUTDIR=str(tmp_path / "cdk.out")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    output = tmp_path / "cdk.out"
    template = json.loads((output / "sluice.template.json").read_text("utf-8"))
    assert described(template) == described(raw_template)
    unpacked = {path.name for asset in output.glob("asset.*") for path in asset.iterdir()}
    assert unpacked == {"functions", "python"}


def test_a_wrong_context_is_one_line_on_standard_error(tmp_path: Path) -> None:
    context = json.dumps({"message_writer_batch_size": "all"})
    ran = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env=environment(CDK_CONTEXT_JSON=context, CDK_OUTDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr == "Sluice: context `message_writer_batch_size`: Expected `int`, got `str`\n"


@pytest.mark.skipif(not CDK.exists(), reason="`npm ci` has not been run")
def test_the_command_line_synthesises_the_same(raw_template: Template, tmp_path: Path) -> None:
    command = [str(CDK), "synth", "--quiet", "--output", str(tmp_path), "--context", "log_level=INFO"]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    template = json.loads((tmp_path / "sluice.template.json").read_text("utf-8"))
    assert described(template) == described(raw_template)
