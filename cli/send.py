"""`sluice send`: messages, one JSON object a line, into the queue."""

import codecs
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, BinaryIO
from uuid import UUID

import typer

from cli.destination import stored
from cli.run import Run, command
from functions.core import json_members, messages
from functions.core.errors import Code, Fault, Permanent, Refused
from functions.core.instants import Instant
from functions.core.outgoing import Outgoing

_LARGEST_DOCUMENT = 64 * 1024 * 1024
"""Bytes that are looked through for one message over several lines; lines may be of any length."""


_MOST_TOLD = 100
"""Lines that are told one by one; a file with more that cannot be sent is another file than was meant."""

_NO_LINES = {
    b"\x1f\x8b": ("a gzip file", "gunzip -c FILE | sluice send - --destination NAME"),
    b"PAR1": ("a Parquet file", "sluice convert FILE --settings SETTINGS --out DIR, with `format: ndjson`"),
    b"PK\x03\x04": ("a zip file", "unzip -p FILE | sluice send - --destination NAME"),
}
"""What files begin with that hold no lines, and how to have their lines sent."""


def add_to(app: typer.Typer) -> None:
    """Make `send` a command of this application."""

    @command(app, example="sluice send messages.jsonl --destination acme", aws=True)
    def send(
        run: Run,
        file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="One JSON object a line.")] = "-",
        *,
        destination: Annotated[str, typer.Option(metavar="NAME", help="For whom.", show_default=False)],
        data: Annotated[
            str | None, typer.Option(metavar="FIELD", help="The field of a line that is the payload.")
        ] = None,
        metadata: Annotated[
            str | None, typer.Option(metavar="FIELD,…", help="The fields of a line that are metadata.")
        ] = None,
    ) -> None:
        """Send messages: `{id?, topic?, time?, metadata?, data}`, or with --data lines of any form.

        A line that cannot be sent is told, and the others are sent. A message without id gets a UUIDv7.
        """
        stored(run.deployment, destination)
        shape = _Shape(destination, data, metadata.split(",") if metadata else [])
        faults: list[Fault] = []
        with _lines(file) as lines:
            sent = run.deployment.sender().send(_messages(run, lines, shape, faults))
        run.progress("")
        if faults:
            raise run.fail(faults, {"sent": sent})
        run.result({"sent": sent}, f"{sent} message(s) sent to {destination}")


class _Shape:
    """How lines become messages."""

    def __init__(self, destination: str, data: str | None, metadata: list[str]) -> None:
        self.destination = destination
        self._data = data
        self._metadata = metadata

    def message(self, line: bytes) -> Outgoing:
        """The message that a line is; its payload is the very text that the line has.

        Raises:
            ValueError: The line is no JSON object in UTF-8, or lacks what was asked for.
            Permanent: `BAD_MESSAGE`; it is no message that could be delivered.
        """
        try:
            members = json_members.members(line.decode())
        except ValueError as error:
            raise ValueError(f"not a JSON object: {error}") from None
        if self._data is None and "data" not in members:
            raise ValueError("there is no field `data`; --data FIELD says which field is the payload")
        given = members if self._data is None else self._chosen(members)
        fields = {"id": json.dumps(_uuid7()), **given, "destination_id": json.dumps(self.destination)}
        body = "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in fields.items()) + "}"
        messages.parse_message(body.encode(), message_id="", sent=Instant(0))
        return Outgoing(body=body, group=self.destination)

    def _chosen(self, members: dict[str, str]) -> dict[str, str]:
        texts = {name: _text(name, members[name]) for name in self._metadata if name in members}
        metadata = {name: text for name, text in texts.items() if text is not None}
        if self._data not in members:
            raise ValueError(f"there is no field `{self._data}`")
        return {"metadata": json.dumps(metadata), "data": members[self._data]}


def _text(name: str, source: str) -> str | None:
    """A member as metadata: a string as it is, a number or boolean as it is written, null not at all."""
    if source.startswith(("{", "[")):
        raise ValueError(f"`{name}` is no text, number or boolean, and so no metadata")
    return json.loads(source) if source.startswith('"') else None if source == "null" else source


def _messages(run: Run, lines: Iterable[bytes], shape: _Shape, faults: list[Fault]) -> Iterator[Outgoing]:
    untold = 0
    for number, line in enumerate(lines, 1):
        run.progress(f"{number} lines")
        if not line.strip():
            continue
        try:
            yield shape.message(line)
        except (ValueError, RecursionError, Permanent) as error:
            if len(faults) == _MOST_TOLD:
                untold += 1
                continue
            why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            faults.append(Fault(code=Code.BAD_MESSAGE, path=f"line {number}", line=number, message=why))
    if untold:
        faults.append(Fault(code=Code.BAD_MESSAGE, message=f"{untold} more lines were not sent"))


@contextmanager
def _lines(file: str) -> Iterator[Iterable[bytes]]:
    if file == "-":
        yield _messages_of(sys.stdin.buffer)
        return
    try:
        with Path(file).open("rb") as lines:
            yield _messages_of(lines)
    except OSError as error:
        raise Refused([Fault(code=Code.MISSING_FILE, path=file, message=str(error.strerror))]) from None


def _messages_of(lines: BinaryIO) -> Iterable[bytes]:
    """The lines; or all of them as one, where it takes them all to make an object, as an editor leaves it.

    Raises:
        Refused: There are no lines.
    """
    first = lines.readline().removeprefix(codecs.BOM_UTF8)
    for beginning, (what, cure) in _NO_LINES.items():
        if first.startswith(beginning):
            raise Refused([Fault(code=Code.BAD_FILE, message=f"this is {what}, and no lines", cure=cure)])
    if _is_object(first) or not first.lstrip().startswith(b"{"):
        return chain([first], lines)
    whole = first + lines.read(_LARGEST_DOCUMENT)
    if _is_object(whole):
        return [whole]
    return chain((whole + lines.readline()).splitlines(), lines)


def _is_object(text: bytes) -> bool:
    try:
        json_members.members(text.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _uuid7() -> str:
    """RFC 9562, section 5.7: milliseconds since the epoch, then chance."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))
