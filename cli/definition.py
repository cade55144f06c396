"""`sluice definition`: definitions, checked without AWS."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from cli.apps import group
from cli.documents import read_definition
from cli.run import Run, command, faults_of
from functions.core.definitions.connection import Connection
from functions.core.definitions.streams import StreamDestination
from functions.core.errors import Code, Fault, SluiceError

app = group("Definitions, checked without AWS.")


@command(app, example="sluice definition check examples/acme.yaml")
def check(
    run: Run,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="YAML or JSON.", show_default=False)],
) -> None:
    """All faults of destinations and sources at once, each with its path."""
    names: list[str] = []
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for file in files:
        try:
            found = read_definition(file)
            names.append(found.name)
            warnings += [_in_file(file, fault) for fault in _warnings(found)]
        except SluiceError as error:
            faults += [
                fault if run.as_json and len(files) == 1 else _in_file(file, fault)
                for fault in faults_of(error)
            ]
    if faults:
        raise run.fail(faults)
    run.result({"checked": names}, [f"{name}: in order" for name in names], warnings)


def _warnings(connection: Connection) -> Iterator[Fault]:
    """What may be meant, and may not."""
    if isinstance(connection, StreamDestination) and not connection.template.unique_between_runs:
        yield Fault(
            code=Code.BAD_DEFINITION,
            path="key_template",
            message="two runs can give the same key, and the later file then replaces the earlier",
            cure="put {stream_run_id} into it, unless that is what you want",
        )


def _in_file(file: str, fault: Fault) -> Fault:
    if fault.path == file:
        return fault
    where = f"{file}:{fault.line}" if fault.line else file
    return msgspec.structs.replace(fault, path=f"{where}: {fault.path}" if fault.path else where)
