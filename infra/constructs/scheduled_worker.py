"""A function that is started by the clock."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.constructs.findings import acknowledge
from infra.constructs.worker import Room, Site, Worker
from infra.permissions import Permission

_THE_NEXT_ONE = "What one invocation does not do, the next one finds undone"


class ScheduledWorker(Worker):
    """A worker with the rule that starts it; an invocation that fails or comes late is left to the next.

    Args:
        scope: As `Worker`.
        id: As `Worker`.
        every: How often it is started.
        module: As `Worker`.
        site: As `Worker`.
        room: As `Worker`.
        settings: As `Worker`.
        permitted: As `Worker`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 CDK's own name for it
        *,
        every: Duration,
        module: str,
        site: Site,
        room: Room,
        settings: Mapping[str, str | int],
        permitted: Sequence[Permission],
    ) -> None:
        super().__init__(
            scope, id, module=module, site=site, room=room, settings=settings, permitted=permitted
        )
        # Two may repeat an invocation: EventBridge one that Lambda did not take, Lambda one that failed.
        self.function.configure_async_invoke(retry_attempts=0, max_event_age=every)
        self.rule = events.Rule(
            self,
            "Rule",
            description=f"Sluice: starts {module}",
            schedule=events.Schedule.rate(every),
            targets=[targets.LambdaFunction(self.function, retry_attempts=0, max_event_age=every)],
        )
        acknowledge(
            self.function,
            {
                "Serverless-LambdaDLQ": _THE_NEXT_ONE,
                "Serverless-LambdaAsyncFailureDestination": _THE_NEXT_ONE,
            },
        )
        acknowledge(self.rule, {"Serverless-EventBusDLQ": _THE_NEXT_ONE})
