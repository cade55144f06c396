"""The services of AWS that are asked now and then, on one port of loopback; nginx stands before it.

    python -m bench.services --port PORT --folder FOLDER

DynamoDB (`bench/tables.py`), a queue of SQS, roles' sessions of STS, and what nginx cannot do of S3
(`bench/object_calls.py`). Signatures are not looked at. Whoever is measured pays for its own side of each request.
"""

import argparse
import hashlib
from collections import defaultdict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bench.object_calls import Objects
from bench.tables import RefusedError, Tables

_JSON = "application/x-amz-json-1.0"
_XML = "application/xml"
_SESSION = """\
<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAEXAMPLEEXAMPLE01</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>
<SessionToken>{token}</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class Queues:
    """Queues of SQS, by their URLs; what is received is gone."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, deque[str]] = defaultdict(deque)

    def answer(self, operation: str, request: Any) -> Any:
        """What SQS answers."""
        waiting = self._waiting[request["QueueUrl"]]
        if operation == "SendMessageBatch":
            waiting.extend(entry["MessageBody"] for entry in request["Entries"])
            return {"Successful": [_sent(entry) for entry in request["Entries"]], "Failed": []}
        if operation == "ReceiveMessage" and waiting:
            return {"Messages": [_received(waiting.popleft())]}
        return {}


def _sent(entry: Any) -> Any:
    return {"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": _md5(entry["MessageBody"])}


def _received(body: str) -> Any:
    return {"MessageId": "m", "ReceiptHandle": "r", "Body": body, "MD5OfBody": _md5(body)}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Services(ThreadingHTTPServer):
    """All of them, over objects in a folder."""

    daemon_threads = True

    def __init__(self, port: int, folder: Path) -> None:
        self.tables = Tables()
        self.queues = Queues()
        self.objects = Objects(folder / "objects", folder / "pieces")
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Services

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        if service == "DynamoDB_20120810":
            self._of_tables(operation, body)
        elif service == "AmazonSQS":
            answer = self.server.queues.answer(operation, msgspec.json.decode(body))
            self._send(200, _JSON, msgspec.json.encode(answer))
        elif b"Action=AssumeRole" in body:
            session = _SESSION.format(secret="example-" * 5, token="example/" * 80)
            self._send(200, "text/xml", session.encode())
        else:
            self._of_objects(body)

    def _of_tables(self, operation: str, body: bytes) -> None:
        try:
            answer = self.server.tables.answer(operation, msgspec.json.decode(body))
        except RefusedError as error:
            self._send(400, _JSON, msgspec.json.encode(error.body))
        else:
            self._send(200, _JSON, msgspec.json.encode(answer))

    def _of_objects(self, body: bytes = b"") -> None:
        asked = urlsplit(self.path)
        status, text = self.server.objects.answer(self.command, asked.path, asked.query, body)
        self._send(status, _XML, text.encode())

    do_GET = do_HEAD = do_DELETE = _of_objects  # noqa: N815 - http.server's names

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Requests are not noted."""


def main() -> None:
    """Serve until the process is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    Services(given.port, given.folder).serve_forever()


if __name__ == "__main__":
    main()
