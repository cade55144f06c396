"""The claims of the import: files become events, side by side with the libraries that can do the same.

    python -m bench.imports [--quick]

Exits with 1 if a claim is not met, with 2 without nginx.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import msgspec

from bench import endpoint, import_contents, import_converter, import_rows, reports
from bench.file_contents import ContentError
from bench.import_converter import Speeds
from bench.import_rows import FILES, Files
from bench.import_sides import Bench, Made
from bench.reports import Claim, Report, Table
from bench.usage import Usage

EVENTS_A_SECOND = 80_000
OVER_STDLIB = 2.0
FILES_A_SECOND = 50
OVER_WALKING = 1.5
MEMORY_MEGABYTES = 512

_SMALL_ROWS = 100
_INTRODUCTION = """\
Events of a shop, {size:.0f} bytes of JSON a row ({rows:,} rows, users of whom some do much), through a converter of
15 fields: plain ones, a time, a choice, text in small letters, an object with two sums. *Ours* is the handler that
is deployed, told by a notification of S3: the file is fetched, read in chunks, converted, checked by all rules, and
written into the event store as exported records, ledger and all. Insert ids are not claimed (`dedup: none`).

*stdlib* is `json`, `gzip` at level 1 and a dict of functions; *pandas* works column by column; *dlt* maps the same
dict of functions over its own source. All make the exported record, with `amplitude_id` and `uuid`. What they
leave out: every rule and every check (no id is refused, nothing is cut, a faulty row ends the program), rejects,
chunks and their resumption, the ledger, and, but for dlt, the signing of requests. pandas holds all of the file.

Each figure is of a fresh process on one processor, from after its imports, S3 being nginx on loopback; what S3,
DynamoDB and SQS take is nobody's. Ours and stdlib are medians of rounds, {rounds} of them, all in turn. Of every
side's events the insert ids are compared with the file's; those of ours, of all three formats, and those of stdlib
are the same to the last value, but for the stamps."""
_CLAIMED = """\
With insert ids claimed, {rate:,.0f} events per CPU-second: a hundred claims a transaction, by boto3, of which the
signing and the JSON are most of the time. {small_files:,} files of {small_rows} events, ten a batch, four of them
at a time: {per_second:,.0f} a second, {per_cpu_second:,.0f} per CPU-second. The converter alone, with the rules:
{compiled:,.0f} records per CPU-second, where one that walks its tree does {walked:,.0f}.

A file of {gigabytes:.2g} GB, decoded, in chunks of 64 MB: at most {megabytes:.0f} MB of memory, at
{large:,.0f} events of {large_bytes:,.0f} bytes per CPU-second."""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows there are, `fewer` for what is slow; how often ours is measured; small files; the large one."""

    rows: int
    fewer: int
    rounds: int
    small_files: int
    large_bytes: int


FULL = Scale(rows=200_000, fewer=40_000, rounds=3, small_files=400, large_bytes=5_000_000_000)
QUICK = Scale(rows=30_000, fewer=8_000, rounds=1, small_files=60, large_bytes=150_000_000)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What everything took."""

    ours: dict[str, list[Usage]]
    stdlib: list[Usage]
    pandas: Usage
    dlt: Usage
    claimed: Usage
    small: Usage
    large: Usage
    converter: Speeds

    def rate(self, kind: str) -> float:
        """Events of ours per CPU-second."""
        return _rate(self.ours[kind])


def benchmark(quick: bool) -> Report:  # noqa: FBT001 - the only thing that a command line says
    """Everything that the claims are about, measured in one run."""
    scale = QUICK if quick else FULL
    with endpoint.running() as place:
        measured, files = _measure(Bench(place), scale, place.folder)
    size = files.json_bytes / files.rows
    rates = _CLAIMED.format(
        rate=measured.claimed.per_cpu_second,
        small_files=scale.small_files,
        small_rows=_SMALL_ROWS,
        per_second=measured.small.per_second,
        per_cpu_second=measured.small.per_cpu_second,
        compiled=measured.converter.compiled,
        walked=measured.converter.walked,
        gigabytes=scale.large_bytes / 1e9,
        megabytes=measured.large.peak_bytes / 1e6,
        large=measured.large.per_cpu_second,
        large_bytes=scale.large_bytes / measured.large.objects,
    )
    return Report(
        title="Files that are imported",
        command="python -m bench.imports",
        sections=[
            _INTRODUCTION.format(size=size, rows=scale.rows, rounds=scale.rounds),
            _table(measured),
            rates,
        ],
        claims=list(_claims(measured)),
    )


def _measure(bench: Bench, scale: Scale, folder: Path) -> tuple[Measured, Files]:
    reports.progress(f"{scale.rows:,} rows to import")
    files = import_rows.write(folder / "rows", rows=scale.rows)
    fewer = import_rows.write(folder / "fewer", rows=scale.fewer)
    ours: dict[str, list[Usage]] = {kind: [] for kind in FILES}
    stdlib: list[Usage] = []
    for number in range(scale.rounds):
        records: set[str] = set()
        reports.progress(f"import, stdlib, round {number + 1} of {scale.rounds}")
        made = bench.peer("stdlib", files.path("json"), objects=files.rows)
        stdlib.append(made.usage)
        records |= _checked("stdlib", made, files) if number == 0 else set()
        for kind in FILES:
            reports.progress(f"import, {kind}, round {number + 1} of {scale.rounds}")
            made = bench.ours(kind, [files.path(kind)], objects=files.rows)
            ours[kind].append(made.usage)
            records |= _checked(kind, made, files) if number == 0 else set()
        if len(records) > 1:
            raise ContentError("the same rows have become different events")
    return Measured(
        ours=ours,
        stdlib=stdlib,
        pandas=_of_peer(bench, "pandas", files),
        dlt=_of_peer(bench, "dlt", fewer),
        claimed=_claimed(bench, fewer),
        small=_small(bench, folder / "small", scale.small_files),
        large=_large(bench, folder / "large.jsonl.gz", scale.large_bytes),
        converter=import_converter.measure(rows=scale.fewer // 4, rounds=scale.rounds + 2),
    ), files


def _checked(side: str, made: Made, files: Files) -> set[str]:
    """The digest of a side's events, whose insert ids are those of the rows.

    Raises:
        ContentError: They are not.
    """
    found = made.contents()
    if (found.events, found.ids) != (files.rows, files.ids):
        raise ContentError(f"{side} made {found.events} events of {files.rows} rows, or others")
    return {found.records}


def _of_peer(bench: Bench, name: str, files: Files) -> Usage:
    reports.progress(f"import, {name}")
    made = bench.peer(name, files.path("json"), objects=files.rows)
    _checked(name, made, files)
    return made.usage


def _claimed(bench: Bench, files: Files) -> Usage:
    reports.progress("import, with claims")
    made = bench.ours("json", [files.path("json")], objects=files.rows, claims=True)
    _checked("ours, with claims,", made, files)
    return made.usage


def _small(bench: Bench, folder: Path, count: int) -> Usage:
    reports.progress("import, small files")
    import_rows.write_small(folder, files=count, rows=_SMALL_ROWS)
    made = bench.ours("json", sorted(folder.iterdir()), objects=count)
    _counted(made, count * _SMALL_ROWS)
    return made.usage


def _large(bench: Bench, path: Path, size: int) -> Usage:
    reports.progress("import, a large file")
    rows = import_rows.write_large(path, size=size)
    made = bench.ours("json", [path], objects=rows)
    _counted(made, rows)
    return made.usage


def _counted(made: Made, events: int) -> None:
    found = import_contents.count(made.files)
    if found != events:
        raise ContentError(f"ours made {found} events of {events} rows")


def _table(measured: Measured) -> Table:
    base = measured.rate("json")
    ours = {f"ours, {name}": measured.rate(kind) for kind, name in _SHOWN.items()}
    peers = {
        "stdlib, jsonl.gz": _rate(measured.stdlib),
        "pandas, jsonl.gz": measured.pandas.per_cpu_second,
        "dlt, jsonl.gz": measured.dlt.per_cpu_second,
    }
    rows = [[name, f"{rate:,.0f}", f"{base / rate:.1f}"] for name, rate in (ours | peers).items()]
    return Table(columns=["", "events per CPU-second", "ours, jsonl.gz, over it"], rows=rows)


_SHOWN = {"json": "jsonl.gz", "csv": "csv.gz", "parquet": "parquet"}


def _rate(usages: Sequence[Usage]) -> float:
    return median(each.per_cpu_second for each in usages)


def _claims(measured: Measured) -> Iterator[Claim]:
    rate = measured.rate("json")
    yield Claim(what="events per CPU-second, in thousands", measured=rate / 1e3, bound=EVENTS_A_SECOND / 1e3)
    yield Claim(what="over stdlib", measured=rate / _rate(measured.stdlib), bound=OVER_STDLIB)
    yield Claim(what="small files a second", measured=measured.small.per_second, bound=FILES_A_SECOND)
    for kind in ("csv", "parquet"):
        yield Claim(what=f"{_SHOWN[kind]} over jsonl.gz", measured=measured.rate(kind) / rate, bound=1)
    walking = measured.converter.compiled / measured.converter.walked
    yield Claim(what="the converter, compiled over walked", measured=walking, bound=OVER_WALKING)
    yield Claim(
        what="most memory for the large file, MB",
        measured=measured.large.peak_bytes / 1e6,
        bound=MEMORY_MEGABYTES,
        at_most=True,
    )


if __name__ == "__main__":
    reports.run(benchmark)
