"""The event store, the rejects and the candidates, in the data bucket."""

import msgspec

from functions.adapters.objects import Bucket, Content
from functions.core.chunks import Chunk
from functions.core.errors import Code, Permanent, Transient
from functions.core.imports import ImportFile

CANDIDATES = "candidates/"
"""Chunks whose insert ids are being claimed: a repetition goes on with them, whatever has become of the file."""

REJECTS = "rejects/"
_GZIP = Content(type="application/gzip")
_CANDIDATE = Content(type="application/octet-stream")


class EventStore:
    """What an import writes into our own bucket; every method raises Transient where S3 cannot do it now."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, key: str, lines: bytes) -> None:
        """Write a part."""
        self._put(key, lines, _GZIP)

    def reject(self, file: ImportFile, lines: bytes) -> None:
        """Write the rejects of the chunk that comes next, over those that a repetition may have left."""
        self._put(rejects_of(file) + f"{file.chunks:06d}.jsonl.gz", lines, _GZIP)

    def keep(self, chunk: Chunk) -> None:
        """Keep a chunk before anything is claimed for it."""
        self._put(f"{CANDIDATES}{chunk.id}", msgspec.msgpack.encode(chunk), _CANDIDATE)

    def kept(self, chunk_id: str) -> Chunk | None:
        """The chunk that was kept; None where there is none."""
        try:
            return msgspec.msgpack.decode(self._bucket.get(f"{CANDIDATES}{chunk_id}"), type=Chunk)
        except Permanent as error:
            if error.code in {Code.MISSING_FILE, Code.MISSING_PERMISSION}:
                # Without the right to list, S3 answers 403 for what is not there.
                return None
            raise Transient(error.code, f"our own bucket: {error}") from None

    def _put(self, key: str, body: bytes, content: Content) -> None:
        try:
            self._bucket.put(key, body, content=content)
        except Permanent as error:
            raise Transient(error.code, f"our own bucket: {error}") from None


def rejects_of(file: ImportFile) -> str:
    """Where the rejects of a file lie."""
    return f"{REJECTS}source={file.source}/{file.digest}/"
