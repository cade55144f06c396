"""The claim of `message_writer`, side by side with the handler that everyone writes first.

    python -m bench.message_writer [--quick]

Exits with 1 if a claim is not met, with 2 without nginx.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

import msgspec

from bench import deployment, endpoint, messages, reports
from bench.endpoint import Endpoint
from bench.reports import Claim, Report, Table
from bench.sides import OURS, PEER, PEER_BY_DEFAULT, Side, SideError, import_seconds, used_by
from bench.usage import Usage

OBJECTS_PER_CPU_SECOND = 5.0
OBJECTS_PER_SECOND = 8.0
IMPORT = 1.3
MEMORY = 1.1

_INTRODUCTION = f"""\
One SQS message of {messages.MESSAGE_BYTES} bytes becomes one S3 object. *Peer* is `bench/peer.py`: Powertools'
`BatchProcessor` and boto3's `put_object`, one at a time, with a client that lives as long as the process. *Ours* is
the handler that is deployed, with a definition in DynamoDB and a role's session from STS. Both write the same
objects: key template, body, metadata, content type and SHA-256 checksum are compared before anything is measured.

S3 is nginx on loopback, over plain HTTP, so neither pays for TLS. Latency is added to each request's answer, by a
process of its own; boto3 sends a body only after `100 Continue`, which is not delayed here and would be on a longer
wire. Each figure is the median of rounds in fresh processes, peer and ours in turn, each after a first batch that
opens connections; each ratio is the median of the rounds' ratios. Processor time is that of the whole process, with
all its threads. Every run's objects are counted, and one is compared byte for byte."""


_BY_DEFAULT = """\
With boto3's default checksum, a CRC, the peer writes {rate} objects per CPU-second in batches of 10 at 0 ms."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Batches of `size`, with latency; how many messages each side is given."""

    size: int
    latency_ms: int
    ours: int
    peers: int


CASES = (
    Case(size=10, latency_ms=0, ours=5000, peers=1000),
    Case(size=1000, latency_ms=0, ours=5000, peers=1000),
    Case(size=10, latency_ms=20, ours=1000, peers=200),
    Case(size=1000, latency_ms=20, ours=4000, peers=1000),
)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One case: the rounds' figures of both."""

    case: Case
    peers: Sequence[Usage]
    ours: Sequence[Usage]

    def ratio(self, figure: Callable[[Usage], float]) -> float:
        """How many times the peer's figure ours is."""
        return median(figure(ours) / figure(peer) for peer, ours in zip(self.peers, self.ours, strict=True))

    def row(self, figure: Callable[[Usage], float]) -> list[str]:
        """The case in a table of one figure."""
        name = f"batches of {self.case.size:,}, {self.case.latency_ms} ms"
        medians = [median(map(figure, rounds)) for rounds in (self.peers, self.ours)]
        return [name, *(f"{each:,.0f}" for each in medians), f"{self.ratio(figure):.1f}"]


def benchmark(quick: bool) -> Report:  # noqa: FBT001 - the only thing that a command line says
    """Everything that the claim is about, measured in one run."""
    with endpoint.running() as place:
        deployment.define(place.services_url, [messages.DEFINITION])
        _compare_requests(place)
        cases = [_measure(place, case, rounds=1 if quick else 3 if case.latency_ms else 7) for case in CASES]
        by_default = used_by(PEER_BY_DEFAULT, place, url=place.url, count=1000, size=10)
        imports = _imports(place, rounds=5 if quick else 15)
        memory = _memory(place)
    return Report(
        title="message_writer",
        command="python -m bench.message_writer",
        sections=[
            _INTRODUCTION,
            _table("objects per CPU-second", cases, _per_cpu_second),
            _BY_DEFAULT.format(rate=f"{by_default.per_cpu_second:,.0f}"),
            _table("objects per second", cases, _per_second),
            *_process_tables(imports, memory),
        ],
        claims=_claims(cases, imports, memory),
    )


def _compare_requests(place: Endpoint) -> None:
    """Both must ask for the same objects, or nothing that follows compares anything."""
    said = []
    for side in (PEER, OURS):
        used_by(side, place, url=place.logged_url, count=10, size=10)
        said.append(place.take_requests())
    if said[0] != said[1]:
        raise SideError(f"peer and ours ask for different objects: {said}")


def _measure(place: Endpoint, case: Case, *, rounds: int) -> Measured:
    peers: list[Usage] = []
    ours: list[Usage] = []
    with endpoint.delayed(place, milliseconds=case.latency_ms) as url:
        for number in range(rounds):
            reports.progress(
                f"batches of {case.size}, {case.latency_ms} ms of latency, round {number + 1} of {rounds}"
            )
            peers.append(used_by(PEER, place, url=url, count=case.peers, size=case.size))
            ours.append(used_by(OURS, place, url=url, count=case.ours, size=case.size))
    return Measured(case=case, peers=peers, ours=ours)


class Imports(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of each round: an interpreter that imports nothing, the peer, ours."""

    nothing: Sequence[float]
    peers: Sequence[float]
    ours: Sequence[float]

    @property
    def ratio(self) -> float:
        """How many times the peer's import takes as long; what the interpreter takes is left out."""
        rounds = zip(self.nothing, self.peers, self.ours, strict=True)
        return median((ours - nothing) / (peer - nothing) for nothing, peer, ours in rounds)


def _imports(place: Endpoint, *, rounds: int) -> Imports:
    reports.progress("imports")
    sides: tuple[Side | None, ...] = (None, PEER, OURS)
    for side in sides:  # compiles the byte code
        import_seconds(side, place)
    seconds = [[import_seconds(side, place) for side in sides] for _ in range(rounds)]
    nothing, peers, ours = zip(*seconds, strict=True)
    return Imports(nothing=nothing, peers=peers, ours=ours)


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes: of few messages, of ten times as many, and of those in one batch."""

    few: int
    many: int
    one_batch: int


def _memory(place: Endpoint) -> dict[str, Memory]:
    reports.progress("memory")

    def peak(side: Side, count: int, size: int) -> int:
        return used_by(side, place, url=place.url, count=count, size=size).peak_bytes

    return {
        side.name: Memory(
            few=peak(side, 1000, 1000), many=peak(side, 10_000, 1000), one_batch=peak(side, 10_000, 10_000)
        )
        for side in (PEER, OURS)
    }


def _table(what: str, cases: Sequence[Measured], figure: Callable[[Usage], float]) -> Table:
    return Table(columns=[what, "peer", "ours", "ratio"], rows=[case.row(figure) for case in cases])


def _process_tables(imports: Imports, memory: dict[str, Memory]) -> Iterator[Table]:
    times = [median(each) * 1000 for each in (imports.peers, imports.ours, imports.nothing)]
    yield Table(
        columns=["import in a fresh interpreter, ms", "peer", "ours", "nothing", "ratio without nothing"],
        rows=[["byte code compiled", *(f"{each:.0f}" for each in times), f"{imports.ratio:.2f}"]],
    )
    yield Table(
        columns=["most memory, MB", "1,000 messages", "10,000 messages", "10,000 in one batch"],
        rows=[
            [name, *(f"{size / 1e6:.1f}" for size in (each.few, each.many, each.one_batch))]
            for name, each in memory.items()
        ],
    )


def _claims(cases: Sequence[Measured], imports: Imports, memory: dict[str, Memory]) -> list[Claim]:
    processor = min(case.ratio(_per_cpu_second) for case in cases if not case.case.latency_ms)
    clock = min(case.ratio(_per_second) for case in cases if case.case.latency_ms)
    ours = memory[OURS.name]
    return [
        Claim(
            what="objects per CPU-second at 0 ms, the least of all cases",
            measured=processor,
            bound=OBJECTS_PER_CPU_SECOND,
        ),
        Claim(
            what="objects per second at 20 ms, the least of all cases",
            measured=clock,
            bound=OBJECTS_PER_SECOND,
        ),
        Claim(what="time of the import", measured=imports.ratio, bound=IMPORT, at_most=True),
        Claim(
            what="memory of 10,000 messages over that of 1,000",
            measured=ours.many / ours.few,
            bound=MEMORY,
            at_most=True,
        ),
    ]


def _per_cpu_second(usage: Usage) -> float:
    return usage.per_cpu_second


def _per_second(usage: Usage) -> float:
    return usage.per_second


if __name__ == "__main__":
    reports.run(benchmark)
