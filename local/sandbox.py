"""One execution environment of a Lambda function: a process that runs the real runtime client, and its API.

`python -m awslambdaric` asks the Runtime API for one event at a time and posts what the handler made of it:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

INIT_SECONDS = 10.0
"""Lambda's own bound on what a module does at import."""
_WATCH_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What Lambda answers to one invocation."""

    request_id: str
    payload: bytes
    """The handler's answer as JSON, or an object with `errorType` and `errorMessage`."""
    failed: bool = False
    """Whether the function raised, died or took too long (`X-Amz-Function-Error`)."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One event on its way into a sandbox."""

    request_id: str
    payload: bytes
    function_arn: str
    timeout: float
    """Seconds that the handler has, once the sandbox is initialised."""


class _LostError(Exception):
    """The process can take no further event; the arguments are Lambda's error type and message."""


class Sandbox:
    """A process that handles one event at a time until it dies, hangs or is closed.

    Memory is watched, not limited: a process whose resident peak passes `memory_mb` is killed within 20 ms.
    An address-space limit would count what threads merely reserve. Where there is no /proc, nobody watches.
    """

    def __init__(
        self, *, handler: str, environment: Mapping[str, str], directory: Path, memory_mb: int, log: Path
    ) -> None:
        self._api = _RuntimeApi()
        self._memory_mb = memory_mb
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 # the handler is the template's
                [sys.executable, "-m", "awslambdaric", handler],
                cwd=directory,
                env={**environment, "_HANDLER": handler, "AWS_LAMBDA_RUNTIME_API": self._api.address},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,  # an interrupt at the terminal must not end a batch in hand
            )

    @property
    def alive(self) -> bool:
        """Whether the process can be given another event."""
        return self._process.poll() is None

    def invoke(self, invocation: Invocation) -> Outcome:
        """Handle one event; a sandbox that is lost by it is closed."""
        try:
            return self._handle(invocation)
        except _LostError as lost:
            self.close()
            error_type, message = lost.args
            error = {"errorType": error_type, "errorMessage": f"RequestId: {invocation.request_id} {message}"}
            return Outcome(request_id=invocation.request_id, payload=json.dumps(error).encode(), failed=True)

    def _handle(self, invocation: Invocation) -> Outcome:
        ready, body = self._await(INIT_SECONDS, "Error: Initialization timed out")
        if ready != "next":
            self.close()
            return Outcome(request_id=invocation.request_id, payload=body, failed=True)
        self._api.events.put(invocation)
        overdue = f"Error: Task timed out after {invocation.timeout:.2f} seconds"
        posted, body = self._await(invocation.timeout, overdue)
        return Outcome(request_id=invocation.request_id, payload=body, failed=posted != "response")

    def _await(self, seconds: float, overdue: str) -> tuple[str, bytes]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            died = self._process.poll()  # asked first: what a process posted, it posted before it died
            try:
                return self._api.posts.get(timeout=_WATCH_SECONDS)
            except Empty:
                self._judge(died)
        raise _LostError("Sandbox.Timedout", overdue)

    def _judge(self, died: int | None) -> None:
        if died is not None:
            ending = "signal: killed" if died < 0 else f"exit status {died}"
            raise _LostError("Runtime.ExitError", f"Error: Runtime exited with error: {ending}")
        if self.peak_memory_mb() > self._memory_mb:
            raise _LostError("Runtime.OutOfMemory", "Error: Runtime exited with error: signal: killed")

    def peak_memory_mb(self) -> float:
        """The process's resident peak; 0 where the system has no /proc, or the process is gone."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0.0
        peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(peak.split()[1]) / 1024

    def kill(self) -> None:
        """End the process as a failing host does: SIGKILL, wherever it is."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process and free its port."""
        self._process.kill()
        self._process.wait()
        self._api.close()


class _RuntimeApi(ThreadingHTTPServer):
    """What the process talks to: it takes from `events`; what it says is in `posts` as (what, body)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeRequest)
        self.address = f"127.0.0.1:{self.server_port}"
        self.events: SimpleQueue[Invocation | None] = SimpleQueue()
        self.posts: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that a killed process leaves; the sandbox has said it."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        self.events.put(None)
        self.shutdown()
        self._thread.join()
        self.server_close()


class _RuntimeRequest(BaseHTTPRequestHandler):
    server: _RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: 40 ms an event with it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
        """Print nothing; the function's log holds what it printed."""

    def do_GET(self) -> None:
        self.server.posts.put(("next", b""))
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        trace = event.request_id.replace("-", "")
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + event.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{trace[:8]}-{trace[8:]};Parent={trace[:16]};Sampled=0",
        }
        self._answer(200, event.payload, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        what = "init-error" if self.path.endswith("/init/error") else self.path.rpartition("/")[2]
        self.server.posts.put((what, body))
        self._answer(202, b"", {})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
