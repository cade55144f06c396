"""What templates of literal text and names are checked for, and the documents that give their values."""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from functions.core import documents
from functions.core.errors import Code, Fault, Refused
from functions.core.keys import CONTROL_CHARACTER, MAX_KEY_BYTES

MAX_CHARACTERS = 4 * MAX_KEY_BYTES
"""Of a template; each of its faults shows it whole, so that their text grows with its square."""

_SURROGATE = re.compile("[\ud800-\udfff]")
# Only between two slashes, or at the end, is it sure that neither a prefix nor a value stands beside it.
_SEGMENT = re.compile(r"(?<=/)\.\.?(?=/|\Z)")


class Literal(msgspec.Struct, frozen=True):
    """Text that stands for itself, and where it begins in its template, counted from 0."""

    text: str
    start: int


def fault(source: str, start: int, message: str, cure: str = "") -> Fault:
    """A fault of the template `source` at the character `start`, counted from 0."""
    return Fault(code=Code.BAD_DEFINITION, message=message, column=start + 1, cure=cure, source=source)


def refused(source: str, start: int, message: str, cure: str = "") -> Refused:
    """A template's one fault."""
    return Refused([fault(source, start, message, cure)])


def placed(source: str, places: Sequence[int], part: Refused) -> Refused:
    """The faults of a text that stands in a template; `places` are those of its characters, from 0."""
    return Refused(
        fault(source, places[(each.column or 1) - 1], each.message, each.cure) for each in part.faults
    )


def refuse_by_size(source: str, *, what: str, default: str = "") -> None:
    """Refuse a template that is empty, or too long to be meant."""
    if not source:
        raise refused(source, 0, f"the {what} is empty", default and f"the default is {default}")
    if len(source) > MAX_CHARACTERS:
        size = f"has {len(source)} characters, more than {MAX_CHARACTERS}"
        raise Refused(
            [Fault(code=Code.BAD_DEFINITION, message=f"the {what} {size}", column=MAX_CHARACTERS + 1)]
        )


def unknown(source: str, start: int, name: str, *, what: str, known: Collection[str]) -> Fault:
    """The fault of a name that does not exist, with what was probably meant, else all that there are."""
    near = difflib.get_close_matches(name.strip().lower(), known, n=1)
    cure = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"
    message = f"there is no {what} `{name}`" if name.strip() else f"a {what} is missing here"
    return fault(source, start, message, cure)


def in_literals(source: str, literals: Iterable[Literal]) -> Iterator[Fault]:
    """What no key may hold whatever the values are: `functions.core.keys` would refuse every key."""
    size = 0
    for literal in literals:
        size += len(literal.text.encode(errors="surrogatepass"))
        yield from _characters(source, literal)
        yield from _segments(source, literal)
    if size > MAX_KEY_BYTES:
        yield fault(source, 0, f"the literal text alone has {size} bytes, S3 takes at most {MAX_KEY_BYTES}")


def file_number(value: Any) -> int:
    """A check for the number of a file: files are counted from 1."""
    if type(value) is not int or value < 1:
        raise documents.wrong("must be a whole number from 1")
    return value


any_text = documents.text(r"(?s).*", "text")
"""A check for text, whatever it is."""


def _characters(source: str, literal: Literal) -> Iterator[Fault]:
    for match in CONTROL_CHARACTER.finditer(literal.text):
        what = f"a key cannot hold the control character U+{ord(match[0]):04X}"
        yield fault(source, literal.start + match.start(), what)
    for match in _SURROGATE.finditer(literal.text):
        yield fault(source, literal.start + match.start(), "a key cannot hold half of a surrogate pair")


def _segments(source: str, literal: Literal) -> Iterator[Fault]:
    for match in _SEGMENT.finditer(literal.text):
        start, end = literal.start + match.start(), literal.start + match.end()
        if match.end() < len(literal.text) or end == len(source):
            yield fault(source, start, f"a key cannot hold a segment `{match[0]}`")
