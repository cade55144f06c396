"""The parts of a run, as files in the customer's bucket."""

import time
from collections.abc import Callable, Iterator, Sequence

from functions.adapters.destinations import Pinned
from functions.adapters.drafts import bucket_store
from functions.adapters.parts import Parts
from functions.core.assembly import Folder, folders
from functions.core.definitions.streams import StreamDestination
from functions.core.errors import Code, Permanent
from functions.core.files.dataset import Dataset
from functions.core.files.delivery import Delivery
from functions.core.files.inputs import StagedRows
from functions.core.files.names import StreamNames
from functions.core.files.store import Written
from functions.core.formats import json_values
from functions.core.formats.declared import Declared, declared
from functions.core.runs import Part, Run


class RunWriter:
    """Writes runs; their rows come from the staging objects."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def write(
        self, run: Run, parts: Sequence[Part], pinned: Pinned[StreamDestination], *, seconds: float
    ) -> list[Written]:
        """The files that the parts become, within so many seconds.

        Raises:
            Permanent: The rows cannot be written so, or not in this time.
            Transient: Some bucket cannot be reached.
        """
        destination = pinned.destination
        found = folders(run, parts, destination.template, extension=destination.files.extension)
        with bucket_store(pinned.bucket, destination) as store:
            delivery = Delivery(
                destination.files,
                [self._dataset(destination, folder) for folder in found],
                store=store,
                run=run.stream_run_id,
                progress=_until(time.monotonic() + seconds),
            )
            return delivery.write()

    def _dataset(self, destination: StreamDestination, folder: Folder) -> Dataset:
        def pieces() -> Iterator[tuple[str, bytes]]:
            return self._parts.read(folder.pieces)

        names = StreamNames(destination.files, destination.template, folder.context, destination.prefix)
        return Dataset(names, (StagedRows(pieces),), self._declared(folder))

    def _declared(self, folder: Folder) -> Declared | None:
        schemas = [
            self._parts.schema(part.key, part.schema) for part in folder.schemas if part.schema is not None
        ]
        return declared(*(json_values.decode(each, "stream.schema", 1) for each in schemas))


def _until(end: float) -> Callable[[int], None]:
    """Stop a delivery that would not end in time, while there still is time to say so."""

    def check(rows: int) -> None:
        if time.monotonic() > end:
            text = (
                f"only {rows} rows could be written in the time of one invocation; split the run into several"
            )
            raise Permanent(Code.TOO_LARGE, text)

    return check
