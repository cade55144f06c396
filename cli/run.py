"""One run of a command: where it finds AWS, how it answers, how it ends.

Exit status: 0 done; 1 refused or failed, with the reason and its cure on standard error; 2 wrong use.
"""

import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Annotated, Any

import msgspec
import typer

from cli.deployment import Deployment, find
from functions.core.errors import Fault, Refused, SluiceError


class Run:
    """What a command is given: the deployment it works on, found when it is first asked for, and its outlet."""

    def __init__(self, *, as_json: bool, **where: Any) -> None:
        self.as_json = as_json
        self._where = where

    @cached_property
    def deployment(self) -> Deployment:
        """The deployment that the options name.

        Raises:
            Permanent: There is none, or it cannot be reached.
        """
        return find(**self._where)

    def result(self, value: Any, text: str | Iterable[str], faults: Iterable[Fault] = ()) -> None:
        """The one result of a command: as an object of JSON, or as text; faults here are warnings."""
        faults = list(faults)
        if self.as_json:
            _print_json({"ok": True, "result": value, "faults": [_shown(fault) for fault in faults]})
            return
        for fault in faults:
            self.tell(f"warning: {fault}")
        for line in [text] if isinstance(text, str) else text:
            print(line)

    def row(self, value: Any, text: str) -> None:
        """One of many results: a line of NDJSON, or of text."""
        if self.as_json:
            _print_json(value)
        else:
            print(text)

    def tell(self, text: str) -> None:
        """Something for a person, beside the results."""
        print(text, file=sys.stderr)

    def progress(self, text: str) -> None:
        """How far long work has come; only a terminal is told."""
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def fail(self, faults: Iterable[Fault], result: Any = None) -> typer.Exit:
        """The end of a command that did not do what it was asked."""
        if self.as_json:
            _print_json({"ok": False, "result": result, "faults": [_shown(fault) for fault in faults]})
        else:
            for fault in faults:
                self.tell(f"{fault.code}: {fault}")
        return typer.Exit(1)


_JSON = inspect.Parameter(
    "as_json",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--json", help="One object of JSON, or NDJSON for many rows.")],
)
_AWS = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    for name, default, annotation in (
        ("profile", None, Annotated[str | None, typer.Option(help="As in the AWS CLI.")]),
        ("region", None, Annotated[str | None, typer.Option(help="As in the AWS CLI.")]),
        ("endpoint_url", None, Annotated[str | None, typer.Option(help="As in the AWS CLI.")]),
        ("stack", "sluice", Annotated[str, typer.Option(envvar="SLUICE_STACK", help="The deployment.")]),
        ("local", False, Annotated[bool, typer.Option("--local", help="The embedded cloud.")]),
    )
]


def command(
    app: typer.Typer,
    *,
    example: str,
    aws: bool = False,
    name: str | None = None,
    without: frozenset[str] = frozenset(),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command: its first parameter is the `Run`, the others are the command's own.

    Every command takes `--json`; one that works with a deployment (`aws`) also the options that name it, but for
    those (`without`) whose names are something else to it.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        shared = [_JSON, *(each for each in _AWS if aws and each.name not in without)]
        left_out = {each.name: each.default for each in _AWS if each.name in without}
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

        @functools.wraps(function)
        def invoke(**given: Any) -> None:
            run = Run(**left_out, **{parameter.name: given.pop(parameter.name) for parameter in shared})
            try:
                function(run, **given)
            except SluiceError as error:
                raise run.fail(faults_of(error)) from None

        parameters = [*own, *shared]
        invoke.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # typer reads it
        invoke.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, epilog=f"Example: {example}")(invoke)
        return invoke

    return decorate


def faults_of(error: SluiceError) -> list[Fault]:
    """An error as faults: all of a document's, or the one that it is."""
    if isinstance(error, Refused):
        return list(error.faults)
    return [Fault(code=error.code, message=error.text)]


def _shown(fault: Fault) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(fault, name) for name in ("code", "path", "line", "column")}
    return shown | {"message": fault.message, "cure": fault.cure}


def _print_json(value: Any) -> None:
    print(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))
