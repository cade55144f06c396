"""Tasks of import: what is put into the queue of arrivals by ourselves."""

import msgspec

from functions.core.arrivals import FileTask, ScanTask
from functions.core.outgoing import Outgoing


def import_task(task: FileTask | ScanTask) -> Outgoing:
    """The message that is this task."""
    return Outgoing(body=msgspec.json.encode(task).decode(), group=task.source_id)
