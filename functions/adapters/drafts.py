"""Files on their way into a customer's bucket: drafts on this machine's disk, objects when all are whole."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from functions.adapters.objects import Bucket, Content
from functions.core.definitions.destination import Destination
from functions.core.files.store import Draft, Written
from functions.core.metadata import encoded


class FileDraft:
    """A file in a folder that will be gone."""

    def __init__(self, folder: str) -> None:
        file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 - its store closes it
        self.stream = cast("BinaryIO", file)
        self.path = file.name

    def close(self) -> None:
        """Hold nothing but the bytes."""
        self.stream.close()

    def discard(self) -> None:
        """Forget it, and give its room back."""
        self.close()
        Path(self.path).unlink()


class BucketStore:
    """A customer's bucket as a store of files; drafts lie in `folder`."""

    def __init__(self, bucket: Bucket, destination: Destination, folder: str) -> None:
        self._bucket = bucket
        self._destination = destination
        self._folder = folder
        self._drafts = ExitStack()

    def draft(self) -> FileDraft:
        """An empty file."""
        draft = FileDraft(self._folder)
        self._drafts.callback(draft.close)
        return draft

    def close(self) -> None:
        """Close what nobody will read any more."""
        self._drafts.close()

    def publish(self, draft: Draft, written: Written) -> None:
        """Write a whole file as an object.

        Raises:
            Permanent: The bucket refuses it.
            Transient: It cannot be written now.
        """
        self._bucket.put(
            written.key,
            Path(draft.path),
            metadata=encoded(self._destination.metadata),
            content=Content(type=written.content_type, encoding=written.content_encoding),
            storage_class=self._destination.storage_class,
        )

    def withdraw(self, name: str) -> None:
        """Remove an object, if it is there.

        Raises:
            Permanent: The bucket refuses it.
            Transient: It cannot be removed now.
        """
        self._bucket.delete(name)


@contextmanager
def bucket_store(bucket: Bucket, destination: Destination) -> Iterator[BucketStore]:
    """The bucket of a destination as a store, whose drafts are gone in the end."""
    with tempfile.TemporaryDirectory(prefix="sluice-", ignore_cleanup_errors=True) as folder:
        store = BucketStore(bucket, destination, folder)
        try:
            yield store
        finally:
            store.close()
