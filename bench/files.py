"""The claims of the stream destination: rows become files, side by side with the libraries that do the same.

    python -m bench.files [--quick]

Exits with 1 if a claim is not met, with 2 without nginx.
"""

import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench import deployment, endpoint, file_contents, record_bodies, reports, staged_runs
from bench.file_peers import BUCKET
from bench.file_sides import AWSWRANGLER, DLT, Bench, Rows
from bench.files_ours import BATCH_BYTES, Stages
from bench.record_bodies import BODY_BYTES
from bench.reports import Claim, Report, Table
from bench.staged_runs import Staged
from bench.usage import Usage

OVER_AWSWRANGLER = {"jsonl": 8.0, "csv": 2.5, "parquet": 1.4}
OVER_DLT = 8.0
MEMORY_MEGABYTES = 512
FLAT = 1.1

_SHOWN = {"jsonl": "jsonl.gz", "csv": "csv.gz", "parquet": "parquet"}
_SMALL_BODY_BYTES = 250_000
_INTRODUCTION = f"""\
The same rows of about 330 bytes (ids, UUIDs, addresses, times, amounts, flags, text, now and then null), in
messages of {BODY_BYTES // 1_000_000} MB, become files in S3. *Ours* are the handlers that are deployed: `stager`,
{BATCH_BYTES // 1_000_000} MB of messages an invocation, staging object and ledger included, then `file_writer`.
`awswrangler` is given a data frame (`json.loads`, `DataFrame`, then `to_json`, `to_csv` or `to_parquet`), `dlt` the
decoded rows, as their documentation shows; neither stages anything. Nobody is told of columns beforehand. Text is
compressed by gzip, as each side does it if one says no more than that; Parquet by snappy.

Each figure is of a fresh process, with all its threads, from after its imports; the making of events is left out.
Ours is the median of rounds before and after the others. S3 is nginx on loopback, over plain HTTP,
DynamoDB and SQS are a process of their own; what they take is nobody's. The files of each side are read again, and
every value of every row is compared with what was sent."""
_BESIDE = """\
With all that can be tuned (`orjson`, a frame a message, `compresslevel` 1, which is the nearest to ours in size),
`awswrangler` writes {jsonl}, {csv} and {parquet} rows per CPU-second. With a schema in each message, ours are
{declared_csv} of csv.gz and {declared_parquet} of parquet; with messages of 250 KB, {small} of jsonl.gz. `dlt`, and
everybody in this paragraph, are given {fewer:,} rows, the others {rows:,}."""
_MEMORY = """\
The file writer alone, with runs that are staged already: {few} and {many} GB of rows, {rows:,} of which are
different. Rows of the files are counted."""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows there are, `fewer` for what is slow, and how often ours is measured.

    The runs that memory is measured with are so many times the `fewer` rows, and so many times all.
    """

    rows: int
    fewer: int
    rounds: int
    small_run: int
    large_run: int


FULL = Scale(rows=1_000_000, fewer=500_000, rounds=3, small_run=3, large_run=15)
QUICK = Scale(rows=60_000, fewer=20_000, rounds=1, small_run=20, large_run=20)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One format: what each side took."""

    format: str
    ours: Sequence[Stages]
    awswrangler: Usage
    dlt: Usage

    @property
    def rate(self) -> float:
        """Ours, in rows per CPU-second."""
        return median(map(rate, self.ours))

    def row(self) -> list[str]:
        """In the table of all."""
        rates = [each.per_cpu_second for each in (self.awswrangler, self.dlt)]
        return [
            _SHOWN[self.format],
            *(f"{each:,.0f}" for each in (*rates, self.rate)),
            *(f"{self.rate / each:.1f}" for each in rates),
        ]

    def parts(self) -> list[str]:
        """In the table of ours: seconds of processor time."""
        staging, writing = (
            median(1e6 / each.per_cpu_second for each in used)
            for used in ([each.staging for each in self.ours], [each.writing for each in self.ours])
        )
        return [_SHOWN[self.format], *(f"{each:.2f}" for each in (staging, writing, staging + writing))]


def rate(stages: Stages) -> float:
    """Rows per CPU-second of all that was done."""
    return stages.writing.objects / (stages.staging.cpu_seconds + stages.writing.cpu_seconds)


def benchmark(quick: bool) -> Report:  # noqa: FBT001 - the only thing that a command line says
    """Everything that the claims are about, measured in one run."""
    scale = QUICK if quick else FULL
    with endpoint.running() as place:
        deployment.define(place.services_url, map(_definition, _SHOWN))
        bench = Bench(place=place)
        rows = _rows(place.folder / "rows", scale.rows)
        fewer = _rows(place.folder / "fewer", scale.fewer)
        measured = [_measure(bench, each, rows, fewer, rounds=scale.rounds) for each in _SHOWN]
        beside = _beside(bench, fewer, place.folder / "small")
        memory = _memory(bench, scale, rows, fewer)
        sizes = [_gigabytes(fewer, scale.small_run), _gigabytes(rows, scale.large_run)]
    return Report(
        title="Files of streams",
        command="python -m bench.files",
        sections=[
            _INTRODUCTION,
            _rates(measured),
            _BESIDE.format(**beside, fewer=scale.fewer, rows=scale.rows),
            _parts(measured),
            _MEMORY.format(few=f"{sizes[0]:.2g}", many=f"{sizes[1]:.2g}", rows=scale.rows),
            _memory_table(memory),
        ],
        claims=[*_claims(measured), *_memory_claims(memory)],
    )


def _definition(format_name: str) -> dict[str, Any]:
    """A destination of this format, called after it."""
    text = {} if format_name == "parquet" else {"compression": "gzip"}
    place = {"bucket": BUCKET, "prefix": f"{format_name}/"}
    return {"name": format_name, "kind": "streams", "format": format_name, **place, **text}


def _rows(folder: Path, count: int, body_bytes: int = BODY_BYTES) -> Rows:
    reports.progress(f"{count:,} rows")
    record_bodies.write(folder, rows=count, body_bytes=body_bytes)
    return Rows(folder=folder, count=count, sent=file_contents.sent(folder))


def _measure(bench: Bench, format_name: str, rows: Rows, fewer: Rows, *, rounds: int) -> Measured:
    shown = _SHOWN[format_name]

    def ours(number: int) -> Stages:
        reports.progress(f"{shown}, ours, round {number + 1} of {rounds}")
        return bench.ours(format_name, rows, run=f"round-{number}", check=number == 0)

    before = ours(0)
    reports.progress(f"{shown}, awswrangler")
    awswrangler = bench.library(AWSWRANGLER, format_name, rows)
    reports.progress(f"{shown}, dlt")
    dlt = bench.library(DLT, format_name, fewer)
    after = [ours(number) for number in range(1, rounds)]
    return Measured(format=format_name, ours=[before, *after], awswrangler=awswrangler, dlt=dlt)


def _beside(bench: Bench, rows: Rows, folder: Path) -> dict[str, str]:
    """What is said beside the table."""
    small = _rows(folder, rows.count, _SMALL_BODY_BYTES)
    reports.progress("a tuned peer, schemas, small messages")
    tuned = {each: bench.library(AWSWRANGLER, each, rows, tuned=True).per_cpu_second for each in _SHOWN}
    rates = {
        **tuned,
        "declared_csv": rate(bench.ours("csv", rows, run="declared", declared=True, check=True)),
        "declared_parquet": rate(bench.ours("parquet", rows, run="declared", declared=True, check=True)),
        "small": rate(bench.ours("jsonl", small, run="small-messages", check=True)),
    }
    return {name: f"{each:,.0f}" for name, each in rates.items()}


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that the delivery of a small run and of a large one took at most."""

    format: str
    small: int
    large: int


def _memory(bench: Bench, scale: Scale, rows: Rows, fewer: Rows) -> list[Memory]:
    """What each format takes; several are written at once, since they are not timed."""
    few = staged_runs.put(bench.place, fewer.folder, name="few")
    all_of = staged_runs.put(bench.place, rows.folder, name="all")

    def peak(format_name: str, run: str, staged: Staged, count: int, times: int) -> int:
        reports.progress(f"memory, {_SHOWN[format_name]}, a {run} run")
        sealed = staged_runs.seal(bench.place, staged, format_name, run, times=times)
        return bench.writing(format_name, sealed, rows=count * times).peak_bytes

    def memory(format_name: str) -> Memory:
        small = peak(format_name, "small", few, fewer.count, scale.small_run)
        large = peak(format_name, "large", all_of, rows.count, scale.large_run)
        return Memory(format=format_name, small=small, large=large)

    with ThreadPoolExecutor(os.cpu_count()) as at_once:
        return list(at_once.map(memory, _SHOWN))


def _gigabytes(rows: Rows, times: int) -> float:
    return sum(path.stat().st_size for path in record_bodies.files(rows.folder)) * times / 1e9


def _rates(measured: Sequence[Measured]) -> Table:
    columns = ["rows per CPU-second", "awswrangler", "dlt", "ours", "over awswrangler", "over dlt"]
    return Table(columns=columns, rows=[each.row() for each in measured])


def _parts(measured: Sequence[Measured]) -> Table:
    columns = ["ours, CPU-seconds a million rows", "staging", "writing", "both"]
    return Table(columns=columns, rows=[each.parts() for each in measured])


def _memory_table(memory: Sequence[Memory]) -> Table:
    return Table(
        columns=["most memory of `file_writer`, MB", "small run", "large run"],
        rows=[
            [_SHOWN[each.format], *(f"{size / 1e6:.0f}" for size in (each.small, each.large))]
            for each in memory
        ],
    )


def _claims(measured: Sequence[Measured]) -> Iterator[Claim]:
    for each in measured:
        yield Claim(
            what=f"{_SHOWN[each.format]}, over awswrangler",
            measured=each.rate / each.awswrangler.per_cpu_second,
            bound=OVER_AWSWRANGLER[each.format],
        )
    least = min(each.rate / each.dlt.per_cpu_second for each in measured)
    yield Claim(what="over dlt, the least of all formats", measured=least, bound=OVER_DLT)


def _memory_claims(memory: Sequence[Memory]) -> Iterator[Claim]:
    most = max(itertools.chain.from_iterable((each.small, each.large) for each in memory))
    yield Claim(
        what="most memory of `file_writer`, MB, of all runs",
        measured=most / 1e6,
        bound=MEMORY_MEGABYTES,
        at_most=True,
    )
    growth = max(each.large / each.small for each in memory)
    yield Claim(what="memory of a large run over a small one", measured=growth, bound=FLAT, at_most=True)


if __name__ == "__main__":
    reports.run(benchmark)
