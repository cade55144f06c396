"""Ours, in a process of its own: files that have arrived in a bucket become events of the store.

    python -m bench.imports_ours --bucket NAME --keys FILE --result FILE

The handler is the one that is deployed; it is told of the files by notifications of S3, ten a batch, as SQS gives
them without a window. What is measured begins once it is imported. It has one processor.
"""

import argparse
import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import invoking

_BATCH = 10


def pin() -> None:
    """Stay on one processor from now on, where the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _events(bucket: str, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(keys), _BATCH):
        yield invoking.sqs_event(_notification(bucket, key) for key in keys[start : start + _BATCH])


def _notification(bucket: str, key: str) -> str:
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
    return msgspec.json.encode({"Records": [record]}).decode()


def main() -> None:
    """Measure, and write the result to a file: what a handler prints is for logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--keys", type=Path, required=True, help="a file with a key a line")
    parser.add_argument("--objects", type=int, required=True, help="how many events or files these are")
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    pin()
    handler = importlib.import_module("functions.importer.handler").handler
    used = invoking.spent(handler, _events(given.bucket, given.keys.read_text().splitlines()))
    given.result.write_bytes(msgspec.json.encode(used.on(given.objects)))


if __name__ == "__main__":
    main()
