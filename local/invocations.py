"""The Invoke call of Lambda's API, on the same endpoint as everything else.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from local.function import Function

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
PAYLOAD_BYTES = 6 * 1024 * 1024


class Invocations:
    """Invokes functions by name or ARN, waits for the answer (RequestResponse); the rest goes on to moto."""

    def __init__(self, application: WSGIApplication, functions: Mapping[str, Function]) -> None:
        self._application = application
        self._functions = functions

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer an Invoke; pass on what is none."""
        found = _PATH.fullmatch(environ["PATH_INFO"])
        if found is None:
            return self._application(environ, start_response)
        name = unquote(found[1]).rpartition("function:")[2].partition(":")[0]
        return self._invoke(name, Request(environ))(environ, start_response)

    def _invoke(self, name: str, request: Request) -> Response:
        payload = request.get_data() or b"{}"
        if name not in self._functions:
            return _fault(404, "ResourceNotFoundException", f"Function not found: {name}")
        if request.headers.get("X-Amz-Invocation-Type", "RequestResponse") != "RequestResponse":
            return _fault(400, "InvalidParameterValueException", "only RequestResponse is emulated")
        if len(payload) > PAYLOAD_BYTES:
            return _fault(413, "RequestTooLargeException", f"more than {PAYLOAD_BYTES} bytes")
        outcome = self._functions[name].invoke(payload)
        answer = Response(outcome.payload, 200, content_type="application/json")
        answer.headers["x-amzn-RequestId"] = outcome.request_id
        answer.headers["X-Amz-Executed-Version"] = "$LATEST"
        if outcome.failed:
            answer.headers["X-Amz-Function-Error"] = "Unhandled"
        return answer


def _fault(status: int, code: str, message: str) -> Response:
    answer = Response(f'{{"message": "{message}"}}', status, content_type="application/json")
    answer.headers["x-amzn-ErrorType"] = code
    return answer
