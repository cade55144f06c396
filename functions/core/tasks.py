"""Tasks of delivery: what is put into the queue of deliveries."""

import msgspec

from functions.core.errors import Code, Permanent
from functions.core.failures import connection_of, is_failure_id
from functions.core.outgoing import Outgoing


class RunTask(msgspec.Struct, frozen=True, kw_only=True):
    """Deliver a run that is sealed."""

    destination_id: str
    run_id: str


def run_task(run: str) -> Outgoing:
    """The message that asks for the delivery of a run."""
    task = RunTask(destination_id=connection_of(run), run_id=run)
    return Outgoing(body=msgspec.json.encode(task).decode(), group=task.destination_id)


def parse_task(body: bytes) -> RunTask:
    """The task that a body is.

    Raises:
        Permanent: `BAD_MESSAGE`; it is none.
    """
    try:
        task = msgspec.json.decode(body, type=RunTask)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        task = None
    if task is None or not is_failure_id(task.run_id) or connection_of(task.run_id) != task.destination_id:
        raise Permanent(Code.BAD_MESSAGE, "the body is no task of delivery")
    return task
