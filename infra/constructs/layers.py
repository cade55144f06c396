"""What every function runs on: our code, the layer beneath it, the interpreter and the processor."""

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.config import PYTHON, Architecture
from infra.package import Package

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class Software(Construct):
    """The package that was built for this deployment, as functions take it: one code asset, one layer."""

    def __init__(self, scope: Construct, id: str, *, package: Package, architecture: Architecture) -> None:  # noqa: A002 CDK's own name for it
        super().__init__(scope, id)
        self.architecture = _ARCHITECTURES[architecture]
        self.runtime = lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON)
        self.code = lambda_.Code.from_asset(str(package.code))
        self.layers = [
            lambda_.LayerVersion(
                self,
                "Dependencies",
                description="What functions import beside the standard library, as requirements.lock pins it",
                code=lambda_.Code.from_asset(str(package.layer)),
                compatible_architectures=[self.architecture],
                compatible_runtimes=[self.runtime],
            )
        ]
