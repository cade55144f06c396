"""IAM's decision on one request by one document, offline: the part of its rules that our documents use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. What is not understood
is an error, so that nothing is allowed by being overlooked.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]
Statement = Mapping[str, Any]

_UNDERSTOOD = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
_LITERAL = {"${*}": "*", "${?}": "?", "${$}": "$"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call: `principal` is who makes it, `context` the keys that AWS sets for it."""

    action: str
    resource: str = ""
    principal: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


def allows(document: Document, request: Request) -> bool:
    """Whether the document allows the request: some statement does, and none denies it."""
    effects = {statement["Effect"] for statement in document["Statement"] if _applies(statement, request)}
    return effects == {"Allow"}


def without_each(document: Document) -> Iterator[tuple[str, Document]]:
    """The document without each of its statements, and which one it is that is missing."""
    statements = document["Statement"]
    for at, missing in enumerate(statements):
        yield missing["Sid"], {**document, "Statement": [*statements[:at], *statements[at + 1 :]]}


def _applies(statement: Statement, request: Request) -> bool:
    if unknown := statement.keys() - _UNDERSTOOD:
        raise NotImplementedError(f"this evaluator does not know {', '.join(unknown)}")
    return (
        _principal(statement, request)
        and any(
            _like(action.lower(), request.action.lower(), request) for action in _listed(statement["Action"])
        )
        and ("Resource" in statement or "Principal" in statement)
        and any(_like(each, request.resource, request) for each in _listed(statement.get("Resource", "*")))
        and all(
            _condition(operator, key, _listed(values), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _principal(statement: Statement, request: Request) -> bool:
    if "Principal" not in statement:
        return True
    named = statement["Principal"]
    accepted = ["*"] if named == "*" else _listed(named.get("AWS", []))
    account = request.principal.split(":")[4] if request.principal else ""
    return bool({"*", request.principal, account, f"arn:aws:iam::{account}:root"}.intersection(accepted))


def _condition(operator: str, key: str, values: list[str], request: Request) -> bool:
    given = {name.lower(): value for name, value in request.context.items()}.get(key.lower())
    match operator:
        case "StringEquals":
            return given in values
        case "StringNotEquals":
            return given not in values
        case "StringLike":
            return given is not None and any(_like(value, given, request) for value in values)
        case _:
            raise NotImplementedError(f"this evaluator does not know {operator}")


def _like(pattern: str, value: str, request: Request) -> bool:
    """Whether `value` matches, with `*`, `?` and variables; a variable without a value matches nothing."""
    parts = [part for part in re.split(r"(\$\{[^}]*\}|\*|\?)", pattern) if part]
    regex = ""
    for part in parts:
        if part in {"*", "?"}:
            regex += ".*" if part == "*" else "."
        elif part.startswith("${") and part.endswith("}"):
            replacement = _LITERAL.get(part, request.context.get(part[2:-1]))
            if replacement is None:
                return False
            regex += re.escape(replacement)
        else:
            regex += re.escape(part)
    return re.fullmatch(regex, value, re.DOTALL) is not None


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
