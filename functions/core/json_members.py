r"""The members of a JSON object as the text that they were sent as.

msgspec does this at ten times the speed for nearly every message, and refuses half of a surrogate pair
(`"\ud83d"`, a JavaScript sender's cut emoji), which JSON's grammar allows: RFC 8259, section 8.2.
"""

import json
import re
from typing import NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")


def members(text: str) -> dict[str, str]:
    """Each member's value as it stands in `text`; of a repeated name the last.

    Raises:
        ValueError: The text is not one JSON object.
        RecursionError: It is nested too deeply.
    """
    found: dict[str, str] = {}
    at = _expect(text, 0, "{")
    closed = text[at : at + 1] == "}"
    while not closed:
        if text[at : at + 1] != '"':
            raise ValueError(f"a name expected at character {at + 1}")
        name, at = _VALUES.raw_decode(text, at)
        start = _expect(text, at, ":")
        _, end = _VALUES.raw_decode(text, start)
        found[name] = text[start:end]
        at = _space(text, end)
        closed = text[at : at + 1] == "}"
        if not closed:
            at = _expect(text, at, ",")
    if _space(text, at + 1) != len(text):
        raise ValueError("something follows the object")
    return found


def _expect(text: str, at: int, character: str) -> int:
    at = _space(text, at)
    if text[at : at + 1] != character:
        raise ValueError(f"{character} expected at character {at + 1}")
    return _space(text, at + 1)


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_VALUES = json.JSONDecoder(parse_constant=_refuse, parse_int=str, parse_float=str)
"""Numbers stay text: only where a value ends is asked, and Python refuses to read very long integers."""
