"""`sluice definition`: definitions, checked without AWS."""

from typing import Annotated

import msgspec
import typer

from cli.apps import group
from cli.documents import read_destination
from cli.run import Run, command, faults_of
from functions.core.errors import Fault, SluiceError

app = group("Definitions, checked without AWS.")


@command(app, example="sluice definition check examples/acme.yaml")
def check(
    run: Run,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="YAML or JSON.", show_default=False)],
) -> None:
    """All faults of destinations at once, each with its path."""
    names: list[str] = []
    faults: list[Fault] = []
    for file in files:
        try:
            names.append(read_destination(file)[0].name)
        except SluiceError as error:
            faults += [
                fault if run.as_json and len(files) == 1 else _in_file(file, fault)
                for fault in faults_of(error)
            ]
    if faults:
        raise run.fail(faults)
    run.result({"checked": names}, [f"{name}: in order" for name in names])


def _in_file(file: str, fault: Fault) -> Fault:
    if fault.path == file:
        return fault
    where = f"{file}:{fault.line}" if fault.line else file
    return msgspec.structs.replace(fault, path=f"{where}: {fault.path}" if fault.path else where)
