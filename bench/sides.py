"""The two that are compared, each run in fresh processes, and each checked: what failed fast was not fast."""

import time
from collections.abc import Mapping

import msgspec

from bench import deployment, messages, processes
from bench.endpoint import Endpoint
from bench.one_side import WARM_UP
from bench.usage import Usage


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A handler; `checksum` is what the peer asks boto3 for, empty for boto3's own default."""

    name: str
    module: str
    checksum: str = "SHA256"


OURS = Side(name="ours", module="functions.message_writer.handler")
PEER = Side(name="peer", module="bench.peer")
PEER_BY_DEFAULT = Side(name="peer, boto3's default checksum", module="bench.peer", checksum="")


class SideError(Exception):
    """A side did not write what it had to."""


def used_by(side: Side, endpoint: Endpoint, *, url: str, count: int, size: int) -> Usage:
    """What `count` messages in batches of `size` cost this side; `url` is the endpoint as it is to be reached.

    Raises:
        ProcessError: It failed.
        SideError: Not exactly one object a message was written, or one is not what it must be.
    """
    result = endpoint.folder / "usage.json"
    load = ["--count", str(count), "--size", str(size), "--result", str(result)]
    _python(endpoint, side, url, "-m", "bench.one_side", side.module, *load)
    _check(side, endpoint.take_objects(messages.BUCKET), WARM_UP + count)
    return msgspec.json.decode(result.read_bytes(), type=Usage)


def import_seconds(side: Side | None, endpoint: Endpoint) -> float:
    """How long a fresh interpreter takes that imports the handler; that imports nothing, without a side."""
    code = f"import {side.module}" if side else "pass"
    start = time.perf_counter()
    _python(endpoint, side or OURS, endpoint.url, "-c", code)
    return time.perf_counter() - start


def _python(endpoint: Endpoint, side: Side, url: str, *arguments: str) -> None:
    environment = deployment.environment(
        url, byte_code=endpoint.folder / "byte_code", peer_checksum=side.checksum
    )
    processes.python(*arguments, environment=environment, log=endpoint.folder / "side.log")


def _check(side: Side, objects: Mapping[str, bytes], count: int) -> None:
    if len(objects) != count:
        raise SideError(f"{side.name} wrote {len(objects)} objects for {count} messages")
    last = count - 1
    if objects.get(messages.key(last)) != messages.body(last):
        raise SideError(f"{side.name} did not write {messages.key(last)} as it must be")
