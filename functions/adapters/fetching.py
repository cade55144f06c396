"""Whole objects into files, by several requests at a time, all of them for one version."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from functions.adapters import s3_errors

PIECE = 16 * 1024 * 1024
"""Bytes of one request: few enough to arrive within its time, enough that its beginning costs little."""

_AT_ONCE = 4
"""Pieces that are under way, and held in memory, at a time."""


def fetch(store: S3Store, key: str, path: Path, *, etag: str) -> None:
    """Copy an object into a file; every request says which ETag is meant.

    Raises:
        Permanent: `CHANGED`; the object has another. `MISSING_FILE`; it is gone.
        OSError: The file cannot be written.
    """
    with obstore_translated():
        whole = obstore.get(store, key, options={"if_match": etag})
        size = whole.meta["size"]
        data = whole.bytes() if size <= PIECE else None
    if data is not None:
        path.write_bytes(data)
        return
    path.touch()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        copied = [threads.submit(_copy, store, key, path, etag, start) for start in range(0, size, PIECE)]
        try:
            for each in copied:
                each.result()
        except BaseException:
            threads.shutdown(wait=True, cancel_futures=True)
            raise


def _copy(store: S3Store, key: str, path: Path, etag: str, start: int) -> None:
    options: Any = {"if_match": etag, "range": (start, start + PIECE)}
    with obstore_translated():
        data = obstore.get(store, key, options=options).bytes()
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


@contextmanager
def obstore_translated() -> Iterator[None]:
    """Turn what S3 says to obstore into ours."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise s3_errors.translate(str(error)) from None
