"""`sluice demo`: the main job, once, in the embedded cloud, with what it wrote shown."""

import gzip
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
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
        """Send real messages and rows through our own stack, without AWS, and show what becomes of them."""
        # What runs the embedded cloud takes seconds to import, and not everybody has it.
        from infra.app import template  # noqa: PLC0415
        from local.cloud import Cloud  # noqa: PLC0415

        _title("Our stack: synthesised by the CDK, created by CloudFormation in an embedded cloud")
        os.environ["SLUICE_STACK"] = "sluice-demo"
        context = {"name": "sluice-demo", "definition_max_age_seconds": 1, "stager_window_seconds": 1}
        with Cloud(template(context), name="sluice-demo", polling=True) as cloud:
            _Story(cloud).tell()
        run.tell("\nThat was the template, the handlers and the libraries that `cdk deploy` puts into AWS.")


class _Story:
    """What a new user would do, in that order, each command run for real."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud

    def tell(self) -> None:
        self._tell_of_messages()
        self._tell_of_streams()
        self._tell_of_imports()

    def _tell_of_messages(self) -> None:
        for name in ("MessagesQueueUrl", "DefinitionsTable", "LedgerTable", "DataBucket"):
            print(f"  {name}: {self._cloud.outputs[name]}")
        _title("The customer deploys the template that we print, in an account of their own")
        self._let_in("acme", "--create-bucket")
        _title("We store the destination; its access is verified first, as the function that will use it")
        self._sluice("destination create examples/acme.yaml")
        _title("Messages go into the queue, and come out as objects in the customer's bucket")
        self._sluice("send examples/messages.jsonl --destination acme")
        self._cloud.settle()
        self._show_message("")
        _title("One message gave no key. It is kept, and its failure says why and what cures it")
        failure = self._sluice("failures list").split("\t")[0]
        self._sluice(f"failures show {failure}")
        _title("The template is mended, and the message is sent again")
        self._sluice("destination update examples/acme-mended.yaml")
        self._sluice("failures retry --destination acme")
        self._cloud.settle()
        self._show_message("unassigned")
        self._sluice("failures list --all")

    def _tell_of_streams(self) -> None:
        _title(
            "Rows of a Singer tap become files: gzipped CSV under macro keys, a run of each stream one file"
        )
        self._let_in("acme-tables")
        self._sluice("destination create examples/acme-tables.yaml")
        first = "load --destination acme-tables --connection-run first --started-at 2025-04-14T12:00:00Z"
        second = "load --destination acme-tables --connection-run second --started-at 2025-04-15T12:00:00Z"
        self._sluice(first, given="examples/tap-first.jsonl")
        self._sluice(second, given="examples/tap-second.jsonl")
        self._cloud.settle()
        self._sluice("runs list --destination acme-tables --all")
        written = self._objects("tables/")
        self._list(written)
        self._show_rows(next(key for key in written if "orders/2025-04-14" in key))
        _title("The first run is sent again, whole: its rows are known, and nothing is written twice")
        self._sluice(first, given="examples/tap-first.jsonl")
        self._cloud.settle()
        again = self._objects("tables/")
        print(f"\n  {len(again)} objects, the same bytes as before: {again == written}")
        if again != written:
            raise typer.Exit(1)

    def _tell_of_imports(self) -> None:
        _title("Files become events: one is dropped into our own bucket, converted, and stored once")
        self._sluice("source create examples/shop-events.yaml --yes")
        self._drop("examples/shop-events.jsonl", "shop/2025-04-14.jsonl")
        self._sluice("import history --source shop-events")
        self._show_ours("events/", "the events")
        self._show_ours("rejects/", "what was refused, and why")
        _title("The same file is dropped again: it is known, and nothing is imported twice")
        before = self._ours("events/")
        self._drop("examples/shop-events.jsonl", "shop/2025-04-14.jsonl")
        after = self._ours("events/")
        print(f"\n  {len(after)} part(s) in the event store, the same as before: {after == before}")
        if after != before:
            raise typer.Exit(1)

    def _drop(self, file: str, key: str) -> None:
        """Put a file where our own bucket's sources find it, and wait until it has been read."""
        bucket = self._cloud.outputs["DropBucket"]
        print(f"\n$ aws s3 cp {file} s3://{bucket}/{key}")
        self._cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=Path(ROOT, file).read_bytes())
        self._cloud.settle()

    def _ours(self, prefix: str) -> dict[str, str]:
        """The keys below a prefix of our data bucket, each with its object's ETag."""
        bucket = self._cloud.outputs["DataBucket"]
        found = self._cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return {each["Key"]: each["ETag"] for each in found.get("Contents", [])}

    def _show_ours(self, prefix: str, what: str) -> None:
        bucket = self._cloud.outputs["DataBucket"]
        for key in self._ours(prefix):
            print(f"\n  {what}: s3://{bucket}/{key}")
            body = self._cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
            for line in gzip.decompress(body).decode().splitlines():
                given = {name: value for name, value in json.loads(line).items() if value not in (None, {})}
                print(f"    {json.dumps(given)}")

    def _let_in(self, name: str, *options: str) -> None:
        """Have the customer deploy what we print for a destination."""
        document = f"examples/{name}.yaml"
        access = self._sluice(
            shlex.join(["access", "template", "--destination", document, *options]), lines=0
        )
        role = self._cloud.create_stack(msgspec.json.decode(access), name=f"access-{name}", account=CUSTOMER)
        print(f"  created in account {CUSTOMER}: {role['RoleArn']} for s3://{BUCKET}")

    def _sluice(self, arguments: str, *, lines: int = 40, given: str = os.devnull) -> str:
        """Run the command line as a user would, `given` on its standard input; at most `lines` are shown."""
        print(f"\n$ sluice {arguments}" + ("" if given == os.devnull else f" < {given}"), flush=True)
        environment = os.environ | self._cloud.environment | {"PYTHONPATH": str(ROOT)}
        with Path(ROOT, given).open("rb") as standard_input:
            done = subprocess.run(  # noqa: S603 - our own command line, with our own words
                [sys.executable, "-m", "cli.main", *shlex.split(arguments)],
                cwd=ROOT,
                env=environment,
                stdin=standard_input,
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
        for line in done.stdout.splitlines()[:lines]:
            print(f"  {line}")
        if done.returncode:
            raise typer.Exit(done.returncode)
        return done.stdout

    def _objects(self, prefix: str) -> dict[str, str]:
        """The keys below a prefix of the customer's bucket, each with its object's ETag."""
        found = self._cloud.client("s3", account=CUSTOMER).list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return {each["Key"]: each["ETag"] for each in found.get("Contents", [])}

    def _list(self, keys: Iterable[str]) -> None:
        shown = [key for key in keys if not key.endswith(".sluice-test")]
        print(f"\n  {len(shown)} objects in s3://{BUCKET}:")
        for key in shown:
            print(f"    {key}")

    def _show_message(self, part: str) -> None:
        """The keys of messages that hold `part`, and the first of those objects."""
        keys = [key for key in self._objects("sluice/") if part in key]
        self._list(keys)
        found = self._object(next(key for key in keys if not key.endswith(".sluice-test")))
        print(f"  the first of them:\n    {found['Body'].read().decode()}")
        print(f"    {found['ContentType']}, {found.get('StorageClass', 'STANDARD')}")
        for name, value in sorted(found["Metadata"].items()):
            print(f"    x-amz-meta-{name}: {value}")

    def _show_rows(self, key: str) -> None:
        print(f"  {key}, unpacked:")
        for line in gzip.decompress(self._object(key)["Body"].read()).decode().splitlines():
            print(f"    {line}")

    def _object(self, key: str) -> Any:
        return self._cloud.client("s3", account=CUSTOMER).get_object(Bucket=BUCKET, Key=key)


def _title(text: str) -> None:
    print(f"\n── {text}", flush=True)
