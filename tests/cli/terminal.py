"""The command line, run in this process as a terminal would run it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from cli.main import app

NO_ACCESS: Mapping[str, str | None] = {
    **{name: None for name in os.environ if name.startswith(("AWS_", "SLUICE_"))},
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""An environment that knows of no AWS, whatever whoever runs the tests has in theirs."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that `--json` prints, which has the form that every command promises."""
        [line] = self.out.splitlines()
        answer: dict[str, Any] = json.loads(line)
        assert list(answer) == ["ok", "result", "faults"]
        assert answer["ok"] is (self.status == 0)
        for fault in answer["faults"]:
            assert list(fault) == ["code", "path", "line", "column", "message", "cure"]
            assert isinstance(fault["code"], str)
            assert fault["message"]
        return answer

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What commands print that give many rows."""
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal:
    """Runs `sluice` in an environment; nothing that it runs may end in an exception."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**NO_ACCESS, **environment}

    def __call__(self, *arguments: str, given: str | bytes = b"") -> Ran:
        """Run one command with this on its standard input."""
        done = CliRunner().invoke(app, arguments, input=given, env=self._environment)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(status=done.exit_code, out=done.stdout, err=done.stderr)

    def json(self, *arguments: str, given: str | bytes = b"") -> dict[str, Any]:
        """The answer of a command that must succeed."""
        done = self(*arguments, "--json", given=given)
        assert done.status == 0, done.out
        return done.json
