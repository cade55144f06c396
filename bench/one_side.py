"""One handler, in a process of its own: what a load costs it.

    python -m bench.one_side MODULE --count 1000 --size 10 --result FILE

All threads of the process are measured, from after a first batch until the load is done. Making the events is
not counted: in AWS they come as they are.
"""

import argparse
import importlib
import resource
import time
from pathlib import Path
from typing import Any, Self

import msgspec

from bench import messages

WARM_UP = 64
"""Messages before the measurement, more than a handler writes at a time: they open its connections."""

_LAMBDAS_LONGEST_MS = 900_000


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a load took: seconds of all processors, seconds of the clock, the most memory at any time."""

    objects: int
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int

    @property
    def per_cpu_second(self) -> float:
        """Objects per second of processor time."""
        return self.objects / self.cpu_seconds

    @property
    def per_second(self) -> float:
        """Objects per second of the clock."""
        return self.objects / self.wall_seconds


class WrongAnswerError(Exception):
    """A handler did not say that all messages of a batch are done."""


def measure(module: str, *, count: int, size: int) -> Usage:
    """The load, handled.

    Raises:
        WrongAnswerError: Not all of it was.
    """
    handler = importlib.import_module(module).handler
    for event in messages.batches(count=WARM_UP, size=WARM_UP):
        _invoke(handler, event)
    begin, making = _Spent.of_process(), _Spent(0, 0)
    load = messages.batches(first=WARM_UP, count=count, size=size)
    while True:
        asked = _Spent.of_thread()
        event = next(load, {})
        making += _Spent.of_thread() - asked
        if not event:
            break
        _invoke(handler, event)
    spent = _Spent.of_process() - begin - making
    return Usage(
        objects=count, cpu_seconds=spent.cpu, wall_seconds=spent.wall, peak_bytes=_peak_bytes()
    )


class _Context:
    """As much of Lambda's context as a handler of batches looks at."""

    def get_remaining_time_in_millis(self) -> int:
        return _LAMBDAS_LONGEST_MS


class _Spent(msgspec.Struct, frozen=True):
    """Seconds of the processors and of the clock."""

    cpu: float
    wall: float

    @classmethod
    def of_process(cls) -> Self:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(used.ru_utime + used.ru_stime, time.perf_counter())

    @classmethod
    def of_thread(cls) -> Self:
        return cls(time.thread_time(), time.perf_counter())

    def __add__(self, other: Self) -> "_Spent":
        return _Spent(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: Self) -> "_Spent":
        return _Spent(self.cpu - other.cpu, self.wall - other.wall)


def _invoke(handler: Any, event: dict[str, Any]) -> None:
    answer = handler(event, _Context())
    if answer != {"batchItemFailures": []}:
        raise WrongAnswerError(f"{handler.__module__}: {answer}")


def _peak_bytes() -> int:
    # getrusage would say no less than what the process that started this one had.
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Measure, and write the result to a file: what a handler prints is for logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    given.result.write_bytes(msgspec.json.encode(measure(given.module, count=given.count, size=given.size)))


if __name__ == "__main__":
    main()
