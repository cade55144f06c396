"""Faults at chosen calls: the functions' way to AWS, with a hand on the wire.

A kill point is a call and a side of it: *before*, and AWS never sees it; *after*, and AWS has done it but the
function never learns. Every call is recorded, for those who judge permissions.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Literal
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wrappers import Response

from local.calls import Call
from local.function import Function

Effect = Callable[[Call], Response | None]
"""What happens at a fault: an answer in AWS's place, or None and the call goes its way."""


@dataclass(frozen=True, kw_only=True, eq=False)  # two alike are two faults
class Fault:
    """An effect on the nth call that matches, and on the `times - 1` matching calls after it."""

    on: Callable[[Call], bool]
    effect: Effect
    when: Literal["before", "after"] = "before"
    nth: int = 1
    times: int = 1


class Faults:
    """The faults to come and the calls so far; `around` puts it before an application."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[Fault, int] = {}
        self.calls: list[Call] = []

    def inject(self, *faults: Fault) -> None:
        """Have these happen, each counted from now on."""
        with self._lock:
            self._seen |= dict.fromkeys(faults, 0)

    def clear(self) -> None:
        """Forget all faults and all calls."""
        with self._lock:
            self._seen, self.calls = {}, []

    @property
    def pending(self) -> list[Fault]:
        """The faults that have not (all their times) happened: a kill point that was never reached."""
        with self._lock:
            return [fault for fault, seen in self._seen.items() if seen < fault.nth + fault.times - 1]

    def around(self, application: WSGIApplication) -> WSGIApplication:
        """The application with this in front of it."""

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            call = Call.read(environ)
            due = self._due(call)
            answer = _first_answer(call, due, "before")
            if answer is None and any(fault.when == "after" for fault in due):
                done = Response.from_app(application, environ, buffered=True)
                answer = _first_answer(call, due, "after") or done
            return (answer or application)(environ, start_response)

        return guarded

    def _due(self, call: Call) -> list[Fault]:
        with self._lock:
            self.calls.append(call)
            matching = [fault for fault in self._seen if fault.on(call)]
            for fault in matching:
                self._seen[fault] += 1
            return [fault for fault in matching if 0 <= self._seen[fault] - fault.nth < fault.times]


def _first_answer(call: Call, due: Iterable[Fault], when: str) -> Response | None:
    answers = (fault.effect(call) for fault in due if fault.when == when)
    return next((answer for answer in answers if answer is not None), None)


def calls_of(action: str, resource: str = "") -> Callable[[Call], bool]:
    """Matches the calls of one action on resources whose name begins so: `PutObject`, `bucket/prefix`."""
    return lambda call: call.action == action and call.resource.startswith(resource)


def refuse(status: int, code: str) -> Effect:
    """Answer with an error of AWS: 503 `SlowDown`, 412 `PreconditionFailed`."""
    return lambda call: call.refusal(status, code)


def delay(seconds: float) -> Effect:
    """Let the call, or its answer, take longer."""
    return lambda _: time.sleep(seconds)


def hang_up() -> Effect:
    """Close the connection without an answer."""

    def effect(_: Call) -> None:
        raise ConnectionAbortedError

    return effect


def kill(function: Function) -> Effect:
    """SIGKILL the processes of a function that handle an event; nobody is left to be answered."""

    def effect(call: Call) -> None:
        function.kill()
        hang_up()(call)

    return effect
