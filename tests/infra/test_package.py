"""The package that Lambda gets: what is in it, and that it works where nothing else is."""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, get_args

import grimp
import pytest

from functions.adapters.definitions import Definitions, Stored
from functions.core.settings import variables
from infra import package
from infra.config import COLUMNAR, PYTHON, Architecture
from infra.package import Package, PackageError, Target
from tests.adapters.aws import KEYS, REGION, Aws
from tests.infra.resolution import of_type

Template = dict[str, Any]
Properties = dict[str, Any]

pytestmark = pytest.mark.slow  # wheels are fetched, and looked at by another Python

ELF_MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}
HERE: Architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def test_a_distribution_that_is_not_locked_is_refused() -> None:
    lock = "boto3==1.2.3 \\\n    --hash=sha256:00\nboto3-stubs==9 \\\n    --hash=sha256:00\n"
    assert package.pinned(lock, ["boto3"]) == ("boto3==1.2.3",)
    with pytest.raises(PackageError, match="does not pin obstore, jmespath"):
        package.pinned(lock, ["obstore", "boto3", "jmespath"])


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    # Nobody asks for s3transfer by its name: it comes with boto3, and is verified all the same.
    before, name, after = package.LOCK.read_text("utf-8").partition("\ns3transfer==")
    pin, via, rest = after.partition("# via")
    tampered = tmp_path / "requirements.lock"
    wrong = re.sub(r"(?<=sha256:).{8}", "0" * 8, pin)
    tampered.write_text(before + name + wrong + via + rest, "utf-8")
    with pytest.raises(PackageError, match="s3transfer"):
        package.build(Target(architecture="arm64"), into=tmp_path, lock=tampered)
    assert not list((tmp_path / "layer").iterdir())
    assert not (tmp_path / "columnar").exists()


def test_the_same_lock_file_gives_the_same_layer_also_to_two_at_once(tmp_path: Path) -> None:
    target = Target(architecture="arm64")
    with ThreadPoolExecutor(2) as both:
        builds = [both.submit(package.build, target, into=tmp_path) for _ in range(2)]
    first, second = (build.result() for build in builds)
    assert first == second
    kept = package.build(target)
    for folder, known in ((first.layer, kept.layer), (first.columnar, kept.columnar)):
        assert contents(folder) == contents(known)
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_the_package_is_laid_out_as_lambda_unpacks_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.package", "--architecture", HERE, str(tmp_path)]
    subprocess.run(command, cwd=package.ROOT, check=True)
    built = package.build(Target(architecture=HERE))
    for part in built.__struct_fields__:
        assert contents(tmp_path / part) == contents(getattr(built, part))


def contents(folder: Path) -> dict[str, str]:
    """The digests of all files by their paths."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_without_a_lock_file_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="clone of the repository"):
        package.build(Target(architecture="arm64"), into=tmp_path, lock=tmp_path / "requirements.lock")


@pytest.mark.parametrize("architecture", get_args(Architecture))
def test_layers_are_for_their_processor_and_name_no_machine(architecture: Architecture) -> None:
    built = package.build(Target(architecture=architecture))
    for layer in (built.layer, built.columnar):
        libraries = list(layer.rglob("*.so*"))
        assert libraries
        for library in libraries:
            with library.open("rb") as file:
                header = file.read(20)
            assert int.from_bytes(header[18:20], "little") == ELF_MACHINES[architecture]
        names = {path.name for path in layer.rglob("*")}
        assert names.isdisjoint({"RECORD", "__pycache__", "bin"})
    models = {path.name for path in (built.layer / "python/botocore/data").iterdir() if path.is_dir()}
    assert models == set(package.SERVICES)


LARGEST_FUNCTION = 250 * 1024 * 1024
"""Bytes that Lambda unpacks for one function, its layers included."""


@pytest.mark.parametrize("architecture", get_args(Architecture))
def test_a_function_with_all_layers_is_far_from_lambdas_limit(architecture: Architecture) -> None:
    built = package.build(Target(architecture=architecture))
    folders = [getattr(built, part) for part in built.__struct_fields__]
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    assert size < 0.7 * LARGEST_FUNCTION


def test_the_layers_have_nothing_twice() -> None:
    built = package.build(Target(architecture="arm64"))
    shared = {path.name for path in (built.layer / "python").iterdir()}
    assert shared.isdisjoint(path.name for path in (built.columnar / "python").iterdir())


def test_the_layer_has_the_models_of_all_services_that_functions_call() -> None:
    sources = "".join(path.read_text("utf-8") for path in (package.ROOT / "functions").rglob("*.py"))
    called = set(re.findall(r"clients\.get\(\"([\w-]+)\"\)", sources))
    assert called
    assert called <= set(package.SERVICES)


def test_the_code_is_the_functions_alone() -> None:
    code = package.build(Target(architecture="arm64")).code
    assert [path.name for path in code.iterdir()] == ["functions"]
    assert (code / "functions/core/settings.py").is_file()
    assert not list(code.rglob("__pycache__"))


@pytest.fixture(scope="session")
def built() -> Package:
    return package.build(Target(architecture=HERE))


@pytest.fixture(scope="session")
def lambdas_python() -> str:
    """An interpreter of Lambda's version on this machine."""
    if sys.platform != "linux":
        pytest.skip("the layer's wheels are for Linux")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    others = sorted(pyenv.glob(f"versions/{PYTHON}*/bin/python"))
    candidates = [shutil.which(f"python{PYTHON}"), *map(str, others)]
    for candidate in filter(None, candidates):
        # pyenv's shims are on the PATH for versions that are not switched on, and fail.
        if subprocess.run([candidate, "-I", "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip(f"there is no Python {PYTHON} on this machine")


FUNCTIONS = ("MessageWriter", "Stager", "FileWriter", "Importer", "Planner")
MODULES = {"google-re2": "re2"}
"""Distributions whose module has another name."""


def environment(function: Properties, aws: Aws) -> dict[str, str]:
    """What the template sets, with its resources made in an emulator, and what Lambda adds."""
    queue = aws.client("sqs").create_queue(QueueName=aws.name("queue"))
    resources = variables(
        definitions_table=aws.table(),
        ledger_table=aws.table(),
        data_bucket=aws.bucket(),
        queue_url=queue["QueueUrl"],
    )
    return {
        **function["Environment"]["Variables"],
        **resources,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_LAMBDA_FUNCTION_NAME": "sluice-function",
    }


def layers(function: Properties, built: Package) -> list[Path]:
    """The layers that the template gives a function."""
    folders = {"SoftwareDependencies": built.layer, "SoftwareColumnar": built.columnar}
    return [folders[name] for name in function["Layers"]]


def run(
    python: str,
    handler: str,
    events: list[Any],
    *,
    code: Path,
    layers: list[Path],
    environment: dict[str, str],
) -> list[Any]:
    """The answers of a handler in a process that finds nothing but the package and the standard library."""
    script = Path(__file__).with_name("lambda_process.py")
    # -I and -S: no installed packages, no PYTHONPATH; -B: the package is cached, and nobody writes into it.
    command = [python, "-I", "-S", "-B", str(script), str(code), handler, *map(str, layers)]
    ran = subprocess.run(
        command,
        input=json.dumps(events),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    answers: list[Any] = json.loads(ran.stdout.splitlines()[-1])
    return answers


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("functions", include_external_packages=True)


@pytest.mark.parametrize("worker", FUNCTIONS)
def test_a_handler_finds_what_it_imports_at_once_and_later(
    lambdas_python: str, built: Package, template: Template, aws: Aws, worker: str
) -> None:
    function = of_type(template, "AWS::Lambda::Function")[f"{worker}Function"]
    handler = function["Handler"].rpartition(".")[0]
    if handler not in imports().modules:
        pytest.skip(f"{handler} is not written yet")
    upstream = imports().find_upstream_modules(handler) | {handler}
    needed = {name for name in upstream if name.startswith("functions.")}
    assert "functions.core.settings" in needed
    found = run(
        lambdas_python,
        "*",
        sorted(needed),
        code=built.code,
        layers=layers(function, built),
        environment=environment(function, aws),
    )
    missed = needed - set(found)
    assert not missed or built.columnar not in layers(function, built)
    # A function without columns has them in reach, for it could be asked about a destination of files, or a source.
    own = handler.rpartition(".")[0]
    assert not any(name.startswith(own) or name == "functions.adapters.wiring" for name in missed)
    columns = imports().modules.intersection(MODULES.get(name, name) for name in COLUMNAR)
    assert missed <= set().union(*map(imports().find_downstream_modules, columns))


def test_files_are_made_of_what_the_columnar_layer_holds(
    lambdas_python: str, built: Package, template: Template
) -> None:
    function = of_type(template, "AWS::Lambda::Function")["FileWriterFunction"]
    event = {"lines": '{"n":1}\n{"n":41}\n'}
    [made] = run(
        lambdas_python,
        "columnar_work.handler",
        [event],
        code=Path(__file__).parent,
        layers=layers(function, built),
        environment={"PYTHONTZPATH": f"{built.columnar}/python/tzdata/zoneinfo"},
    )
    assert made.pop("zones") > 400
    written = '"n"\n1\n41\n'
    assert made == {
        "total": 42,
        "csv": written,
        "opened": written,
        "matched": True,
        "zone": "Europe/Berlin",
    }


def test_a_message_becomes_an_object(
    lambdas_python: str, built: Package, template: Template, aws: Aws
) -> None:
    function = of_type(template, "AWS::Lambda::Function")["MessageWriterFunction"]
    told = environment(function, aws)
    bucket = aws.bucket()
    stored = Stored(
        name="acme",
        version=1,
        document={
            "name": "acme",
            "kind": "messages",
            "bucket": bucket,
            "prefix": "from-sluice/",
            "credentials": {"role_arn": "arn:aws:iam::444455556666:role/sluice-acme"},
        },
        created_at="2026-11-20T00:00:00Z",
        external_id="Zx81-kWq",
    )
    Definitions(aws.client("dynamodb"), table=told["SLUICE_DEFINITIONS_TABLE"]).put(stored)
    body = '{"destination_id": "acme", "id": "e-1", "time": "2025-10-14T02:58:59.5Z", "data": {"n": 1.0}}'
    event = {
        "Records": [
            {
                "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
                "receiptHandle": "AQEB",
                "body": body,
                "attributes": {"SentTimestamp": "1760410739500", "ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
        ]
    }
    answers = run(
        lambdas_python,
        function["Handler"],
        [event],
        code=built.code,
        layers=layers(function, built),
        environment=told,
    )
    assert answers == [{"batchItemFailures": []}]
    key = "from-sluice/2025-10-14T02:58:59.5Z_e-1.json"
    found = aws.client("s3").get_object(Bucket=bucket, Key=key)
    assert found["Body"].read() == b'{"data": {"n": 1.0}}'
    assert found["Metadata"]["event-id"] == "e-1"
