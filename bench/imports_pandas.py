"""The peer `pandas`: the file becomes a frame, whose columns become those of the record.

    python -m bench.imports_pandas --source URL --target URL --objects N --result FILE

As one writes it who knows the library: columns as a whole where there is a way, and a function a row where there is
none. It makes the same records, and holds all of them at once.
"""

import gzip
import hashlib
import io
import time
import urllib.request
import uuid
from typing import Any

import pandas as pd

from bench import imports_stdlib as stdlib

_PROJECT, _NAMESPACE = 187520, uuid.UUID("8f0c2b1f-6d1a-5f6e-9d7a-4c1b3e5d7f90")
_SAME = {
    "$insert_id": "id",
    "user_id": "user",
    "device_id": "device",
    "event_type": "action",
    "session_id": "session",
    "version_name": "version",
    "os_name": "os",
    "device_model": "model",
    "country": "country",
    "city": "city",
    "ip_address": "ip",
}


def _number(user: str) -> int:
    return int.from_bytes(hashlib.sha256(f"user_id {_PROJECT} {user}".encode()).digest()[:8], "big") >> 1


def _uuid(device: str, insert_id: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"event {_PROJECT} {len(device)} {device} {insert_id}"))


def convert(source: str, target: str) -> None:
    """Make one file of events of one file of rows."""
    with urllib.request.urlopen(source) as data:
        rows = pd.read_json(io.BytesIO(data.read()), lines=True, compression="gzip", convert_dates=False)
    count = len(rows)
    common = stdlib.common_of(time.time())
    columns: dict[str, Any] = {name: [value] * count for name, value in common.items()}
    columns |= {name: rows[given] for name, given in _SAME.items()}
    told = pd.to_datetime(rows["at"], format="ISO8601").dt.strftime("%Y-%m-%d %H:%M:%S.%f")
    columns["client_event_time"] = columns["event_time"] = told
    columns["platform"] = rows["platform"].fillna("Web")
    columns["language"] = rows["language"].str.lower()
    rows["total"] = rows["price"] * rows["quantity"]
    columns["event_properties"] = rows[["sku", "title", "page", "quantity", "total"]].to_dict("records")
    numbers = {user: _number(user) for user in rows["user"].unique()}
    columns["amplitude_id"] = rows["user"].map(numbers)
    columns["uuid"] = [_uuid(*each) for each in zip(rows["device"], rows["id"], strict=True)]
    events = pd.DataFrame(columns)
    text = events.to_json(orient="records", lines=True, force_ascii=False, double_precision=15)
    stdlib.put(target, gzip.compress(text.encode(), 1))


if __name__ == "__main__":
    stdlib.run(convert)
