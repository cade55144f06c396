"""Files that nobody should drop, messages that nobody should send, and what must become of them."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.core.errors import Code
from functions.core.imports import FileState
from tests.system.import_seen import FileSeen
from tests.system.import_stage import TIME, lines, record

GOOD = lines([record(0), record(1)])
TWO = FileSeen(records=2, events=2)
ONE_OF_THREE = FileSeen(records=3, events=2, rejects=1)
BROKEN = FileSeen(state=FileState.FAILED, code=Code.BAD_FILE)
HEADER = b"n,type,user,device,time,id,properties,skip\n"


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A file; `config` adds to its source's; `texts` are those of its rejects, or words of its failure's."""

    key: str
    body: bytes = GOOD
    seen: FileSeen = TWO
    kind: str = "json"
    config: Mapping[str, Any] = field(default_factory=dict)
    texts: tuple[str, ...] = ()


def _between(bad: bytes) -> bytes:
    first, second = GOOD.splitlines(keepends=True)
    return first + bad + b"\n" + second


def _timed(*times: Any) -> bytes:
    return lines(record(n, time=when) for n, when in enumerate(times))


GZIP: Mapping[str, Any] = {"compressionType": "gzip"}
DROPPED = [
    Dropped(key="empty.jsonl", body=b"", seen=FileSeen()),
    Dropped(key="only newlines.jsonl", body=b"\n\n\r\n", seen=FileSeen()),
    Dropped(key="a b+c%25d%.jsonl"),
    Dropped(key="🎉 naïve.jsonl"),
    Dropped(key="twice//slash.jsonl"),
    Dropped(key="dots/../up.jsonl"),
    Dropped(key="ends with/"),
    Dropped(
        key="no-utf-8.jsonl", body=_between(b'{"n": "\xff"}'), seen=ONE_OF_THREE, texts=(r'{"n": "\xff"}',)
    ),
    Dropped(key="cut.jsonl", body=_between(b'{"n":'), seen=ONE_OF_THREE, texts=('{"n":',)),
    Dropped(key="no-object.jsonl", body=_between(b"[1]"), seen=ONE_OF_THREE, texts=("[1]",)),
    Dropped(
        key="times.jsonl",
        body=_timed(TIME // 1000, -62_167_219_200_000, 9_223_372_036_854_775_807, str(TIME), "2022-02-17"),
        seen=FileSeen(records=5, events=2, rejects=3),
    ),
    Dropped(key="good.gz", body=gzip.compress(GOOD), config=GZIP),
    Dropped(key="members.gz", body=b"".join(map(gzip.compress, GOOD.splitlines(keepends=True))), config=GZIP),
    Dropped(key="truncated.gz", body=gzip.compress(GOOD)[:-20], config=GZIP, seen=BROKEN, texts=("byte",)),
    Dropped(key="no.gz", body=GOOD, config=GZIP, seen=BROKEN, texts=("gzip",)),
    Dropped(
        key="rows.csv",
        kind="csv",
        body=HEADER
        + b"0,seen,user-1,,%d,a,,\n1,seen,user-1,,%d,b,,,extra\n2,seen,user-1,,%d,c,,\n" % (TIME, TIME, TIME),
        seen=ONE_OF_THREE,
        texts=(f"1,seen,user-1,,{TIME},b,,,extra",),
    ),
    Dropped(key="empty.csv", kind="csv", body=b"", seen=FileSeen()),
]

BUCKET, KEY = "§", "§§"
"""Stand in messages for the drop bucket and a file in it."""


def _s3(event: str, key: str = KEY) -> str:
    told = {"eventName": event, "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}
    return json.dumps({"Records": [told]}, ensure_ascii=False)


def _event_bridge(kind: str) -> str:
    detail = {"bucket": {"name": BUCKET}, "object": {"key": KEY}}
    return json.dumps({"source": "aws.s3", "detail-type": kind, "detail": detail}, ensure_ascii=False)


TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}
IGNORED = [
    json.dumps(TEST_EVENT),
    _s3("ObjectRemoved:Delete"),
    _s3("s3:ObjectRemoved:DeleteMarkerCreated"),
    _s3("ObjectRestore:Completed"),
    _event_bridge("Object Deleted"),
    json.dumps({"Records": []}),
    json.dumps({"task": "file", "source_id": "nobody", "key": "x"}),
    json.dumps({"task": "scan", "source_id": "nobody"}),
    json.dumps({"task": "scan", "source_id": "n" * 3_000}),
]
UNKNOWN = [
    "",
    "no JSON",
    "[1]",
    "{}",
    '{"Records": [{}]}',
    '{"Records": "x"}',
    _s3("ObjectCreated:Put", "%ff"),
    '{"task": "file"}',
    '{"task": "erase", "source_id": "x", "key": "y"}',
    '{"source": "aws.s3", "detail-type": "Object Created"}',
    "[" * 5_000,
]
TOLD = [_event_bridge("Object Created"), _s3("s3:ObjectCreated:CompleteMultipartUpload")]
"""Each tells of the file, which is there."""
