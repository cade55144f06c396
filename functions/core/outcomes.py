"""What became of a message, as every function that is fed by a queue reports it."""

import traceback
from enum import StrEnum

import msgspec

from functions.core.errors import Code


class State(StrEnum):
    """What became of a message; only one that is `DELAYED` is not done, and comes back."""

    DELIVERED = "delivered"
    STAGED = "staged"
    REPEATED = "repeated"
    FAILED = "failed"
    HELD = "held"
    DELAYED = "delayed"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one message, and for whom; `size` is in bytes, of what was written."""

    state: State
    connection: str | None = None
    failure: str | None = None
    code: Code | None = None
    text: str = ""
    size: int = 0


def unforeseen(error: Exception) -> str:
    """Its type and its place; an exception's own text can hold what no log may hold."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"unforeseen {type(error).__name__} in {place.name}, line {place.lineno}"
