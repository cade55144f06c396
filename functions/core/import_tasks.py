"""Tasks of import: what is put into the queue of arrivals by ourselves."""

import json

import msgspec

from functions.core.arrivals import FileTask, ScanTask
from functions.core.outgoing import Outgoing


def import_task(task: FileTask | ScanTask) -> Outgoing:
    """The message that is this task, in ASCII: a key may hold what SQS does not take."""
    return Outgoing(body=json.dumps(msgspec.to_builtins(task)), group=task.source_id)
