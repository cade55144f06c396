"""One way of putting objects, in a process of its own: what a number of them costs.

    python -m bench.ways WAY --count 4000 --result FILE

The ways differ in the library, in who waits for an answer, and in who computes what is put.
"""

import argparse
import asyncio
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import boto3
import msgspec
import obstore
from obstore.store import S3Store

from bench import messages
from bench.usage import Spent, Usage
from functions.core import messages as core
from functions.core.instants import Instant
from functions.core.templates.jmespath_keys import KeyTemplate

AT_ONCE = 32
WARM_UP = 64
AHEAD = 64

_TEMPLATE = KeyTemplate.parse(messages.TEMPLATE)
_RECORDS = next(messages.batches(count=1000, size=1000))["Records"]

Put = Callable[["Object"], object]
Way = Callable[[Iterable[int]], None]


class Object(msgspec.Struct, frozen=True):
    """What is put."""

    key: str
    body: bytes
    metadata: dict[str, str]


def compute(number: int) -> Object:
    """What `message_writer` computes of a message; numbered, so that each is an object of its own."""
    record = _RECORDS[number % len(_RECORDS)]
    sent = Instant.from_milliseconds(int(record["attributes"]["SentTimestamp"]))
    message = core.parse_message(record["body"].encode(), message_id=record["messageId"], sent=sent)
    plain = core.object_metadata(message, own={})
    name = _TEMPLATE.render(metadata=plain, time=message.time, data=message.data)
    metadata = core.sent_metadata(message, plain)
    body = core.object_body(message, envelope=True)
    return Object(key=f"{name}-{number}", body=body, metadata=metadata)


_SAME = compute(0)


def _same(number: int) -> Object:
    return Object(key=f"{_SAME.key}-{number}", body=_SAME.body, metadata=_SAME.metadata)


def _by_boto3() -> Put:
    client: Any = boto3.client("s3")
    return lambda each: client.put_object(
        Bucket=messages.BUCKET,
        Key=each.key,
        Body=each.body,
        ContentType="application/json",
        Metadata=each.metadata,
        ChecksumAlgorithm="SHA256",
    )


def _by_obstore(store: S3Store) -> Put:
    return lambda each: obstore.put(
        store, each.key, each.body, attributes=_attributes(each), use_multipart=False
    )


def _store() -> S3Store:
    return S3Store(
        messages.BUCKET,
        endpoint=os.environ["AWS_ENDPOINT_URL"],
        client_options={"allow_http": True},
        checksum_algorithm="SHA256",
    )


def _attributes(each: Object) -> Any:
    return {"Content-Type": "application/json", **each.metadata}


def _in_turn(put: Put) -> Way:
    def way(numbers: Iterable[int]) -> None:
        for number in numbers:
            put(_same(number))

    return way


def _on_threads(put: Put, make: Callable[[int], Object], *, threads: int = AT_ONCE) -> Way:
    """Each thread makes an object, puts it, and takes the next."""

    def way(numbers: Iterable[int]) -> None:
        waiting = iter(list(numbers))

        def work(_: int) -> None:
            for number in waiting:
                put(make(number))

        with ThreadPoolExecutor(threads) as executor:
            list(executor.map(work, range(threads)))

    return way


def _ahead_on_threads(put: Put) -> Way:
    """A thread that finds no object made makes some for all."""

    def way(numbers: Iterable[int]) -> None:
        waiting = iter(list(numbers))
        made: deque[Object] = deque()
        turn = threading.Lock()

        def work(_: int) -> None:
            while True:
                try:
                    each = made.popleft()
                except IndexError:
                    with turn:
                        if not made:
                            made.extend([compute(number) for number in itertools.islice(waiting, AHEAD)])
                        if not made:
                            return
                else:
                    put(each)

        with ThreadPoolExecutor(AT_ONCE) as executor:
            list(executor.map(work, range(AT_ONCE)))

    return way


def _on_a_loop(store: S3Store) -> Way:
    async def work(waiting: Iterable[int]) -> None:
        for number in waiting:
            each = _same(number)
            await obstore.put_async(
                store, each.key, each.body, attributes=_attributes(each), use_multipart=False
            )

    async def all_of(numbers: Iterable[int]) -> None:
        waiting = iter(list(numbers))
        await asyncio.gather(*(work(waiting) for _ in range(AT_ONCE)))

    return lambda numbers: asyncio.run(all_of(numbers))


WAYS: dict[str, Callable[[], Way]] = {
    "boto3-in-turn": lambda: _in_turn(_by_boto3()),
    "boto3-threads": lambda: _on_threads(_by_boto3(), _same),
    "obstore-in-turn": lambda: _in_turn(_by_obstore(_store())),
    "obstore-8-threads": lambda: _on_threads(_by_obstore(_store()), _same, threads=8),
    "obstore-threads": lambda: _on_threads(_by_obstore(_store()), _same),
    "obstore-loop": lambda: _on_a_loop(_store()),
    "computing-each": lambda: _on_threads(_by_obstore(_store()), compute),
    "computing-ahead": lambda: _ahead_on_threads(_by_obstore(_store())),
}


def measure(way: Way, *, count: int) -> Usage:
    """So many objects, put."""
    way(range(WARM_UP))
    begin = Spent.by_process()
    way(range(WARM_UP, WARM_UP + count))
    return (Spent.by_process() - begin).on(count)


def main() -> NoReturn:
    """Measure, write the result to a file, and end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    given.result.write_bytes(msgspec.json.encode(measure(WAYS[given.way](), count=given.count)))
    # Not sys.exit: an interpreter that ends after put_async aborts now and then, with nothing wrong.
    os._exit(0)


if __name__ == "__main__":
    main()
