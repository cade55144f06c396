"""A listing beside the ledger, both in the order of their keys: what is new, what has changed, what is gone."""

from collections.abc import Iterable, Iterator

import msgspec

from functions.core.imports import FileState, Found, ImportFile


class Pair(msgspec.Struct, frozen=True):
    """A key as the bucket has it, and as the ledger does; one of them may not have it."""

    found: Found | None
    known: ImportFile | None

    @property
    def key(self) -> str:
        """The key."""
        return self.found.key if self.found else self.known.key if self.known else ""


def merged(listing: Iterable[Found], known: Iterable[ImportFile]) -> Iterator[Pair]:
    """Both in one, key by key; each must be in the order of its keys' bytes of UTF-8."""
    files = iter(known)
    file = next(files, None)
    for found in listing:
        while file is not None and file.key.encode() < found.key.encode():
            yield Pair(None, file)
            file = next(files, None)
        if file is not None and file.key == found.key:
            yield Pair(found, file)
            file = next(files, None)
        else:
            yield Pair(found, None)
    while file is not None:
        yield Pair(None, file)
        file = next(files, None)


def changed(found: Found, file: ImportFile) -> ImportFile | None:
    """The file, noted as changed after its import; None where there is nothing to note."""
    same = (file.etag, file.version_id or found.version_id) == (found.etag, found.version_id)
    if file.state in {FileState.WAITING, FileState.READING} or same or file.changed_at == found.modified:
        return None
    return msgspec.structs.replace(file, changed_at=found.modified)


def gone(file: ImportFile, *, began: int) -> bool:
    """Whether a file that the listing has not is removed; the pass began then, in seconds since the epoch."""
    return file.state not in {FileState.WAITING, FileState.READING} and file.found_at < began
