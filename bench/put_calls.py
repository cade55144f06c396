"""What an object costs in each way of putting it: the numbers of docs/decisions/threads.md.

python -m bench.put_calls [--quick]
"""

from collections.abc import Sequence
from statistics import median

import msgspec

from bench import deployment, endpoint, messages, processes, reports
from bench.endpoint import Endpoint
from bench.reports import Claim, Report, Table
from bench.usage import Usage
from bench.ways import AHEAD, AT_ONCE, WARM_UP

ASYNCHRONOUS = 1.5
EACH = 1.1

_INTRODUCTION = f"""\
Objects of less than 1 KB with ten names of metadata, put to nginx on loopback over plain HTTP; microseconds of
processor time of the whole process an object, the median of rounds in fresh processes, all ways in turn. *Threads*
and *loop* have {AT_ONCE} requests on their way. The last two also compute of each message what `message_writer`
does: on the thread that puts it, or for {AHEAD} messages at a time on one thread."""

_WAYS = {
    "boto3-in-turn": ("boto3 `put_object`, one at a time", 1000),
    "boto3-threads": ("boto3 `put_object`, threads", 1000),
    "obstore-in-turn": ("`obstore.put`, one at a time", 5000),
    "obstore-8-threads": ("`obstore.put`, 8 threads", 5000),
    "obstore-threads": ("`obstore.put`, threads", 5000),
    "obstore-loop": ("`obstore.put_async`, loop", 5000),
    "computing-each": ("`obstore.put`, threads that each compute", 5000),
    "computing-ahead": ("`obstore.put`, threads, computed ahead", 5000),
}


class WayError(Exception):
    """A way did not put every object."""


def benchmark(quick: bool) -> Report:  # noqa: FBT001 - the only thing that a command line says
    """Every way, several times."""
    found: dict[str, list[Usage]] = {way: [] for way in _WAYS}
    rounds = 2 if quick else 9
    with endpoint.running() as place:
        for number in range(rounds):
            reports.progress(f"ways of putting, round {number + 1} of {rounds}")
            for way, (_, count) in _WAYS.items():
                found[way].append(_used_by(way, place, count))
    return Report(
        title="Ways of putting an object",
        command="python -m bench.put_calls",
        sections=[_INTRODUCTION, _table(found)],
        claims=[
            Claim(
                what="`put_async` over `put` on threads, processor time",
                measured=_ratio(found["obstore-loop"], found["obstore-threads"]),
                bound=ASYNCHRONOUS,
            ),
            Claim(
                what="computing each over computing ahead, processor time",
                measured=_ratio(found["computing-each"], found["computing-ahead"]),
                bound=EACH,
            ),
        ],
    )


def _used_by(way: str, place: Endpoint, count: int) -> Usage:
    result = place.folder / "usage.json"
    environment = deployment.environment(place.url, byte_code=place.folder / "byte_code", peer_checksum="")
    load = ["--count", str(count), "--result", str(result)]
    processes.python("-m", "bench.ways", way, *load, environment=environment, log=place.folder / "way.log")
    written = len(place.take_objects(messages.BUCKET))
    if written != WARM_UP + count:
        raise WayError(f"{way} put {written} objects, not {WARM_UP + count}")
    return msgspec.json.decode(result.read_bytes(), type=Usage)


def _table(found: dict[str, list[Usage]]) -> Table:
    return Table(
        columns=["way", "µs an object", "objects per second"],
        rows=[
            [
                _WAYS[way][0],
                f"{median(1e6 / each.per_cpu_second for each in rounds):.0f}",
                f"{median(each.per_second for each in rounds):,.0f}",
            ]
            for way, rounds in found.items()
        ],
    )


def _ratio(slow: Sequence[Usage], fast: Sequence[Usage]) -> float:
    """How many times the processor time of `fast` the other takes."""
    pairs = zip(slow, fast, strict=True)
    return median(fast.per_cpu_second / slow.per_cpu_second for slow, fast in pairs)


if __name__ == "__main__":
    reports.run(benchmark)
