"""The embedded cloud: what a synthesised template declares, running in this process and its children."""

import os
import time
from collections.abc import Mapping as Variables
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local import transactions
from local.accounts import OURS, Accounts
from local.faults import Faults
from local.function import Function, FunctionSettings
from local.invocations import Invocations
from local.loopback import Loopback
from local.mappings import Delivery, Mapping, MappingSettings
from local.notification_rules import of_template
from local.notifications import Notifications
from local.sandbox import Outcome
from local.schedules import Schedule, ScheduleSettings, check_kinds
from local.serial import Serial
from local.template import FUNCTION, MAPPING, RULE, LocalTemplate, own_outputs
from local.trust import Trust

CODE = Path(__file__).parents[1]
"""Where the handlers' modules are found: the repository."""


_LOOKS = 2
"""A message may go from one queue to the next between two looks at them."""


class Cloud:
    """An AWS account, and others beside it, that holds the resources of a template and runs its functions.

    Used as a context manager; or `start`, and `stop` in the end. The account is moto's default, the state
    moto's own, which is one for the process: clouds that live in it together need different names.

    Attributes:
        endpoint_url: Every service of AWS that is there, Lambda's Invoke among them.
        environment: What another process needs in its environment to be a client.
        outputs: The stack's outputs.
        logs: The folder that has a log of each function.
        functions: The template's functions by name.
        mappings: Its event source mappings. They poll by themselves when `polling` is asked for.
        schedules: Its rules with a rate. They fire by themselves when `polling` is asked for.
    """

    def __init__(
        self,
        template: Variables[str, Any],
        *,
        name: str = "sluice",
        region: str | None = None,
        polling: bool = False,
        workers: int | None = None,
        faults: Faults | None = None,
        logs: Path | None = None,
    ) -> None:
        """What to run, and how.

        Args:
            template: A CloudFormation template, as the CDK gives it.
            name: The stack's name.
            region: AWS_REGION where not given, else us-east-1.
            polling: Whether messages flow and schedules fire by themselves; else `poll_once`, `settle` and `tick`
                make them.
            workers: The most invocations that a mapping has at a time; the number of processors if not given.
            faults: What stands between the functions and AWS.
            logs: The folder for a log of each function; gone with the cloud if not given.
        """
        self.region = region or os.environ.get("AWS_REGION", "us-east-1")
        self.functions: dict[str, Function] = {}
        self.mappings: list[Mapping] = []
        self.schedules: list[Schedule] = []
        self.outputs: dict[str, str] = {}
        self.name = name
        self._template = template
        self._polling, self._workers = polling, workers or os.cpu_count() or 1
        self._faults, self._folder = faults, logs
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Create the stack, read its functions, mappings and schedules, and let them run.

        Raises:
            StackError: The stack could not be created.
            UnsupportedMappingError: The template has an event source mapping that cannot be driven here.
            UnsupportedScheduleError: It has a rule or a schedule that cannot.
        """
        with ExitStack() as unwinding:
            unwinding.callback(self.stop)
            self._start()
            unwinding.pop_all()
        return self

    def _start(self) -> None:
        check_kinds(resource["Type"] for resource in self._template["Resources"].values())
        self.logs = self._folder or Path(self._resources.enter_context(TemporaryDirectory(prefix="sluice-")))
        transactions.install()
        aws = Notifications(Serial(DomainDispatcherApplication(create_backend_app), service="dynamodb"))
        public = Invocations(Trust(aws), self.functions)
        self._accounts = Accounts(endpoint_url=self._serve(aws), region=self.region)
        self.endpoint_url = self._serve(public)
        inside = self._serve(self._faults.around(public)) if self._faults else self.endpoint_url
        template = LocalTemplate.read(self._template, stack=self.name)
        outputs = self._created(template, name=self.name, account=OURS, parameters={})
        self.outputs = own_outputs(outputs)
        for properties in template.resolved(outputs, FUNCTION):
            self._add_function(properties, endpoint_url=inside)
        for properties in template.resolved(outputs, MAPPING):
            self._add_mapping(properties)
        for properties in template.resolved(outputs, RULE):
            self._add_schedule(properties)

    def stop(self) -> None:
        """End mappings, schedules, functions and servers. What is in hand is finished."""
        self._resources.close()

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of a client of this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def client(self, service: str, *, account: str = OURS) -> Any:
        """A boto3 client of an account's administrator."""
        return self._accounts.client(service, account)

    def create_stack(
        self,
        template: Variables[str, Any],
        *,
        name: str,
        account: str,
        parameters: Variables[str, str] | None = None,
    ) -> dict[str, str]:
        """Create a further stack, a customer's, and give its outputs; functions in it do not run.

        Raises:
            StackError: Its resources were not all created.
        """
        local = LocalTemplate.read(template, stack=name)
        return own_outputs(self._created(local, name=name, account=account, parameters=parameters or {}))

    def poll_once(self) -> list[Delivery]:
        """One batch of every mapping that has messages now; for clouds whose mappings do not poll."""
        deliveries = [mapping.poll_once() for mapping in self.mappings]
        return [delivery for delivery in deliveries if delivery]

    def mapping_of(self, function: str) -> Mapping:
        """The mapping that feeds the function of this name."""
        return next(mapping for mapping in self.mappings if mapping.function.settings.name == function)

    def tick(self, at: datetime | None = None) -> list[Outcome]:
        """Fire every schedule once, as if it were due at this time in UTC (now, if not given)."""
        time_due = at or datetime.now(UTC)
        enabled = [schedule for schedule in self.schedules if schedule.settings.enabled]
        return [outcome for schedule in enabled for outcome in schedule.fire(time_due)]

    def settle(self, seconds: float = 30) -> None:
        """Wait, and poll where nobody else does, until the queues of all mappings are empty.

        Raises:
            TimeoutError: There are messages still; the text counts them.
        """
        deadline = time.monotonic() + seconds
        empty = 0
        while empty < _LOOKS:
            if not self._polling:
                self.poll_once()
            left = {mapping.settings.queue_arn: mapping.waiting() for mapping in self.mappings}
            empty = 0 if any(sum(counts.values()) for counts in left.values()) else empty + 1
            if empty == 0:
                if time.monotonic() >= deadline:
                    raise TimeoutError(f"messages are left after {seconds} s: {left}")
                time.sleep(0.05)

    def _created(
        self, template: LocalTemplate, *, name: str, account: str, parameters: Variables[str, str]
    ) -> dict[str, str]:
        """The outputs of a new stack, whose buckets notify as they are told to; no queue is told of a test."""
        outputs = self._accounts.create_stack(template, name=name, account=account, parameters=parameters)
        for bucket, stated in template.notifications(outputs).items():
            self.client("s3", account=account).put_bucket_notification_configuration(
                Bucket=bucket, NotificationConfiguration=of_template(stated), SkipDestinationValidation=True
            )
        return outputs

    def _serve(self, application: Any) -> str:
        return self._resources.enter_context(Loopback(application)).url

    def _add_function(self, properties: Variables[str, Any], *, endpoint_url: str) -> None:
        name = properties["FunctionName"]
        settings = FunctionSettings(
            name=name,
            arn=f"arn:aws:lambda:{self.region}:{OURS}:function:{name}",
            handler=properties["Handler"],
            runtime=properties["Runtime"],
            timeout=properties.get("Timeout", 3),
            memory_mb=properties.get("MemorySize", 128),
            variables={
                **properties.get("Environment", {}).get("Variables", {}),
                **self._accounts.credentials(properties["Role"]),
                "AWS_REGION": self.region,
                "AWS_DEFAULT_REGION": self.region,
                "AWS_ENDPOINT_URL": endpoint_url,
            },
            code=CODE,
            log=self.logs / f"{name}.log",
        )
        self.functions[name] = Function(settings)
        self._resources.callback(self.functions[name].close)

    def _add_mapping(self, properties: Variables[str, Any]) -> None:
        function = self.functions[properties["FunctionName"].rpartition(":")[2]]
        mapping = Mapping(
            settings=MappingSettings.read(properties),
            function=function,
            sqs=self.client("sqs"),
            workers=self._workers,
        )
        self.mappings.append(mapping)
        if self._polling and properties.get("Enabled", True):
            mapping.start()
            self._resources.callback(mapping.stop)

    def _add_schedule(self, properties: Variables[str, Any]) -> None:
        settings = ScheduleSettings.read(properties)
        functions = tuple(self.functions[name] for name in settings.functions)
        schedule = Schedule(settings=settings, functions=functions, region=self.region, account=OURS)
        self.schedules.append(schedule)
        if self._polling and settings.enabled:
            schedule.start()
            self._resources.callback(schedule.stop)
