"""`sluice demo`: the main job, once, in the embedded cloud, with what it wrote shown."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from cli.run import Run, command

if TYPE_CHECKING:
    from local.cloud import Cloud

ROOT = Path(__file__).parents[1]
CUSTOMER = "111122223333"
BUCKET = "acme-landing"


def add_to(app: typer.Typer) -> None:
    """Make `demo` a command of this application."""

    @command(app, example="sluice demo")
    def demo(run: Run) -> None:
        """Send real messages through our own stack, without AWS, and show what becomes of them."""
        # What runs the embedded cloud takes seconds to import, and not everybody has it.
        from infra.app import template  # noqa: PLC0415
        from local.cloud import Cloud  # noqa: PLC0415

        _title("Our stack: synthesised by the CDK, created by CloudFormation in an embedded cloud")
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SLUICE_STACK"] = "sluice-demo"
            context = {"name": "sluice-demo", "definition_max_age_seconds": 1}
            with Cloud(template(context), name="sluice-demo", polling=True) as cloud:
                story = _Story(cloud, Path(folder))
                story.tell()
        run.tell("\nThat was the template, the handlers and the libraries that `cdk deploy` puts into AWS.")


class _Story:
    """What a new user would do, in that order, each command run for real."""

    def __init__(self, cloud: "Cloud", folder: Path) -> None:
        self._cloud = cloud
        self._folder = folder

    def tell(self) -> None:
        for name in ("MessagesQueueUrl", "DefinitionsTable", "LedgerTable", "DataBucket"):
            print(f"  {name}: {self._cloud.outputs[name]}")
        _title("The customer deploys the template that we print, in an account of their own")
        access = self._sluice("access template --destination examples/acme.yaml --create-bucket", lines=0)
        role = self._cloud.create_stack(msgspec.json.decode(access), name="sluice-access", account=CUSTOMER)
        print(f"  created in account {CUSTOMER}: {role['RoleArn']}, s3://{BUCKET}")
        _title("We store the destination; its access is verified first, as the function that will use it")
        self._sluice("destination create examples/acme.yaml")
        _title("Messages go into the queue, and come out as objects in the customer's bucket")
        self._sluice("send examples/messages.jsonl --destination acme")
        self._cloud.settle()
        self._show_objects()
        _title("One message gave no key. It is kept, and its failure says why and what cures it")
        failure = self._sluice("failures list").split("\t")[0]
        self._sluice(f"failures show {failure}")
        _title("The template is mended, and the message is sent again")
        self._sluice("destination update examples/acme-mended.yaml")
        self._sluice("failures retry --destination acme")
        self._cloud.settle()
        self._show_objects(only="unassigned")
        self._sluice("failures list --all")

    def _sluice(self, arguments: str, *, lines: int = 40) -> str:
        """Run the command line as a user would; give its output, of which at most `lines` are shown."""
        print(f"\n$ sluice {arguments}")
        environment = os.environ | self._cloud.environment | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(  # noqa: S603 - our own command line, with our own words
            [sys.executable, "-m", "cli.main", *shlex.split(arguments)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        for line in done.stdout.splitlines()[:lines]:
            print(f"  {line}")
        if done.returncode:
            raise typer.Exit(done.returncode)
        return done.stdout

    def _show_objects(self, *, only: str = "") -> None:
        s3 = self._cloud.client("s3", account=CUSTOMER)
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        chosen = [key for key in keys if only in key and not key.endswith(".sluice-test")]
        print(f"\n  {len(chosen)} objects in s3://{BUCKET}:")
        for key in chosen:
            print(f"    {key}")
        self._show_object(s3.get_object(Bucket=BUCKET, Key=chosen[0]))

    def _show_object(self, found: Any) -> None:
        print("  the first of them:")
        print(f"    {found['Body'].read().decode()}")
        print(f"    {found['ContentType']}, {found.get('StorageClass', 'STANDARD')}")
        for name, value in sorted(found["Metadata"].items()):
            print(f"    x-amz-meta-{name}: {value}")


def _title(text: str) -> None:
    print(f"\n── {text}", flush=True)
