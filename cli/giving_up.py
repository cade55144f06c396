"""Giving up what failed: a message stays kept, a file is marked, and what it had claimed is free again."""

import time

from cli.deployment import Deployment
from functions.adapters.claims import Claims
from functions.adapters.event_store import EventStore
from functions.core.arrivals import FileTask, parse_arrivals
from functions.core.errors import Code, Permanent
from functions.core.failures import Failure, State, failure_id
from functions.core.imports import FileState, ImportFile, finished
from functions.core.records import Queue


def give_up(deployment: Deployment, failure: Failure) -> None:
    """Give up a failure, or what is held.

    Raises:
        Permanent: It is a file that somebody is at work on again.
    """
    failures = deployment.ports.failures
    if failure.state is State.HELD:
        failures.release(failure)
        return
    if failure.queue is Queue.ARRIVALS and (file := _file(deployment, failure)) is not None:
        _release(deployment, _skipped(deployment, file))
    failures.skip(failure.id)


def _file(deployment: Deployment, failure: Failure) -> ImportFile | None:
    """The file that a failure is about; None where it is about something else, or the file is forgotten."""
    try:
        arrivals = parse_arrivals(deployment.ports.failures.body(failure.id))
    except Permanent:
        return None
    task = arrivals[0] if arrivals else None
    if not isinstance(task, FileTask):
        return None
    file = deployment.ports.files.get(task.source_id, task.key)
    # Failures of other messages have bodies that anybody may have written.
    return file if file and failure_id(file.source, file.digest) == failure.id else None


def _skipped(deployment: Deployment, file: ImportFile) -> ImportFile:
    """The file, marked before anything is released: from then on nobody goes on with it."""
    if file.state is FileState.SKIPPED:
        return file
    skipped = None
    if file.state is FileState.FAILED:
        wanted = finished(file, FileState.SKIPPED, now=int(time.time()), code=file.code, text=file.text)
        skipped = deployment.ports.files.replace(wanted)
    if skipped is None:
        raise Permanent(Code.EXISTS, f"{ascii(file.key)[1:-1]} is {file.state}, and no longer failed")
    return skipped


def _release(deployment: Deployment, file: ImportFile) -> None:
    """Free the insert ids of the chunk that was not committed: nothing of it is output any more."""
    chunk = EventStore(deployment.ports.data_bucket).kept(file)
    definition = deployment.ports.source_definitions.version(file.source, file.version or 0)
    if chunk is None or definition is None:
        return
    claims = Claims(deployment.clients.get("dynamodb"), table=deployment.outputs["ClaimsTable"])
    claims.release(chunk.id, chunk.claims, project=definition.document["project_id"])
