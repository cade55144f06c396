"""`sluice import`: what became of a source's files, what waits, and what its records would become."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import connections, previewing
from cli.apps import group
from cli.arriving import begin_scan
from cli.converter import Type
from cli.run import Run, command
from functions.adapters.event_store import rejects_of
from functions.core.errors import Code, Permanent
from functions.core.events.fields import DataType
from functions.core.imports import FileState, ImportFile
from functions.core.scanning import Pass

app = group("The files of sources: what became of them, what waits, and what would become of one.")

Source = Annotated[str, typer.Option(metavar="NAME", help="The source.", show_default=False)]

_TOLD_EVERY = 10_000
"""Files."""


@command(app, example="sluice import history --source acme-in --state failed", aws=True)
def history(
    run: Run,
    *,
    source: Source,
    state: Annotated[FileState | None, typer.Option(help="Those that are in this state.")] = None,
) -> None:
    """The files of a source by their keys: what became of each, its counts, and where its rejects lie."""
    _check(run, source)
    for file in run.deployment.ports.files.of(source):
        if state in {None, file.state}:
            shown = _shown(run, file)
            run.row(shown, "\t".join(_told(file, shown)))


@command(app, example="sluice import status --source acme-in", aws=True)
def status(run: Run, *, source: Source) -> None:
    """How many files of a source wait, are read, are done and have failed, and how far we have looked."""
    _check(run, source)
    states: Counter[FileState] = Counter()
    totals: Counter[str] = Counter()
    oldest: int | None = None
    for number, file in enumerate(run.deployment.ports.files.of(source), 1):
        states[file.state] += 1
        totals.update(_totals(file))
        if file.state is FileState.WAITING:
            oldest = min(file.found_at, oldest or file.found_at)
        if number % _TOLD_EVERY == 0:
            run.progress(f"{source}: {number:,} files")
    run.progress("")
    waits = None if oldest is None else max(0, int(time.time()) - oldest)
    last = run.deployment.ports.scans.get(source)
    shown = {
        "source": source,
        "files": {each.value: states[each] for each in FileState},
        "oldest_waiting_seconds": waits,
        **{
            name: totals[name]
            for name in ("records", "events", "properties", "duplicates", "rejects", "changed")
        },
        "scan": _scan(last) if last else None,
    }
    run.result(shown, _lines(shown, last))


@command(app, example="sluice import rescan --source acme-in", aws=True)
def rescan(run: Run, *, source: Source) -> None:
    """Look through a source's bucket now: what is new is imported, what was replaced or removed is noted."""
    found = connections.stored(run.deployment.ports.source_definitions, source)
    if not connections.listed(found)["enabled"]:
        raise Permanent(Code.EXISTS, f"{source} is disabled: sluice source enable {source}")
    begin_scan(run.deployment, source)
    run.result(
        {"rescan": source}, f"{source}: its bucket is looked through; sluice import status --source {source}"
    )


@command(app, example="sluice import preview --converter viewing.converter.json viewing.jsonl", aws=True)
def preview(
    run: Run,
    given: Annotated[
        str, typer.Argument(metavar="INPUT", help="A file, or s3://BUCKET/KEY.", show_default=False)
    ],
    *,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="As this source would import it.")
    ] = None,
    converter: Annotated[
        str | None, typer.Option(metavar="FILE", help="As this converter would have it; without AWS.")
    ] = None,
    data_type: Type = DataType.EVENT,
) -> None:
    """Ten records from the whole of a file, beside what each becomes, or why it is refused and where.

    With `--source` what its definition says; `--data-type` goes with `--converter`.
    """
    if (source is None) is (converter is None):
        raise typer.BadParameter("say --source or --converter, one of them")
    if converter is not None:
        how = previewing.by_converter(run, converter, data_type)
    else:
        how = previewing.by_source(connections.stored(run.deployment.ports.source_definitions, source or ""))
    previewing.show(run, how, given)


def _check(run: Run, source: str) -> None:
    """A source that has been deleted still has its files.

    Raises:
        Permanent: There never was one of this name.
    """
    if not run.deployment.ports.source_definitions.last_version(source):
        raise Permanent(Code.MISSING_FILE, f"there is no source {source}: sluice source list")


def _shown(run: Run, file: ImportFile) -> dict[str, Any]:
    counters = file.counters
    rejects_at = (
        f"s3://{run.deployment.settings.data_bucket}/{rejects_of(file)}" if counters.rejected else None
    )
    return {
        "key": file.key,
        "bucket": file.bucket,
        "state": file.state,
        "size": file.size,
        "etag": file.etag,
        "modified": _time(file.modified // 1000),
        "found_at": _time(file.found_at),
        "done_at": _time(file.done_at),
        "version": file.version,
        "chunks": file.chunks,
        "records": counters.records,
        "events": counters.events,
        "properties": counters.properties,
        "duplicates": counters.duplicates,
        "rejects": counters.rejects,
        "rejects_at": rejects_at,
        "passed": counters.passed,
        "changed_at": None if file.changed_at is None else _time(file.changed_at // 1000),
        "code": file.code,
        "text": file.text,
    }


def _told(file: ImportFile, shown: dict[str, Any]) -> Iterator[str]:
    counters = file.counters
    yield file.key if file.key.isprintable() else ascii(file.key)[1:-1]
    yield file.state
    yield f"{counters.records} records"
    yield f"{counters.events} events"
    if counters.duplicates:
        yield f"{counters.duplicates} duplicates"
    if counters.rejected:
        yield f"{counters.rejected} rejects ({_reasons(counters.rejects)}) in {shown['rejects_at']}"
    if counters.passed:
        yield f"passed over ({_reasons(counters.passed)})"
    if file.changed_at is not None:
        yield f"changed after import, at {shown['changed_at']}"
    if file.code:
        yield f"{file.code}: {file.text}"


def _reasons(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{reason}: {number}" for reason, number in sorted(counts.items()))


def _totals(file: ImportFile) -> dict[str, int]:
    counters = file.counters
    return {
        "records": counters.records,
        "events": counters.events,
        "properties": counters.properties,
        "duplicates": counters.duplicates,
        "rejects": counters.rejected,
        "changed": int(file.changed_at is not None),
    }


def _scan(last: Pass) -> dict[str, Any]:
    counts = {
        name: getattr(last, name) for name in ("keys", "found", "changed", "forgotten", "after", "text")
    }
    return {"began": _time(last.began), "done_at": _time(last.done_at), **counts}


def _lines(shown: dict[str, Any], last: Pass | None) -> Iterator[str]:
    files = ", ".join(f"{number:,} {state}" for state, number in shown["files"].items())
    yield f"{shown['source']}: {files}"
    if shown["oldest_waiting_seconds"] is not None:
        yield f"the oldest that waits has waited for {shown['oldest_waiting_seconds']:,} seconds"
    names = ("records", "events", "properties", "duplicates", "rejects")
    yield ", ".join(f"{shown[name]:,} {name}" for name in names)
    if shown["changed"]:
        yield f"{shown['changed']:,} changed after import: sluice import history --source {shown['source']}"
    if last is None:
        yield "its bucket has not been looked through yet"
    elif last.text:
        yield f"its bucket could not be looked through at {_time(last.done_at)}: {last.text}"
    else:
        how = f"to its end at {_time(last.done_at)}" if last.done_at is not None else "and is still"
        yield f"its bucket was looked through from {_time(last.began)} on, {how}: {last.keys:,} keys"


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
