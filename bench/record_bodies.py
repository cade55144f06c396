"""The rows that files are made of, always the same, and the record messages that they come in.

A row is a line of JSON of about 330 bytes, as an export of orders has them. What is written here is JSON alone, so
that each side reads it as it likes; peers run this module too, in environments of their own.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BODY_BYTES = 1_000_000
"""Of a full message, as `sluice load` packs them."""

_AROUND = 600
"""What a message has beside its rows, with room for a schema."""

_WORDS = (  # noqa: SIM905 - as a list it is a page
    "angle arrow basin bench café candle canal cargo cedar chalk cliff clover copper coral cradle delta ember"
    " falcon fern flint garden glacier grain hammer harbor hazel island ivory kettle ladder lantern linen maple"
    " marble meadow mirror needle oasis orchard paper pebble pepper pillar prairie quartz raven ribbon river saddle"
    " salmon shadow silver spruce stable summit thunder timber tunnel valley velvet walnut willow window winter"
).split()
_COUNTRIES = ("AT", "BR", "CH", "DE", "ES", "FR", "GB", "IN", "IT", "JP", "MX", "NL", "PL", "SE", "US")
_COUPONS = ("null", "null", "null", '"SPRING-10"', '"WELCOME"')
_SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "uuid": {"type": "string"},
        "email": {"type": "string"},
        "created_at": {"type": "string", "format": "date-time"},
        "updated_at": {"type": "string", "format": "date-time"},
        "amount": {"type": "number"},
        "tax": {"type": "number"},
        "active": {"type": "boolean"},
        "country": {"type": "string"},
        "url": {"type": "string"},
        "note": {"type": "string"},
        "coupon": {"type": ["string", "null"]},
    },
}
COLUMNS = tuple(_SCHEMA["properties"])


class Head(NamedTuple):
    """What the messages of a run say beside their rows; `declared` if they say what columns the rows have."""

    destination: str
    run: str
    declared: bool = False

    def text(self) -> str:
        """The beginning of each body, without the brace that would end it."""
        stream = {"id": "orders", "name": "orders"} | ({"schema": _SCHEMA} if self.declared else {})
        members = {
            "destination_id": self.destination,
            "connection_id": "shop",
            "connection_run_id": f"connection-{self.run}",
            "stream": stream,
            "stream_run_id": self.run,
            "started_at": "2026-03-08T14:30:00Z",
        }
        return json.dumps(members, separators=(",", ":")).removesuffix("}")


def write(folder: Path, *, rows: int, body_bytes: int) -> None:
    """Write the rows, as many to a file as a message of this size takes."""
    folder.mkdir()
    waiting: list[str] = []
    size = number = 0
    for row in _rows(rows):
        if waiting and size + len(row) > body_bytes - _AROUND:
            _write(folder, number, waiting)
            waiting, size, number = [], 0, number + 1
        waiting.append(row)
        size += len(row) + 1
    _write(folder, number, waiting)


def files(folder: Path) -> list[Path]:
    """What was written, in order; each file holds the rows of a message, with commas between them."""
    return sorted(folder.iterdir())


def bodies(folder: Path, head: Head) -> Iterator[str]:
    """The messages of a run with these rows."""
    text = head.text()
    for number, path in enumerate(files(folder)):
        yield f'{text},"sequence":{number},"records":[{path.read_text()}]}}'


def end(folder: Path, head: Head, *, rows: int) -> str:
    """The message that ends the run."""
    return f'{head.text()},"end":true,"batches":{len(files(folder))},"records_total":{rows}}}'


def _write(folder: Path, number: int, rows: list[str]) -> None:
    (folder / f"{number:06d}.json").write_text(",".join(rows))


def _rows(count: int) -> Iterator[str]:
    chance = random.Random(1)
    for number in range(count):
        yield _row(number, chance)


def _row(number: int, chance: random.Random) -> str:
    bits, tenths = chance.getrandbits, chance.random
    name, words = bits(20), bits(18)
    uuid = f"{bits(128):032x}"
    day, second, later = 1 + bits(20) % 28, bits(30) % 86_400, bits(16)
    return (
        f'{{"id":{10_000_000 + number},'
        f'"uuid":"{uuid[:8]}-{uuid[8:12]}-4{uuid[13:16]}-9{uuid[17:20]}-{uuid[20:]}",'
        f'"email":"{_word(name)}.{_word(name >> 6)}{name >> 12}@example.com",'
        f'"created_at":"2026-03-{day:02d}T{_time(second)}.{bits(10) % 1000:03d}Z",'
        f'"updated_at":"2026-04-{day:02d}T{_time(later)}.{bits(10) % 1000:03d}Z",'
        f'"amount":{int(tenths() * 500_000) / 100},"tax":{int(tenths() * 50_000) / 100},'
        f'"active":{_truth(bits(2) > 0)},"country":"{_COUNTRIES[bits(16) % len(_COUNTRIES)]}",'
        f'"url":"https://shop.example.com/orders/{bits(40):010x}",'
        f'"note":"{" ".join(_word(words >> 6 * place) for place in range(3))}",'
        f'"coupon":{_COUPONS[bits(16) % len(_COUPONS)]}}}'
    )


def _word(bits: int) -> str:
    return _WORDS[bits % 64]


def _time(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _truth(value: bool) -> str:  # noqa: FBT001 - it is the value
    return "true" if value else "false"
