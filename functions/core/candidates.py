"""Chunks as they are kept while their insert ids are claimed, to the last digit."""

from typing import Any

import msgspec

from functions.core.chunks import Change, Chunk
from functions.core.events.fields import DataType
from functions.core.formats.json_values import number


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """MessagePack knows neither integers above 64 bits nor decimals, so that rows are kept as JSON."""

    chunk: Chunk
    changes: list[tuple[int, DataType, bytes]]


_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=number).decode


def encoded(chunk: Chunk) -> bytes:
    """A chunk as bytes."""
    changes = [(change.record, change.kind, _encode(change.row)) for change in chunk.changes]
    return msgspec.msgpack.encode(_Kept(msgspec.structs.replace(chunk, changes=[]), changes))


def decoded(data: bytes) -> Chunk:
    """The chunk that the bytes are."""
    kept = msgspec.msgpack.decode(data, type=_Kept)
    changes = [Change(record, kind, _decode(row)) for record, kind, row in kept.changes]
    return msgspec.structs.replace(kept.chunk, changes=changes)
