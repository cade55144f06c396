"""What a function is asked directly, by whoever stores definitions: whether it has the access that it will need."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.clients import Clients
from functions.adapters.definitions import Stored
from functions.adapters.destinations import bucket_of
from functions.adapters.objects import Bucket
from functions.adapters.queues import queue_arn
from functions.adapters.sessions import Sessions
from functions.core.definitions.connection import Connection
from functions.core.errors import Permanent, Transient
from functions.core.notifications import rule_of
from functions.core.settings import Settings

if TYPE_CHECKING:
    from functions.adapters.trials import Check


class Answers:
    """The answers of one function, with the role and the settings that it has."""

    def __init__(self, settings: Settings, *, clients: Clients, sessions: Sessions) -> None:
        self._settings = settings
        self._clients = clients
        self._sessions = sessions

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Whether a connection's access is in order.

        `{"stored", "role_arn"}` gives `{"checks": […]}`, or `{"later": why}` where AWS cannot be asked now;
        `stored` need not be stored yet; `role_arn` is our own role, which trust policies name. With `ask` it is
        another question, about a source: `functions.adapters.questions` has them, and their answers.
        """
        stored = msgspec.convert(question["stored"], Stored)
        try:
            found: Any = (
                self._about_source(stored, question)
                if "ask" in question
                else {"checks": self._checks(stored, question["role_arn"])}
            )
        except Transient as error:
            return {"later": error.text}
        answer: dict[str, Any] = msgspec.to_builtins(found)
        return answer

    def _about_source(self, stored: Stored, question: Mapping[str, Any]) -> Any:
        from functions.adapters import questions  # noqa: PLC0415 - as below

        source, ask = stored.source(), questions.Ask(question["ask"])
        if ask is questions.Ask.COUNT:
            return questions.count(source, self._bucket(stored, source), after=question.get("after") or "")
        rule = rule_of(source=source.name, queue_arn=self._arrivals_arn, prefix=source.prefix)
        try:
            bucket = self._bucket(stored, source)
        except Permanent as error:
            return {"checks": [_without_credentials(error)]}
        return {"checks": [questions.about_notifications(ask, source, bucket, rule)]}

    def _bucket(self, stored: Stored, source: Connection) -> Bucket:
        return bucket_of(
            source,
            self._credentials(stored),
            region=self._clients.region,
            endpoint_url=self._clients.endpoint_url,
        )

    def _checks(self, stored: Stored, role_arn: str) -> "list[Check]":
        # Imported when it is asked for: no batch should wait for it at a cold start.
        from functions.adapters import verification  # noqa: PLC0415

        return verification.verify(
            stored.connection(),
            external_id=stored.external_id,
            role_pattern=self._settings.assume_role_pattern,
            role_arn=role_arn,
            sts=lambda: self._clients.get("sts"),
            credentials=lambda: self._credentials(stored),
            region=self._clients.region,
            endpoint_url=self._clients.endpoint_url,
            arrivals_arn=self._arrivals_arn,
        )

    def _credentials(self, stored: Stored) -> dict[str, Any]:
        credentials, _ = self._sessions.open(
            stored.name,
            stored.connection().credentials,
            external_id=stored.external_id,
            secret_arn=stored.secret_arn,
        )
        return credentials

    @property
    def _arrivals_arn(self) -> str:
        """The queue that buckets notify of files; only the function that it feeds knows it."""
        url = self._settings.arrivals_queue_url
        return queue_arn(url, region=self._clients.region) if url else ""


def _without_credentials(error: Permanent) -> Any:
    from functions.adapters.trials import Check  # noqa: PLC0415 - as above

    return Check(name="credentials", passed=False, text=error.text, code=error.code)
