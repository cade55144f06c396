"""An S3 endpoint on loopback that answers as a test says, and remembers what it was asked."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request; header names are in small letters."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        """The key of the object, after the bucket's name."""
        return unquote(self.path, errors="strict").split("/", 2)[2]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; what S3 always says is said where a test does not say otherwise."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, code: str, message: str = "no") -> Answer:
    """An answer that says what is wrong as S3 does."""
    text = f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status=status, body=text.encode(), headers={"Content-Type": "application/xml"})


class StubS3:
    """The server; within its context it listens at `url`."""

    def __init__(self, answer: Callable[[Asked], Answer] = lambda _: Answer()) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _respond(self) -> None:
                parts = urlsplit(self.path)
                asked = Asked(
                    method=self.command,
                    path=parts.path,
                    query=parts.query,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
                )
                stub.asked.append(asked)
                answer = stub.answer(asked)
                self.send_response(answer.status)
                always = {
                    "ETag": '"0"',
                    "Last-Modified": "Tue, 14 Oct 2025 02:58:59 GMT",
                    "Content-Length": str(len(answer.body)),
                }
                for name, value in (always | answer.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _respond  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Keep quiet."""

        return Handler
