"""Bodies that SQS did not take, put aside by an extended client."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from functions.adapters.objects import Bucket
from functions.core.errors import Code, Permanent, Transient
from functions.core.keys import object_key

PREFIX = "payloads/"
"""Where this deployment's data bucket holds them; nothing else of it can be pointed at."""


class Payloads:
    """Reads offloaded bodies, holding no more than `budget` bytes of them at a time."""

    def __init__(self, bucket: Bucket, *, name: str, budget: int) -> None:
        self._bucket = bucket
        self._name = name
        self._budget = budget
        self._free = budget
        self._changed = threading.Condition()

    @contextmanager
    def read(self, *, bucket: str, key: str) -> Iterator[bytes]:
        """The body that a pointer names, within the budget for as long as the context lasts.

        Raises:
            Permanent: `BAD_MESSAGE` for another bucket than this deployment's, `BAD_KEY` for a key that is none
                or climbs, `MISSING_FILE` where nothing is, `TOO_LARGE` for a body beyond the whole budget.
            Transient: S3 cannot be reached.
        """
        if bucket != self._name or not key.startswith(PREFIX):
            raise Permanent(
                Code.BAD_MESSAGE, f"the body points outside of `{PREFIX}` in this deployment's bucket"
            )
        object_key(prefix=PREFIX, name=key.removeprefix(PREFIX))
        size = self._size(key)
        if size > self._budget:
            raise Permanent(
                Code.TOO_LARGE, f"the payload has {size} bytes, this deployment takes up to {self._budget}"
            )
        self._take(size)
        try:
            yield self._bucket.get(key)
        finally:
            self._take(-size)

    def _size(self, key: str) -> int:
        try:
            return self._bucket.size(key)
        except Permanent as error:
            if error.code not in {Code.MISSING_PERMISSION, Code.MISSING_FILE}:
                raise Transient(error.code, f"our own bucket: {error}") from None
            # Without the right to list, S3 answers 403 for what is not there: both mean that it cannot be read.
            raise Permanent(Code.MISSING_FILE, "the payload that the body points to is not there") from None

    def _take(self, size: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: size <= self._free)
            self._free -= size
            self._changed.notify_all()
