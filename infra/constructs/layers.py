"""What every function runs on: our code, the layers beneath it, the interpreter and the processor."""

from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.config import PYTHON, Architecture
from infra.package import Package

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class Software(Construct):
    """The package that was built for this deployment, as functions take it: one code asset, and layers.

    Attributes:
        plain: The layers of a function that works on no files.
        columnar: Those of one that does.
    """

    def __init__(self, scope: Construct, id: str, *, package: Package, architecture: Architecture) -> None:  # noqa: A002 CDK's own name for it
        super().__init__(scope, id)
        self.architecture = _ARCHITECTURES[architecture]
        self.runtime = lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON)
        self.code = lambda_.Code.from_asset(str(package.code))
        every = "What functions import beside the standard library, as requirements.lock pins it"
        files = "What files take beside it: gzip, columns, OpenPGP, time zones, users' patterns"
        self.plain = [self._layer("Dependencies", package.layer, every)]
        self.columnar = [*self.plain, self._layer("Columnar", package.columnar, files)]

    def _layer(self, id: str, folder: Path, description: str) -> lambda_.LayerVersion:  # noqa: A002 as above
        return lambda_.LayerVersion(
            self,
            id,
            description=description,
            code=lambda_.Code.from_asset(str(folder)),
            compatible_architectures=[self.architecture],
            compatible_runtimes=[self.runtime],
        )
