"""The peer that everyone writes first: `json`, `gzip`, and a dict of functions, one for each field.

    python -m bench.imports_stdlib --source URL --target URL --objects N --result FILE

It makes the same records as ours, to the last byte of each value, and its gzip is of the level that is nearest to
ours in size. It has no rules (nothing is checked, cut or refused), no chunks, no ledger, and its requests are not
signed.
"""

import argparse
import gzip
import hashlib
import io
import json
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.imports_ours import pin
from bench.usage import Spent
from functions.core.events.fields import COLUMNS, Kind

_PROJECT = 187520
_NAMESPACE = uuid.UUID("8f0c2b1f-6d1a-5f6e-9d7a-4c1b3e5d7f90")
_DICTIONARIES = {Kind.DICTIONARY, Kind.PROPERTIES, Kind.GROUPS}
_EMPTY: dict[str, Any] = {name: {} if kind in _DICTIONARIES else None for name, kind in COLUMNS.items()}
_LEVEL = 1

CONVERTER: dict[str, Callable[[dict[str, Any]], Any]] = {
    "$insert_id": lambda row: row["id"],
    "user_id": lambda row: row["user"],
    "device_id": lambda row: row["device"],
    "event_type": lambda row: row["action"],
    "client_event_time": lambda row: datetime.fromisoformat(row["at"]).strftime("%Y-%m-%d %H:%M:%S.%f"),
    "session_id": lambda row: row["session"],
    "version_name": lambda row: row["version"],
    "platform": lambda row: row["platform"] or "Web",
    "os_name": lambda row: row["os"],
    "device_model": lambda row: row["model"],
    "country": lambda row: row["country"],
    "city": lambda row: row["city"],
    "language": lambda row: row["language"].lower(),
    "ip_address": lambda row: row["ip"],
    "event_properties": lambda row: {
        "sku": row["sku"],
        "title": row["title"],
        "page": row["page"],
        "quantity": round(row["quantity"]),
        "total": row["price"] * row["quantity"],
    },
}
"""What `bench.import_rows.FIELDS` says, as functions."""


def record(row: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """The exported record of a row."""
    made = common | {name: convert(row) for name, convert in CONVERTER.items()}
    made["event_time"] = made["client_event_time"]
    who = hashlib.sha256(f"user_id {_PROJECT} {made['user_id']}".encode()).digest()
    made["amplitude_id"] = int.from_bytes(who[:8], "big") >> 1
    device = made["device_id"]
    name = f"event {_PROJECT} {len(device)} {device} {made['$insert_id']}"
    made["uuid"] = str(uuid.uuid5(_NAMESPACE, name))
    return made


def common_of(now: float) -> dict[str, Any]:
    """What all records have in common."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    names = ("client_upload_time", "processed_time", "server_received_time", "server_upload_time")
    return _EMPTY | {"app": _PROJECT} | dict.fromkeys(names, stamp)


def _lines(source: str) -> Iterator[bytes]:
    with urllib.request.urlopen(source) as data, gzip.open(io.BytesIO(data.read())) as lines:
        yield from lines


def convert(source: str, target: str) -> None:
    """Make one file of events of one file of rows."""
    common = common_of(time.time())
    made = io.BytesIO()
    with gzip.open(made, "wb", compresslevel=_LEVEL) as events:
        for line in _lines(source):
            text = json.dumps(record(json.loads(line), common), separators=(",", ":"), ensure_ascii=False)
            events.write(text.encode() + b"\n")
    put(target, made.getvalue())


def put(target: str, data: bytes) -> None:
    """Put an object."""
    request = urllib.request.Request(target, data, method="PUT")
    urllib.request.urlopen(request).close()


def run(convert: Callable[[str, str], None]) -> None:
    """Measure, and write the result to a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--objects", type=int, required=True)
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    pin()
    begin = Spent.by_process()
    convert(given.source, given.target)
    used = (Spent.by_process() - begin).on(given.objects)
    given.result.write_bytes(msgspec.json.encode(used))


if __name__ == "__main__":
    run(convert)
