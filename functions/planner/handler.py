"""`planner`: every minute, what nobody sent a message for."""

import os
import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.adapters import telemetry, wiring
from functions.adapters.reporting import ANSWER_SECONDS
from functions.core.settings import Settings
from functions.planner.imports import ImportPlanner
from functions.planner.plan import Planner

settings = Settings.from_environment(os.environ)
ports = wiring.Ports(settings, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
planner = Planner(runs=ports.runs, intakes=ports.intakes, seals=ports.seals)
imports = ImportPlanner(
    discoveries=ports.discoveries, files=ports.files, scans=ports.scans, tasks=ports.import_tasks
)


def handler(_: dict[str, Any], context: LambdaContext) -> None:
    """One look at everything that is unfinished; neither runs nor files keep the others waiting."""
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS
    end = time.monotonic() + seconds
    try:
        runs = planner.plan(seconds=seconds / 2)
        telemetry.gauge(unfinished_runs=runs.unfinished, oldest_open_run_seconds=runs.oldest_seconds)
    finally:
        files = imports.plan(seconds=end - time.monotonic())
        telemetry.gauge(waiting_files=files.waiting, oldest_waiting_file_seconds=files.oldest_seconds)
