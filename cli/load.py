"""`sluice load`: a Singer target on standard input."""

import sys
from typing import Annotated, Any

import typer

from cli.local_files import with_lines
from cli.run import Run, command, faults_of
from cli.stream_runs import (
    Connection,
    ConnectionRun,
    Cursor,
    Destination,
    StartedAt,
    check_destination,
    connection_run,
)
from functions.core.errors import SluiceError
from functions.core.record_batches import Flush, RecordBatches
from functions.core.records import Queue
from functions.core.singer import Target, numbered


def add_to(app: typer.Typer) -> None:
    """Make `load` a command of this application."""

    @command(app, example="sluice load --destination acme", aws=True)
    def load(
        run: Run,
        *,
        destination: Destination,
        connection: Connection = "singer",
        connection_run_id: Annotated[
            str | None,
            typer.Option(
                "--connection-run", metavar="ID", help="The run over all streams; a new UUID unless given."
            ),
        ] = None,
        cursor: Cursor = None,
        started_at: StartedAt = None,
    ) -> None:
        """Send what a Singer tap writes, as one run of each stream: tap-csv | sluice load --destination acme.

        A STATE is printed once the queue has the rows before it; with --json the last one stands, as text, in
        `state`. ACTIVATE_VERSION is passed over, BATCH refused.

        The same input under the same --connection-run and --started-at is the same run: nothing is doubled. A run
        whose input is at fault, or breaks off, gets no end, and its rows wait (or are sealed by the definition's
        `seal_after_seconds`): run the tap again from the STATE before this run, as a new run; or, where it can
        give the very same input again, under the same ids.
        """
        given = connection_run(
            destination=destination,
            connection=connection,
            given=connection_run_id,
            started_at=started_at,
            cursor=cursor,
        )
        check_destination(run.deployment, destination)
        run.tell(f"run {given.id}; the same again: {given.again('--connection-run')}")
        _Load(run, given).send()


class _Load:
    """One run of the target."""

    def __init__(self, run: Run, given: ConnectionRun) -> None:
        self._run = run
        self._given = given
        self._target = Target(self._begin, run.tell)
        self._rows = 0
        self._messages = 0
        self._state: str | None = None

    def send(self) -> None:
        """Send all of standard input."""
        sender = self._run.deployment.sender(Queue.RECORDS)
        try:
            for flush in sender.flow(self._target.flushes(numbered(sys.stdin.buffer))):
                self._accepted(flush)
        except SluiceError as error:
            self._run.progress("")
            faults = with_lines(self._run, faults_of(error))
            self._run.tell(f"the queue has {self._rows} row(s), and no end of their run")
            raise self._run.fail(faults, self._result()) from None
        self._run.progress("")
        if self._run.as_json:
            self._run.result(self._result(), "")
        else:
            streams = len(self._target.streams)
            told = f"{self._rows} row(s) of {streams} stream(s) in {self._messages} message(s)"
            self._run.tell(f"{told} sent to {self._given.destination}")

    def _begin(self, stream: str, schema: bytes) -> RecordBatches:
        return RecordBatches(self._given.stream_run(stream), schema)

    def _accepted(self, flush: Flush) -> None:
        self._rows = flush.rows
        self._messages += len(flush.messages)
        if flush.state is not None:
            self._state = flush.state.decode()
        if flush.state is not None and not self._run.as_json:
            self._run.progress("")
            # Standard output holds states alone: a runner takes its last line for the newest.
            print(self._state, flush=True)
        self._run.progress(f"{self._rows} rows")

    def _result(self) -> dict[str, Any]:
        streams = [
            {"stream": name, "stream_run_id": each.run.stream_run_id, "rows": each.rows}
            for name, each in self._target.streams.items()
        ]
        return {
            "connection_run_id": self._given.id,
            "started_at": self._given.started_at,
            "rows": self._rows,
            "messages": self._messages,
            "streams": streams,
            "state": self._state,
        }
