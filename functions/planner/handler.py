"""`planner`: every minute, what nobody sent a message for."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.adapters import telemetry, wiring
from functions.adapters.reporting import ANSWER_SECONDS
from functions.core.settings import Settings
from functions.planner.plan import Planner

settings = Settings.from_environment(os.environ)
ports = wiring.Ports(settings, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
planner = Planner(runs=ports.runs, intakes=ports.intakes, seals=ports.seals)


def handler(_: dict[str, Any], context: LambdaContext) -> None:
    """One look at everything that is unfinished."""
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS
    seen = planner.plan(seconds=seconds)
    telemetry.gauge(unfinished_runs=seen.unfinished, oldest_open_run_seconds=seen.oldest_seconds)
