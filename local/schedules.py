"""EventBridge rules that start functions by the clock.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

import json
import re
import uuid
from collections.abc import Iterable
from collections.abc import Mapping as Properties
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, Self

from local.function import Function
from local.sandbox import Outcome

_KNOWN = {"Description", "Name", "ScheduleExpression", "State", "Tags", "Targets"}
_KNOWN_OF_A_TARGET = {"Arn", "Id", "RetryPolicy"}
_RATE = re.compile(r"rate\((?P<number>[1-9]\d*) (?P<unit>minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class UnsupportedScheduleError(ValueError):
    """The template starts something in a way that is not driven here."""


def check_kinds(kinds: Iterable[str]) -> None:
    """Check the types of a template's resources.

    Raises:
        UnsupportedScheduleError: There is a schedule that is no rule: of EventBridge Scheduler.
    """
    if others := sorted(kind for kind in kinds if kind.startswith("AWS::Scheduler::")):
        raise UnsupportedScheduleError(f"not driven locally: {', '.join(others)}")


@dataclass(frozen=True, kw_only=True)
class ScheduleSettings:
    """What the template says about a rule that has a rate."""

    name: str
    seconds: float
    functions: tuple[str, ...]
    """The names of the functions that it starts."""
    enabled: bool = True

    @classmethod
    def read(cls, properties: Properties[str, Any]) -> Self:
        """The settings in the resolved properties of an AWS::Events::Rule.

        Raises:
            UnsupportedScheduleError: A property has a meaning that would be lost here.
        """
        targets = properties.get("Targets", [])
        unknown = properties.keys() - _KNOWN
        unknown |= {name for target in targets for name in target.keys() - _KNOWN_OF_A_TARGET}
        others = [target["Arn"] for target in targets if ":function:" not in target["Arn"]]
        stated = properties.get("ScheduleExpression", "no schedule")
        rate = _RATE.fullmatch(stated)
        if unknown or others or rate is None:
            raise UnsupportedScheduleError(
                f"not driven locally: {', '.join([*sorted(unknown), *others] or [stated])}"
            )
        return cls(
            name=properties["Name"],
            seconds=int(rate["number"]) * _SECONDS[rate["unit"]],
            functions=tuple(target["Arn"].rpartition(":")[2] for target in targets),
            enabled=properties.get("State", "ENABLED") == "ENABLED",
        )


class Schedule:
    """Starts functions: when it is told to (`fire`), or at its rate (`start`)."""

    def __init__(
        self, *, settings: ScheduleSettings, functions: tuple[Function, ...], region: str, account: str
    ) -> None:
        self.settings = settings
        self._functions = functions
        self._region, self._account = region, account
        self._stopping = Event()
        self._thread: Thread | None = None

    def fire(self, at: datetime) -> list[Outcome]:
        """Start each function once, one after the other, with the event of this time (in UTC)."""
        event = json.dumps(self._event(at)).encode()
        return [function.invoke(event) for function in self._functions]

    def start(self) -> None:
        """Fire when each period of the rate has passed; what one firing takes too long delays the next."""
        self._stopping.clear()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Fire no more; a function that runs is waited for."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    @property
    def running(self) -> bool:
        """Whether it fires by itself."""
        return self._thread is not None

    def _run(self) -> None:
        while not self._stopping.wait(self.settings.seconds):
            self.fire(datetime.now(UTC))

    def _event(self, at: datetime) -> dict[str, Any]:
        rule = f"arn:aws:events:{self._region}:{self._account}:rule/{self.settings.name}"
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._account,
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": [rule],
            "detail": {},
        }
