"""Synthesises the stack into `cdk.out`: `python -m infra.app`, which the CDK command line runs too."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.config import ConfigError, Deployment, from_context
from infra.package import ROOT, Package, PackageError, Target, build
from infra.stack import SluiceStack


def synthesise(app: App, *, config: Deployment, package: Package) -> dict[str, Any]:
    """The stack's template, checked by cdk-nag's packs for solutions and for serverless.

    Raises:
        RuntimeError: A rule is broken and nothing acknowledges it; the findings are on standard error.
    """
    stack = SluiceStack(app, config=config, package=package)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    template: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template
    return template


def template(context: Mapping[str, Any]) -> dict[str, Any]:
    """The template of a deployment with this context, for who creates its resources without AWS.

    Nothing is built: the functions' code and layers in the template are not what Lambda would be given.

    Raises:
        ConfigError: The context holds what no deployment can have.
    """
    config = from_context(context)
    with tempfile.TemporaryDirectory() as scratch:
        unbuilt = Path(scratch, "unbuilt")
        unbuilt.mkdir()
        app = App(outdir=str(Path(scratch, "cdk.out")))
        return synthesise(app, config=config, package=Package(code=unbuilt, layer=unbuilt, columnar=unbuilt))


def main() -> None:
    """Synthesise what the context describes: cdk.json's, under what the CDK command line was told."""
    stated = json.loads((ROOT / "cdk.json").read_text("utf-8")).get("context", {})
    app = App(outdir=os.environ.get("CDK_OUTDIR", "cdk.out"), context=stated)
    try:
        config = from_context(app.node.get_all_context())
        package = build(Target(architecture=config.architecture))
    except (ConfigError, PackageError) as error:
        raise SystemExit(f"Sluice: {error}") from error
    synthesise(app, config=config, package=package)


if __name__ == "__main__":
    main()
