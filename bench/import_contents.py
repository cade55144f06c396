"""What is in the files that a side has made of events, whatever their order."""

import gzip
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

_STAMPS = ("client_upload_time", "processed_time", "server_received_time", "server_upload_time")
_MODULUS = 2**128


class Contents(msgspec.Struct, frozen=True):
    """How many events there are, and digests of their insert ids, and of all of them but for the stamps."""

    events: int
    ids: str
    records: str


def contents(files: Iterable[Path]) -> Contents:
    """What is in these files, JSON lines in gzip."""
    events = ids = records = 0
    for path in files:
        for line in gzip.decompress(path.read_bytes()).splitlines():
            record: dict[str, Any] = msgspec.json.decode(line)
            events += 1
            ids += _number(str(record.get("$insert_id") or record["_insert_id"]).encode())
            for name in _STAMPS:
                record.pop(name, None)
            records += _number(msgspec.json.encode(record, order="deterministic"))
    return Contents(events, f"{ids % _MODULUS:032x}", f"{records % _MODULUS:032x}")


def ids_of(ids: Iterable[str]) -> str:
    """The digest of these insert ids."""
    return f"{sum(_number(each.encode()) for each in ids) % _MODULUS:032x}"


def count(files: Iterable[Path]) -> int:
    """How many lines there are."""
    return sum(gzip.decompress(path.read_bytes()).count(b"\n") for path in files)


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=16).digest(), "big")
