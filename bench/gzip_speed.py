"""How fast files are gzipped: by `GzipWriter`, by the bare encoder below it, and by zlib.

python -m bench.gzip_speed [--quick]
"""

import io
import json
import random
import time
import zlib
from collections.abc import Callable
from statistics import median

from isal import isal_zlib

from bench import reports
from bench.reports import Claim, Report, Table
from functions.core.compression import BLOCK, GzipWriter

OVER_ZLIB = 3
OF_THE_ENCODER = 0.85
LARGER_THAN_ZLIB = 1.05

_GZIP = 31
_LEVEL = 2
_WORDS = ("lorem", "ipsum", "dolor", "sit", "amet")
_PIECE = 64 * 1024
_INTRODUCTION = """\
Rows of about 260 bytes as JSON lines, in memory, on one thread; megabytes before compression a second of processor
time, the median of rounds, all ways in turn. `GzipWriter` is given them in pieces of 64 KB, as writers do."""


def benchmark(quick: bool) -> Report:  # noqa: FBT001 - the only thing that a command line says
    """Every way, several times."""
    rows = _rows(40_000 if quick else 200_000)
    speeds: dict[str, list[float]] = {way: [] for way in _WAYS}
    sizes: dict[str, float] = {}
    for number in range(3 if quick else 9):
        reports.progress(f"gzip, round {number + 1}")
        for way, compress in _WAYS.items():
            began = time.process_time()
            sizes[way] = len(compress(rows)) / len(rows)
            speeds[way].append(len(rows) / 1e6 / (time.process_time() - began))
    typical = {way: median(each) for way, each in speeds.items()}
    table = [[way, f"{typical[way]:.0f}", f"{sizes[way]:.3f}"] for way in _WAYS]
    return Report(
        title="Gzip",
        command="python -m bench.gzip_speed",
        sections=[_INTRODUCTION, Table(columns=["way", "MB/s", "size"], rows=table)],
        claims=[
            _claim("`GzipWriter` over zlib 1, speed", typical[_OURS] / typical[_ZLIB], OVER_ZLIB),
            _claim("`GzipWriter` over ISA-L itself, speed", typical[_OURS] / typical[_ISAL], OF_THE_ENCODER),
            Claim(
                what="`GzipWriter` over zlib 1, size",
                measured=sizes[_OURS] / sizes[_ZLIB],
                bound=LARGER_THAN_ZLIB,
                at_most=True,
            ),
        ],
    )


def _claim(what: str, measured: float, bound: float) -> Claim:
    return Claim(what=what, measured=measured, bound=bound)


def _rows(count: int) -> bytes:
    chance = random.Random(1)
    return b"".join(json.dumps(_row(chance)).encode() + b"\n" for _ in range(count))


def _row(chance: random.Random) -> dict[str, object]:
    return {
        "event_id": chance.randrange(10**9),
        "user": f"user{chance.randrange(5000)}",
        "event": chance.choice(["view", "click", "purchase", "signup"]),
        "time": f"2026-03-08T{chance.randrange(24):02d}:30:00.{chance.randrange(10**6):06d}Z",
        "price": round(chance.random() * 100, 2),
        "country": chance.choice(["US", "DE", "FR", "JP"]),
        "session": f"{chance.getrandbits(128):032x}",
        "text": " ".join(chance.choice(_WORDS) for _ in range(12)),
    }


def _ours(rows: bytes) -> bytes:
    target = io.BytesIO()
    writer = GzipWriter(target)
    for start in range(0, len(rows), _PIECE):
        writer.write(rows[start : start + _PIECE])
    writer.close()
    return target.getvalue()


def _isal(rows: bytes) -> bytes:
    member = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
    pieces = [member.compress(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]
    return b"".join(pieces) + member.flush()


def _zlib(level: int) -> Callable[[bytes], bytes]:
    return lambda rows: zlib.compress(rows, level, _GZIP)


_OURS, _ISAL, _ZLIB = "`GzipWriter`", "ISA-L itself", "zlib 1"
_WAYS: dict[str, Callable[[bytes], bytes]] = {
    _OURS: _ours,
    _ISAL: _isal,
    _ZLIB: _zlib(1),
    "zlib 6": _zlib(6),
}

if __name__ == "__main__":
    reports.run(benchmark)
