"""What the peers of the stream destination have in common: what they are given, and how they are measured.

They run in environments of their own, with msgspec for the result and orjson to read JSON with.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bench import record_bodies
from bench.record_bodies import Head
from bench.usage import Spent

BUCKET = "bench-bucket"

Write = Callable[[str, str, Iterator[str]], None]
"""Writes the rows of messages as files of a format into a folder of the bucket."""


def run(write: Write) -> None:
    """Measure, and write the result to a file. Reading the messages is left out: in AWS they come as they are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("format", choices=["jsonl", "csv", "parquet"])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--bodies", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    messages = _Messages(record_bodies.bodies(given.bodies, Head(given.format, given.folder)))
    begin = Spent.by_process()
    write(given.format, given.folder, messages)
    used = (Spent.by_process() - begin - messages.reading).on(given.rows)
    given.result.write_bytes(msgspec.json.encode(used))


class _Messages(Iterator[str]):
    """Messages, and what it has cost so far to have them."""

    def __init__(self, bodies: Iterator[str]) -> None:
        self._bodies = bodies
        self.reading = Spent(0, 0)

    def __next__(self) -> str:
        asked = Spent.by_thread()
        try:
            return next(self._bodies)
        finally:
            self.reading += Spent.by_thread() - asked
