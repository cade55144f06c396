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
from pathlib import Path
from typing import Any, get_args

import grimp
import pytest

from functions.adapters.definitions import Definitions, Stored
from functions.core.settings import variables
from infra import package
from infra.config import PYTHON, Architecture
from infra.package import Package, PackageError, Target
from tests.adapters.aws import KEYS, REGION, Aws
from tests.infra.resolution import of_type

Template = dict[str, Any]

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


def test_the_same_lock_file_gives_the_same_layer_also_to_two_at_once(tmp_path: Path) -> None:
    target = Target(architecture="arm64")
    with ThreadPoolExecutor(2) as both:
        builds = [both.submit(package.build, target, into=tmp_path) for _ in range(2)]
    first, second = (build.result() for build in builds)
    assert first == second
    assert contents(first.layer) == contents(package.build(target).layer)
    assert [path.name for path in (tmp_path / "layer").iterdir()] == [first.layer.name]


def test_the_package_is_laid_out_as_lambda_unpacks_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.package", "--architecture", HERE, str(tmp_path)]
    subprocess.run(command, cwd=package.ROOT, check=True)
    built = package.build(Target(architecture=HERE))
    assert contents(tmp_path / "code") == contents(built.code)
    assert contents(tmp_path / "layer") == contents(built.layer)


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
def test_the_layer_is_for_its_processor_and_names_no_machine(architecture: Architecture) -> None:
    layer = package.build(Target(architecture=architecture)).layer
    libraries = list(layer.rglob("*.so"))
    assert libraries
    for library in libraries:
        header = library.read_bytes()[:20]
        assert int.from_bytes(header[18:20], "little") == ELF_MACHINES[architecture]
    names = {path.name for path in layer.rglob("*")}
    assert names.isdisjoint({"RECORD", "__pycache__", "bin"})
    models = {path.name for path in (layer / "python/botocore/data").iterdir() if path.is_dir()}
    assert models == set(package.SERVICES)


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


@pytest.fixture
def environment(aws: Aws, template: Template) -> dict[str, str]:
    """What the template sets, with its resources made in an emulator, and what Lambda adds."""
    function = of_type(template, "AWS::Lambda::Function")["MessageWriterFunction"]
    queue = aws.client("sqs").create_queue(QueueName=aws.name("queue"))
    return {
        **function["Environment"]["Variables"],
        **variables(
            definitions_table=aws.table(),
            ledger_table=aws.table(),
            data_bucket=aws.bucket(),
            queue_url=queue["QueueUrl"],
        ),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_LAMBDA_FUNCTION_NAME": "message-writer",
    }


def run(
    python: str, built: Package, handler: str, events: list[Any], environment: dict[str, str]
) -> list[Any]:
    """The answers of a handler in a process that finds nothing but the package and the standard library."""
    script = Path(__file__).with_name("lambda_process.py")
    # -I and -S: no installed packages, no PYTHONPATH; -B: the package is cached, and nobody writes into it.
    command = [python, "-I", "-S", "-B", str(script), str(built.code), str(built.layer), handler]
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


def test_every_handler_finds_what_it_imports_at_once_and_later(
    lambdas_python: str, built: Package, environment: dict[str, str]
) -> None:
    handler = "functions.message_writer.handler"
    needed = grimp.build_graph("functions").find_upstream_modules(handler) | {handler}
    assert {
        "functions.core.settings",
        "functions.adapters.verification",
    } <= needed  # one of them is imported late
    assert set(run(lambdas_python, built, "*", sorted(needed), environment)) == needed


def test_a_message_becomes_an_object(
    lambdas_python: str, built: Package, environment: dict[str, str], template: Template, aws: Aws
) -> None:
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
    Definitions(aws.client("dynamodb"), table=environment["SLUICE_DEFINITIONS_TABLE"]).put(stored)
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
    handler = of_type(template, "AWS::Lambda::Function")["MessageWriterFunction"]["Handler"]
    assert run(lambdas_python, built, handler, [event], environment) == [{"batchItemFailures": []}]
    key = "from-sluice/2025-10-14T02:58:59.5Z_e-1.json"
    found = aws.client("s3").get_object(Bucket=bucket, Key=key)
    assert found["Body"].read() == b'{"data": {"n": 1.0}}'
    assert found["Metadata"]["event-id"] == "e-1"
