"""A pass over a source's bucket: a listing beside the ledger, both in the order of their keys.

It tells what is new, what has changed and what is gone; it goes on, page by page, from where it was left.
"""

from collections.abc import Iterable, Iterator

import msgspec

from functions.core.errors import Code, Permanent
from functions.core.imports import OPEN, FileState, Found, ImportFile
from functions.core.sealing import AGAIN_SECONDS, GRACE_SECONDS


class Pass(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The latest pass over a source's bucket, as the ledger has it; times are seconds since the epoch.

    Everything up to the key `after` has been compared. Whoever is at work on it has it until `leased_until`; the
    planner asks for the rest again after `look_at`. `keys` are those that the bucket has, `found` those of them
    that nobody knew, `forgotten` those that it has no longer. `text` says why it was given up.
    """

    source: str
    began: int
    after: str = ""
    look_at: int = 0
    leased_until: int = 0
    keys: int = 0
    found: int = 0
    changed: int = 0
    forgotten: int = 0
    done_at: int | None = None
    text: str = ""
    revision: int = 0


class Pair(msgspec.Struct, frozen=True):
    """A key as the bucket has it, and as the ledger does; one of them may not have it."""

    found: Found | None
    known: ImportFile | None

    @property
    def key(self) -> str:
        """The key."""
        return self.found.key if self.found else self.known.key if self.known else ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What some keys of a pass came to, as the counts of `Pass`."""

    keys: int = 0
    found: int = 0
    changed: int = 0
    forgotten: int = 0


def merged(listing: Iterable[Found], known: Iterable[ImportFile]) -> Iterator[Pair]:
    """Both in one, key by key; each must be in the order of its keys' bytes of UTF-8.

    Raises:
        Permanent: `INVALID_BUCKET`; the listing is not, as that of a directory bucket: nothing follows from it.
    """
    files = iter(known)
    file = next(files, None)
    last = b""
    for found in listing:
        key = found.key.encode()
        if key <= last:
            raise Permanent(Code.INVALID_BUCKET, "the bucket does not list its keys in their order")
        last = key
        while file is not None and file.key.encode() < key:
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


def below(known: Iterable[ImportFile], prefix: str) -> Iterator[ImportFile]:
    """Those files whose keys begin so: of what a source had below another prefix, a listing says nothing."""
    end = prefix.encode()
    for file in known:
        if file.key.startswith(prefix):
            yield file
        elif file.key.encode() > end:
            return


def noted(found: Found, file: ImportFile) -> ImportFile | None:
    """The file, once this was found under its key; None where there is nothing to note.

    One that nobody has opened yet is what was found; one that was imported, or failed, has changed since.
    """
    both = found.version_id is not None and file.version_id is not None
    if found.etag == file.etag and (not both or found.version_id == file.version_id):
        return None
    if file.state is FileState.WAITING and file.version is None:
        return msgspec.structs.replace(
            file, etag=found.etag, version_id=found.version_id, size=found.size, modified=found.modified
        )
    if file.state in OPEN or file.changed_at == found.modified:
        return None
    return msgspec.structs.replace(file, changed_at=found.modified)


def gone(file: ImportFile, *, began: int) -> bool:
    """Whether a file that a pass did not find may be gone: not one that came while the pass was under way."""
    return file.state not in OPEN and file.found_at < began


def due(last: Pass | None, *, minutes: int, now: int) -> bool:
    """Whether it is time for the next pass; one that is under way is never overtaken."""
    return last is None or (last.done_at is not None and now >= last.began + minutes * 60)


def next_pass(source: str, last: Pass | None, *, now: int) -> Pass:
    """The pass that begins now, in place of the last one."""
    return Pass(source=source, began=now, look_at=now + AGAIN_SECONDS, revision=last.revision if last else 0)


def asked_again(last: Pass, *, now: int) -> Pass | None:
    """The pass, if nobody goes on with it and its task is to be sent again; else None."""
    if last.done_at is not None or now < max(last.look_at, last.leased_until):
        return None
    return msgspec.structs.replace(last, look_at=now + AGAIN_SECONDS)


def taken(last: Pass, *, now: int, until: int) -> Pass | None:
    """The pass with a lease until then; None where it is done, or somebody else has one."""
    if last.done_at is not None or last.leased_until > now:
        return None
    end = until + GRACE_SECONDS
    return msgspec.structs.replace(last, leased_until=end, look_at=end)


def progressed(current: Pass, seen: Seen, *, after: str) -> Pass:
    """The pass once it has come to this key."""
    counts = {name: getattr(current, name) + getattr(seen, name) for name in Seen.__struct_fields__}
    return msgspec.structs.replace(current, after=after, **counts)


def left(current: Pass, *, now: int) -> Pass:
    """The pass without a lease, to be gone on with by a task that is on its way."""
    return msgspec.structs.replace(current, leased_until=0, look_at=now + AGAIN_SECONDS)


def over(current: Pass, *, now: int, text: str = "") -> Pass:
    """The pass when it has come to its end, or, with a text that says why, when it was given up."""
    return msgspec.structs.replace(current, leased_until=0, done_at=now, text=text)
