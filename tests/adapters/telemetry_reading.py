"""What is told to operators, as it is told: metrics on standard output, log lines where the logger writes."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from functions.adapters import telemetry


def metrics_of(printed: str) -> list[dict[str, Any]]:
    """The events in CloudWatch's embedded metric format."""
    lines = [json.loads(line) for line in printed.splitlines()]
    return [line for line in lines if "_aws" in line]


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The log lines of the context, filled in when it ends."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(telemetry.logger.registered_formatter)
    lines: list[dict[str, Any]] = []
    logger = logging.getLogger(telemetry.logger.service)
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        lines += [json.loads(line) for line in stream.getvalue().splitlines()]
