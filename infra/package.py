"""What Lambda is given: our code, and layers of what it imports, built with nothing but Python — no Docker.

`python -m infra.package --architecture x86_64 DIR` lays all out as Lambda unpacks them: `DIR/code` is
`/var/task`, `DIR/layer` is `/opt`, and so is `DIR/columnar`, for functions that work on files.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import uv

from infra.config import COLUMNAR, DEPENDENCIES, PYTHON, Architecture

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"

SERVICES = ("dynamodb", "kms", "s3", "secretsmanager", "sns", "sqs", "sts")
"""The AWS services whose models the layer keeps: the more than 400 of botocore would be half of it."""

_UV_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}

_MACHINE_BOUND = ("bin", "*.dist-info/RECORD", ".lock")
"""What names this machine or its paths: the same lock file must give the same layer everywhere."""

_UNUSED = (
    "pyarrow/include",
    "pyarrow/includes",
    "pyarrow/src",
    "pyarrow/tests",
    "pyarrow/*.p[xy][dix]",
    "pyarrow/*_cpp_tests*",
    "pyarrow/*flight*",
    "pyarrow/*_s3*",
)
"""What pyarrow brings for compilers, for its own tests, for Flight and for S3: a third of it. Its libraries are
linked with one another; the rest, Substrait's too, must stay."""


class PackageError(Exception):
    """The package cannot be built; the text says what is missing."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Which Lambda the wheels are for."""

    architecture: Architecture
    python: str = PYTHON


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """Folders: what is unpacked to `/var/task`, and what to `/opt`."""

    code: Path
    layer: Path
    columnar: Path
    """Beside the layer that all have, for those functions that work on files."""


def build(target: Target, *, into: Path = ROOT / "build", lock: Path = LOCK) -> Package:
    """The package for this target, built at most once: its folders are named after what they are built from and by.

    Raises:
        PackageError: The lock file lacks a distribution, or a wheel could not be had or has another hash.
    """
    if not lock.is_file():
        raise PackageError(f"{lock} is missing: functions are packaged from a clone of the repository")
    files = (ROOT / "functions").rglob("*")
    sources = sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts)
    code = (part for path in sources for part in (str(path.relative_to(ROOT)), path.read_bytes()))
    return Package(
        code=_built_once(into / "code" / _digest(code), _write_code),
        layer=_layer(target, DEPENDENCIES, into=into / "layer", lock=lock),
        columnar=_layer(target, COLUMNAR, into=into / "columnar", lock=lock),
    )


def _layer(target: Target, distributions: Iterable[str], *, into: Path, lock: Path) -> Path:
    pins = pinned(lock.read_text("utf-8"), distributions)
    made_of = (lock.read_bytes(), *pins, Path(__file__).read_bytes(), target.architecture, target.python)
    return _built_once(
        into / _digest(made_of), lambda folder: _write_layer(target, pins, folder=folder, lock=lock)
    )


def pinned(lock: str, distributions: Iterable[str]) -> tuple[str, ...]:
    """The requirements `name==version` that a lock file has for these distributions.

    Raises:
        PackageError: The lock file has none for one of them.
    """
    pins = dict(re.findall(r"^(?P<name>[\w.-]+)(?P<version>==[^\s;\\]+)", lock, re.MULTILINE))
    if missing := [name for name in distributions if name not in pins]:
        raise PackageError(f"the lock file does not pin {', '.join(missing)}")
    return tuple(name + pins[name] for name in distributions)


def _digest(parts: Iterable[str | bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8) + data)
    return whole.hexdigest()[:16]


def _built_once(folder: Path, write: Callable[[Path], None]) -> Path:
    """The folder, written unless it is there; of two who write at once, the second keeps what the first made."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
            unfinished = Path(scratch, "unfinished")
            write(unfinished)
            try:
                unfinished.rename(folder)
            except OSError:
                if not folder.exists():
                    raise
    return folder


def _write_code(folder: Path) -> None:
    shutil.copytree(ROOT / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))


def _write_layer(target: Target, pins: Iterable[str], *, folder: Path, lock: Path) -> None:
    """Install the pinned wheels and all that they need, each verified against the lock file's hashes."""
    site = folder / "python"
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--require-hashes", "--constraint", str(lock)]
    command += ["--python", sys.executable, "--python-version", target.python]
    command += ["--python-platform", _UV_PLATFORMS[target.architecture], "--only-binary", ":all:"]
    # Copies: a hard link into uv's cache would be cut short with it by the trimming below.
    command += ["--link-mode", "copy", "--target", str(site), "--requirements", "-"]
    ran = subprocess.run(command, input="\n".join(pins), text=True, capture_output=True, check=False)  # noqa: S603 our own words and the lock file's
    if ran.returncode:
        raise PackageError(f"uv could not install the layer's wheels:\n{ran.stderr.strip()}")
    _trim(site)


def _trim(site: Path) -> None:
    """Remove what binds the layer to this machine, and what no function uses."""
    models = (path for path in site.glob("botocore/data/*") if path.is_dir())
    unused = {path for path in models if path.name not in SERVICES}
    patterns = (*_MACHINE_BOUND, *_UNUSED)
    for path in unused.union(*map(site.glob, patterns)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def main() -> None:
    """Build what Lambda is given."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=main.__doc__)
    parser.add_argument("--architecture", choices=_UV_PLATFORMS, default="arm64")
    parser.add_argument("--python", default=PYTHON)
    parser.add_argument("folder", type=Path)
    wanted = parser.parse_args()
    package = build(Target(architecture=wanted.architecture, python=wanted.python))
    for part in package.__struct_fields__:
        shutil.copytree(getattr(package, part), wanted.folder / part, dirs_exist_ok=True)


if __name__ == "__main__":
    main()
