"""Checking a document field by field: every fault at once, each with its path."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from functions.core.errors import Code, Fault, Refused


class Field(msgspec.Struct, frozen=True):
    """One field: its check gives the value that is kept, or raises `Refused`; absent, it is `default`."""

    check: Callable[[Any], Any]
    default: Any = None
    required: bool = False


def read(document: Any, fields: Mapping[str, Field]) -> dict[str, Any]:
    """The values of all fields of a document.

    Raises:
        Refused: Everything that `collect` finds.
    """
    values, faults = collect(document, fields)
    if faults:
        raise Refused(faults)
    return values


def collect(document: Any, fields: Mapping[str, Field]) -> tuple[dict[str, Any], list[Fault]]:
    """The values of the fields that are in order (null counts as absent), and the faults of the others.

    Faults are unknown and missing fields and whatever the checks refuse, with paths from here.
    """
    if not isinstance(document, dict):
        return {}, [_fault("", f"must be a mapping of fields, not {kind(document)}")]
    faults = [_unknown(name, fields) for name in document if name not in fields]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        given = document.get(name)
        if given is None and field.required:
            faults.append(_fault(name, "is missing"))
        elif given is None:
            values[name] = field.default
        else:
            try:
                values[name] = field.check(given)
            except Refused as refused:
                faults += below(name, refused)
    return values, faults


def below(name: str, refused: Refused) -> Iterator[Fault]:
    """The faults of a part, with paths from its whole."""
    for fault in refused.faults:
        path = f"{name}.{fault.path}" if fault.path else name
        yield msgspec.structs.replace(fault, path=path)


def wrong(message: str, cure: str = "") -> Refused:
    """One fault, here."""
    return Refused([_fault("", message, cure)])


def text(pattern: str, what: str) -> Callable[[Any], str]:
    """A check for text that matches `pattern` as a whole; `what` says in words what is wanted."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong(f"must be text, not {kind(value)}", "quote it" if isinstance(value, int) else "")
        if not compiled.fullmatch(value):
            raise wrong(f"must be {what}")
        return value

    return check


def boolean(value: Any) -> bool:
    """A check for true or false."""
    if not isinstance(value, bool):
        raise wrong(f"must be true or false, not {kind(value)}")
    return value


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A check for a whole number between these, themselves among them."""

    def check(value: Any) -> int:
        if type(value) is not int:
            raise wrong(f"must be a whole number from {low} to {high}, not {kind(value)}")
        if value < low:
            raise wrong(f"{value} is below {low}")
        if value > high:
            raise wrong(f"{value} is above {high}")
        return value

    return check


def one_of(*names: str, fold: Callable[[str], str] = str) -> Callable[[Any], str]:
    """A check for one of these names, compared after `fold`."""

    def check(value: Any) -> str:
        folded = fold(value) if isinstance(value, str) else ""
        if folded not in names:
            near = difflib.get_close_matches(folded, names, n=1)
            raise wrong(f"must be one of {', '.join(names)}", f"did you mean {near[0]}?" if near else "")
        return folded

    return check


def kind(value: Any) -> str:
    """What a value is, in the words of JSON and YAML."""
    kinds = {bool: "a boolean", dict: "a mapping", list: "a list", str: "text", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _unknown(name: Any, fields: Mapping[str, Field]) -> Fault:
    near = difflib.get_close_matches(str(name), fields, n=1)
    return _fault(str(name), "is not a field", f"did you mean `{near[0]}`?" if near else "")


def _fault(path: str, message: str, cure: str = "") -> Fault:
    return Fault(code=Code.BAD_DEFINITION, path=path, message=message, cure=cure)
