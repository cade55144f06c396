"""`sluice local`: the embedded cloud, kept running."""

import shlex
from typing import Annotated

import typer

from cli.apps import group
from cli.run import Run, command
from functions.core.errors import Code, Permanent

app = group("The embedded cloud, kept running: our own stack without AWS.")


@command(app, example="sluice local up")
def up(run: Run, *, name: Annotated[str, typer.Option(help="The stack's name in it.")] = "sluice") -> None:
    """Start it, and print the environment that other clients of AWS need to reach it."""
    # What runs the embedded cloud takes seconds to import, and not everybody has it.
    from local import running  # noqa: PLC0415

    try:
        found = running.up(name=name)
    except running.LocalCloudError as error:
        raise Permanent(Code.UNAVAILABLE, str(error)) from None
    run.tell("# sluice … --local works with it; so does every client of AWS with these:")
    run.result(found, [f"export {key}={shlex.quote(value)}" for key, value in found.environment.items()])


@command(app, example="sluice local down")
def down(run: Run) -> None:
    """End it; what it holds is gone."""
    from local import running  # noqa: PLC0415 - as above

    found = running.down()
    run.result({"was_up": found is not None}, "it is down" if found else "it was not up")


@command(app, example="sluice local status")
def status(run: Run) -> None:
    """Whether it is up, and what it holds."""
    from local import running  # noqa: PLC0415 - as above

    found = running.status()
    if found is None:
        run.result({"up": False}, "it is not up: sluice local up")
        return
    lines = [f"{key}: {value}" for key, value in found.outputs.items()]
    run.result({"up": True, **found.outputs}, [f"up, process {found.pid}, logs in {found.logs}", *lines])
