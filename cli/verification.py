"""Asking whether the access of a definition is in order, and telling the answers."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cli.run import Run
from functions.adapters.definitions import Stored
from functions.core.definitions.connection import RoleCredentials
from functions.core.errors import Code, Fault, Refused


def verify(run: Run, new: Stored) -> list[dict[str, Any]]:
    """The questions and their answers, told one by one.

    Raises:
        Refused: One of them is not answered as it must be.
    """
    question = {"stored": new, "role_arn": run.deployment.role_arn(new.kind)}
    checks: list[dict[str, Any]] = run.deployment.ask(question, kind=new.kind)["checks"]
    return _told(run, new, checks)


def ask(run: Run, found: Stored, what: str) -> list[dict[str, Any]]:
    """The answer to one of `functions.adapters.questions` that is answered by checks.

    Raises:
        Refused: It is not as it must be.
    """
    checks: list[dict[str, Any]] = run.deployment.ask({"stored": found, "ask": what}, kind=found.kind)[
        "checks"
    ]
    return _told(run, found, checks)


def _told(run: Run, new: Stored, checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for check in checks:
        if not run.as_json:
            run.tell(f"{'ok    ' if check['passed'] else 'FAILED'} {check['name']}")
    failed = [_failed(check) for check in checks if not check["passed"]]
    if failed:
        if not run.as_json and isinstance(new.connection().credentials, RoleCredentials):
            run.tell(f"the external id of {new.name} is {new.external_id}")
        raise Refused(failed)
    return checks


def _failed(check: Mapping[str, Any]) -> Fault:
    grant = check.get("grant")
    return Fault(
        code=Code(check["code"]),
        path=check["name"],
        message=check["text"],
        cure=f"the document that would mend it: {msgspec.json.encode(grant).decode()}" if grant else "",
    )
