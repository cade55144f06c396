"""STS that reads trust policies: moto gives anyone the credentials of any role, there or not."""

import json
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.iam.exceptions import NotFoundException
from moto.iam.models import get_account_id_from, iam_backends

from local.calls import Call


class Trust:
    """Refuses every AssumeRole that the role's trust policy does not allow.

    Statements of the usual form are read: principals by ARN or account, and no condition but StringEquals on
    sts:ExternalId. Any other condition, and any Deny, lets nobody in.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer in moto's place, or let it answer."""
        if "/sts/" in environ.get("HTTP_AUTHORIZATION", ""):
            call = Call.read(environ)
            if call.action == "AssumeRole" and not _trusted(call):
                caller, role = _principals(call.access_key)[0], call.resource
                text = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}"
                return call.refusal(403, "AccessDenied", text)(environ, start_response)
        return self._application(environ, start_response)


def _trusted(call: Call) -> bool:
    account = call.resource.split(":")[4] if call.resource.startswith("arn:aws:iam::") else ""
    try:
        role = iam_backends[account]["aws"].get_role_by_arn(call.resource)
    except NotFoundException:
        return False
    statements = _listed(json.loads(role.assume_role_policy_document)["Statement"])
    principals, external_id = _principals(call.access_key), call.parameters.get("ExternalId")
    return all(statement["Effect"] == "Allow" for statement in statements) and any(
        _lets_in(statement, principals, external_id) for statement in statements
    )


def _lets_in(statement: dict[str, Any], principals: list[str], external_id: str | None) -> bool:
    principal = statement["Principal"]
    named = ["*"] if principal == "*" else _listed(principal.get("AWS", []))
    asked = {"StringEquals": {"sts:ExternalId": external_id}}
    return (
        "sts:AssumeRole" in _listed(statement["Action"])
        and any(name in ("*", *principals) for name in named)
        and statement.get("Condition", {}) in ({}, asked)
    )


def _principals(access_key: str) -> list[str]:
    """What a trust policy may call the owner of a key: its role, if it has one, and its account."""
    account = get_account_id_from(access_key)
    root = f"arn:aws:iam::{account}:root"
    key = iam_backends[account]["aws"].access_keys.get(access_key)
    return [name for name in (key.role_arn if key else None, root, account) if name]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
