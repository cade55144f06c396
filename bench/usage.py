"""What a process has used so far."""

import resource
import time
from pathlib import Path
from typing import Self

import msgspec


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


class Spent(msgspec.Struct, frozen=True):
    """Seconds of the processors and of the clock; differences of two mean something."""

    cpu: float
    wall: float

    @classmethod
    def by_process(cls) -> Self:
        """All threads of this process, those that have ended too."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(used.ru_utime + used.ru_stime, time.perf_counter())

    @classmethod
    def by_thread(cls) -> Self:
        """This thread alone."""
        return cls(time.thread_time(), time.perf_counter())

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu - other.cpu, self.wall - other.wall)

    def on(self, objects: int) -> Usage:
        """This, spent on so many objects."""
        return Usage(objects=objects, cpu_seconds=self.cpu, wall_seconds=self.wall, peak_bytes=_peak_bytes())


def _peak_bytes() -> int:
    # getrusage would say no less than what the process that started this one had.
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
