"""For laws that have two sides: what a call gives, or the `Permanent` that it raises, as a value."""

from collections.abc import Callable
from typing import TypeVar

from functions.core.errors import Permanent

T = TypeVar("T")


def attempted(call: Callable[[], T]) -> T | Permanent:
    """What the call gives or raises; anything but `Permanent` is raised on, and fails the test."""
    try:
        return call()
    except Permanent as error:
        return error
