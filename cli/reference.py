"""The generated pages of the documentation: `python -m cli.reference` writes them, `--check` compares them."""

import ast
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer.main

from cli.main import app
from functions.core import policies
from functions.core.converter.reference import converter_reference
from functions.core.errors import RESOLUTIONS, RESOLUTIONS_OF_FILES, Code
from functions.core.instants import TIME_FIELDS, Instant

DOCS = Path(__file__).parents[1] / "docs"
_SAMPLE = Instant.parse("2025-10-14T02:58:59.323405308Z")
_ROLE = "arn:aws:iam::123456789012:role/sluice-message-writer"
_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

_UPLOADS = """## Uploads that nobody ended

Files are uploaded in parts, and an upload that fails is given up by us. One that a crash leaves behind is seen in
no listing and paid for all the same, so the bucket should have a rule that ends it; a bucket that
`sluice access template` makes has it.

```json
{
  "Rules": [
    {
      "ID": "incomplete-uploads",
      "Status": "Enabled",
      "Filter": {},
      "AbortIncompleteMultipartUpload": {
        "DaysAfterInitiation": 7
      }
    }
  ]
}
```"""


def commands() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(app)
    return "\n\n".join(["# Commands", *_help(root, "sluice")]) + "\n"


def access() -> str:
    """Every policy document, as the core gives it."""
    where: Any = {"bucket": "acme-landing", "prefix": "sluice/"}
    documents = {
        "Trust: who may assume the customer's role": policies.trust(
            role_arn=_ROLE, external_id="sluice-p2Kf0cXw6yTq1bVn8mJr4sLd7hGz3aEu"
        ),
        "Write, for messages": policies.write_messages(**where),
        "Write, for messages, with `on_existing: keep`": policies.write_messages(**where, keep=True),
        "Write, for messages, with a KMS key": policies.write_messages(**where, kms_key_arn=_KEY),
        "Write, for streams": policies.write_files(**where),
        "Write, for streams, with a KMS key": policies.write_files(**where, kms_key_arn=_KEY),
        "Read, for sources": policies.read_files(**where),
        "Read, for sources, with `notifications: true`": policies.read_files(**where, notifications=True),
        "Read, for sources, with a KMS key": policies.read_files(**where, kms_key_arn=_KEY),
    }
    sections = [
        f"## {title}\n\n```json\n{json.dumps(each, indent=2)}\n```" for title, each in documents.items()
    ]
    head = (
        "# Policies\n\nWhat a customer grants. `sluice access policy|trust|template` prints them filled in;"
        " the role that is trusted is that of `message_writer` for messages, of `file_writer` for streams, and of"
        " `importer` for sources."
    )
    return "\n\n".join([head, *sections, _UPLOADS]) + "\n"


def failures() -> str:
    """Every code of a failure, and what cures it."""
    head = "# Failures\n\nEach failure has a code; `sluice failures show ID` prints these steps filled in."
    sections = []
    for code in Code:
        sections.append(f"## {code}\n\n{_steps(RESOLUTIONS[code])}")
        if code in RESOLUTIONS_OF_FILES:
            sections.append(f"Of a source's file:\n\n{_steps(RESOLUTIONS_OF_FILES[code])}")
    return "\n\n".join([head, *sections]) + "\n"


def _steps(steps: tuple[str, ...]) -> str:
    listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return listed.replace("{", "<").replace("}", ">")


def times() -> str:
    """Every `time.*` field of a key template."""
    values = _SAMPLE.fields(TIME_FIELDS)
    rows = [f"| `time.{name}` | {value} |" for name, value in values.items()]
    head = (
        "# Time in key templates\n\nFor a message of 2025-10-14T02:58:59.323405308Z; all are strings, in UTC."
    )
    return "\n".join([head, "", "| field | value |", "|---|---|", *rows]) + "\n"


def configuration() -> str:
    """Everything that may differ between deployments, from the source of `infra/config.py`."""
    tree = ast.parse((DOCS.parent / "infra" / "config.py").read_text("utf-8"))
    body = next(
        node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Deployment"
    )
    rows = []
    for field, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and field.value:
            told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            meaning = " ".join(str(after.value.value).split()) if told else ""  # type: ignore[union-attr] # as told
            rows.append(f"| `{field.target.id}` | `{ast.unparse(field.value)}` | {meaning} |")
    head = "# Configuration\n\nValues of the CDK context: under `context` in `cdk.json`, or `-c name=value`."
    return "\n".join([head, "", "| name | default | meaning |", "|---|---|---|", *rows]) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "converter.md": converter_reference,
    "commands.md": commands,
    "configuration.md": configuration,
    "failures.md": failures,
    "policies.md": access,
    "time.md": times,
}


def _help(node: Any, path: str) -> Iterator[str]:
    """The help of a command and of all below it; `Any` is typer's copy of click."""
    context = node.make_context(path, [], resilient_parsing=True, max_content_width=100, terminal_width=100)
    subcommands = getattr(node, "commands", {})
    if not subcommands:
        text = "\n".join(line.rstrip() for line in node.get_help(context).strip().splitlines())
        yield f"## {path}\n\n```\n{text}\n```"
    for name in sorted(subcommands):
        yield from _help(subcommands[name], f"{path} {name}")


def main() -> None:
    """Write the pages, or with `--check` say which are not what they would be."""
    stale = [name for name, page in PAGES.items() if _read(DOCS / name) != page()]
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"out of date: {', '.join(stale)}; `make docs` writes them anew")
        return
    DOCS.mkdir(exist_ok=True)
    for name in stale:
        (DOCS / name).write_text(PAGES[name](), "utf-8")
        print(f"docs/{name} written")


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    main()
