"""The files that an import is measured with, always the same: events of a shop, as JSON lines, CSV and Parquet.

A row is about 415 bytes of JSON. Its values are the same in all formats, and the converter makes the same events
of them.
"""

import gzip
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.json as pj
import pyarrow.parquet as pq

from bench import import_contents

FIELDS: dict[str, Any] = {
    "insert_id": "id",
    "user_id": "user",
    "device_id": "device",
    "event_type": "action",
    "time": ["iso_time_to_ms", "at"],
    "session_id": "session",
    "app_version": "version",
    "platform": ["any", "platform", ["value", "Web"]],
    "os_name": "os",
    "device_model": "model",
    "country": "country",
    "city": "city",
    "language": ["lowercase", "language"],
    "ip": "ip",
    "event_properties": {
        "sku": "sku",
        "title": "title",
        "page": "page",
        "quantity": ["round", "quantity"],
        "total": ["multiply", "price", "quantity"],
    },
}
"""The converter: its 15 fields."""

FILES = {"json": "rows.jsonl.gz", "csv": "rows.csv.gz", "parquet": "rows.parquet"}
"""What is written, by the converter's `fileType`."""

_GZIP_LEVEL = 6
_USERS = 100_000
_ACTIONS = ("Product Viewed", "Product Added", "Search", "Checkout Started", "Order Completed", "Signed In")
_DEVICES = (
    ("iOS", "iOS 19.2", "iPhone 17"),
    ("iOS", "iOS 18.6", "iPad Air"),
    ("Android", "Android 16", "Pixel 10 Pro"),
    ("Android", "Android 15", "SM-S931B"),
    (None, "Windows 11", "Chrome"),
    (None, "macOS 26", "Safari"),
)
_PLACES = (
    ("DE", "Berlin", "de-DE"),
    ("DE", "München", "de-DE"),
    ("FR", "Lyon", "fr-FR"),
    ("JP", "Osaka", "ja-JP"),
    ("US", "Boston", "en-US"),
    ("GB", "Leeds", "en-GB"),
    ("BR", "Recife", "pt-BR"),
)
_WORDS = (  # noqa: SIM905 - as a list it is a page
    "amber basin candle cedar clover copper coral delta ember fern flint glacier grain harbor hazel ivory lantern"
    " linen maple marble meadow oasis paper pebble quartz raven ribbon saddle silver timber velvet walnut"
).split()


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Files of the same rows in a folder; `ids` is the digest of their insert ids."""

    folder: Path
    rows: int
    json_bytes: int
    ids: str

    def path(self, kind: str) -> Path:
        """The file of a kind."""
        return self.folder / FILES[kind]


def write(folder: Path, *, rows: int) -> Files:
    """Write the rows in all formats."""
    folder.mkdir()
    lines = b"".join(lines_of(range(rows)))
    (folder / FILES["json"]).write_bytes(gzip.compress(lines, _GZIP_LEVEL))
    table = pj.read_json(pa.BufferReader(lines), parse_options=pj.ParseOptions(explicit_schema=_SCHEMA))
    pq.write_table(table, folder / FILES["parquet"])
    text = pa.BufferOutputStream()
    pv.write_csv(table, text, pv.WriteOptions(quoting_style="none"))
    (folder / FILES["csv"]).write_bytes(gzip.compress(text.getvalue(), _GZIP_LEVEL))
    ids = import_contents.ids_of(table.column("id").to_pylist())
    return Files(folder=folder, rows=rows, json_bytes=len(lines), ids=ids)


def write_small(folder: Path, *, files: int, rows: int) -> None:
    """Write files of so many rows each, as JSON lines."""
    folder.mkdir()
    for number in range(files):
        lines = b"".join(lines_of(range(number * rows, (number + 1) * rows)))
        (folder / f"{number:06d}.jsonl.gz").write_bytes(gzip.compress(lines, _GZIP_LEVEL))


def write_large(path: Path, *, size: int) -> int:
    """Write a file of at least so many decoded bytes, of rows with a long text; how many rows it has.

    It is one gzip member, over and over: their rows are the same, and so are their insert ids.
    """
    lines = b"".join(lines_of(range(_MEMBER_ROWS), text=_LONG_TEXT))
    member = gzip.compress(lines, 1)
    times = -(-size // len(lines))
    with path.open("wb") as file:
        for _ in range(times):
            file.write(member)
    return times * _MEMBER_ROWS


def lines_of(numbers: range, *, text: int = 0) -> Iterator[bytes]:
    """Rows as lines of JSON, with a text of about so many characters besides."""
    chance = random.Random(numbers.start)
    for number in numbers:
        row = _row(number, chance)
        if text:
            row["note"] = " ".join(chance.choices(_WORDS, k=text // 7))
        yield msgspec.json.encode(row) + b"\n"


_MEMBER_ROWS = 40_000
_LONG_TEXT = 1_200
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "action", "user", "device", "at")),
        ("session", pa.int64()),
        *((name, pa.string()) for name in ("platform", "os", "model", "version", "language")),
        *((name, pa.string()) for name in ("country", "city", "ip", "sku", "title", "page")),
        ("price", pa.float64()),
        ("quantity", pa.int64()),
    ]
)


def _row(number: int, chance: random.Random) -> dict[str, Any]:
    bits = chance.getrandbits
    # Some users do much, and most of them little.
    user = int(chance.random() ** 2 * _USERS)
    platform, system, model = _DEVICES[user % len(_DEVICES)]
    country, city, language = _PLACES[user // 7 % len(_PLACES)]
    second = bits(30) % 86_400
    words = bits(20)
    day = f"2026-03-{1 + bits(10) % 28:02d}"
    return {
        "id": _uuid(f"{bits(96):024x}{number:08x}"),
        "action": _ACTIONS[bits(10) % len(_ACTIONS)],
        "user": f"user-{user * 7919 % 10**8:08d}",
        "device": _uuid(f"{user * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"),
        "at": f"{day}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{bits(10) % 1000:03d}Z",
        "session": 1_772_323_200_000 + bits(30),
        "platform": platform,
        "os": system,
        "model": model,
        "version": f"4.{user % 13}.{user % 3}",
        "language": language,
        "country": country,
        "city": city,
        "ip": f"203.0.{user % 113}.{user % 251}",
        "sku": f"{bits(20):05x}",
        "title": f"{_WORDS[words % 32]} {_WORDS[words >> 5 & 31]}",
        "page": f"/shop/{bits(24):06x}",
        "price": bits(9) + 0.99,
        "quantity": 1 + bits(2),
    }


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-9{digits[17:20]}-{digits[20:]}"
