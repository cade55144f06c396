"""The event store, the rejects and the candidates, in the data bucket."""

from functions.adapters.objects import Bucket, Content
from functions.core.candidates import decoded, encoded
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

    def keep(self, file: ImportFile, chunk: Chunk) -> None:
        """Keep the chunk of a file that comes next, before anything is claimed for it."""
        self._put(_candidate(file), encoded(chunk), _CANDIDATE)

    def kept(self, file: ImportFile) -> Chunk | None:
        """The chunk that comes next, if it was kept; None where there is none."""
        try:
            return decoded(self._bucket.get(_candidate(file)))
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


def _candidate(file: ImportFile) -> str:
    """Of one version of the source: begun anew by another, a file's chunk is another."""
    return f"{CANDIDATES}{file.chunk_id}-{file.version}"


def rejects_of(file: ImportFile) -> str:
    """Where the rejects of a file lie."""
    return f"{REJECTS}source={file.source}/{file.digest}/"
