"""How the files of a source arrive: counted before it is stored, told of by its bucket, looked for by scans."""

from typing import Any

import msgspec

from cli import verification
from cli.deployment import Deployment
from cli.resending import until_known
from cli.run import Run
from functions.adapters.definitions import Stored
from functions.core.arrivals import ScanTask
from functions.core.definitions.discovery import discovery
from functions.core.errors import Fault, Refused
from functions.core.import_tasks import import_task
from functions.core.records import Queue


def count_existing(run: Run, new: Stored) -> dict[str, int]:
    """How many files there are that the source would import, and how many bytes; counted where it is allowed."""
    files = size = 0
    after: str | None = ""
    while after is not None:
        question: dict[str, Any] = {"stored": new, "ask": "count", "after": after}
        found = run.deployment.ask(question, kind=new.kind)
        files, size, after = files + found["files"], size + found["bytes"], found["after"]
        run.progress(f"{new.name}: {files:,} files, {size:,} bytes")
    run.progress("")
    return {"files": files, "bytes": size}


def tell_us(run: Run, found: Stored) -> None:
    """Have the source's bucket tell us of files, where the source wants it and the bucket is a customer's.

    Raises:
        Refused: The bucket cannot, or may not.
    """
    source = discovery(found.document)
    if source.notifications and not source.ours:
        verification.ask(run, found, "notify")


def silence(run: Run, found: Stored) -> list[Fault]:
    """Take our rule away from the source's bucket; what could not be done is told, and is nobody's obstacle."""
    source = discovery(found.document)
    if not source.notifications or source.ours:
        return []
    try:
        verification.ask(run, found, "silence")
    except Refused as refused:
        return list(refused.faults)
    return []


def begin_scan(deployment: Deployment, name: str) -> None:
    """Look for files of the source, once every function knows its newest definition."""
    task = import_task(ScanTask(source_id=name))
    delay = until_known(deployment, name)
    deployment.sender(Queue.ARRIVALS).send([msgspec.structs.replace(task, delay_seconds=delay)])
