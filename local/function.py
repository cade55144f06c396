"""A Lambda function of the template: its settings, and as many sandboxes as run at once."""

import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from local.sandbox import Invocation, Outcome, Sandbox


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """What the template says about a function, and where its code lies and its log goes."""

    name: str
    arn: str
    handler: str
    runtime: str
    timeout: float
    memory_mb: int
    variables: Mapping[str, str]
    """The template's variables with the credentials, region and endpoint that Lambda would add."""
    code: Path
    log: Path

    def environment(self) -> dict[str, str]:
        """The whole environment of the function's process: nothing of ours leaks into it."""
        return {
            **self.variables,
            "PATH": os.environ.get("PATH", ""),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(self.code),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.runtime}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"[$LATEST]{self.log.stem}",
        }


class Function:
    """A function that can be invoked from several threads; each invocation has a sandbox to itself."""

    def __init__(self, settings: FunctionSettings) -> None:
        self.settings = settings
        self._lock = Lock()
        self._idle: list[Sandbox] = []
        self._busy: list[Sandbox] = []

    def invoke(self, payload: bytes) -> Outcome:
        """Handle one event (JSON), in a warm sandbox where there is one."""
        invocation = Invocation(
            request_id=str(uuid.uuid4()),
            payload=payload,
            function_arn=self.settings.arn,
            timeout=self.settings.timeout,
        )
        sandbox = self._take()
        started = time.monotonic()
        try:
            outcome = sandbox.invoke(invocation)
            self._report(outcome, time.monotonic() - started, sandbox.peak_memory_mb())
            return outcome
        finally:
            self._give_back(sandbox)

    def kill(self) -> None:
        """Kill every process that is handling an event now."""
        with self._lock:
            for sandbox in self._busy:
                sandbox.kill()

    def close(self) -> None:
        """End all processes; those that handle an event are killed."""
        with self._lock:
            sandboxes, self._idle, self._busy = self._idle + self._busy, [], []
        for sandbox in sandboxes:
            sandbox.close()

    def _take(self) -> Sandbox:
        with self._lock:
            while self._idle and not self._idle[-1].alive:
                self._idle.pop().close()
            sandbox = self._idle.pop() if self._idle else self._new_sandbox()
            self._busy.append(sandbox)
            return sandbox

    def _give_back(self, sandbox: Sandbox) -> None:
        with self._lock:
            if sandbox in self._busy:
                self._busy.remove(sandbox)
                if sandbox.alive:
                    self._idle.append(sandbox)

    def _new_sandbox(self) -> Sandbox:
        settings = self.settings
        return Sandbox(
            handler=settings.handler,
            environment=settings.environment(),
            directory=settings.code,
            memory_mb=settings.memory_mb,
            log=settings.log,
        )

    def _report(self, outcome: Outcome, seconds: float, peak_mb: float) -> None:
        ending = f"\tStatus: failed: {outcome.payload.decode(errors='replace')}" if outcome.failed else ""
        line = (
            f"REPORT RequestId: {outcome.request_id}\tDuration: {seconds * 1000:.2f} ms"
            f"\tMemory Size: {self.settings.memory_mb} MB\tMax Memory Used: {peak_mb:.0f} MB{ending}\n"
        )
        with self.settings.log.open("a") as log:
            log.write(line)
