"""One call at a time, where the emulator behind it is not made for two.

moto does a transaction of DynamoDB step by step and, where a condition does not hold, puts back the table as it was
before: what other threads had written meanwhile would be lost.
"""

from collections.abc import Iterable
from threading import Lock
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Serial:
    """Lets the calls of one service through one after the other, and those of all others as they come."""

    def __init__(self, application: WSGIApplication, *, service: str) -> None:
        self._application = application
        self._scope = f"/{service}/"
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, when it is this call's turn."""
        if self._scope not in environ.get("HTTP_AUTHORIZATION", ""):
            return self._application(environ, start_response)
        with self._lock:
            return self._application(environ, start_response)
