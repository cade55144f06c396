"""File names of dataset destinations: `{{ now | local:'America/Los_Angeles' | format:'yyyy/MM/dd' }}/users.csv`.

Everything outside `{{ }}` is literal. Values stand as they are: a `/` in one adds a folder, and what leaves the
prefix is refused by `keys.object_key`, which every rendered name goes through. `now` without `format` is
ISO 8601 to the second, with its zone's offset.

A quote within an argument, which patterns have around literal text, is written as it is or doubled:
`'yyyy'T'HH'`, `'yyyy''T''HH'`; or the argument has double quotes: `"yyyy'T'HH"`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import methodcaller
from typing import Any, Self

import msgspec

from functions.core import documents
from functions.core.documents import Field
from functions.core.errors import Code, Fault, Permanent, Refused
from functions.core.templates import checks
from functions.core.templates.checks import Literal
from functions.core.zones import Pattern, ZonedTime, zone

NOW = "now"
NAMES = ("dataset_name", "campaign_name", "group_name", "list_name")
SPLIT_NAME = "file_number"

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[^\s|:{}'\"]*")
# A quote ends its argument where a filter can end; any other is the argument's own.
_SINGLE = re.compile(r"'(?:(?!\}\}).)*?'(?=\s*(?:\||\}\}))", re.DOTALL)
_DOUBLE = re.compile(r'"(?:(?!\}\})[^"])*"')
_CHARACTER = re.compile(r"''|.", re.DOTALL)


class _Argument(msgspec.Struct, frozen=True):
    """One way to read what stands in a filter's quotes; `places` are its characters' in the template."""

    text: str
    places: Sequence[int]


class _Call(msgspec.Struct, frozen=True):
    """A token, or a filter with the ways to read its argument: none where it has no argument."""

    name: str
    start: int
    readings: tuple[_Argument, ...] = ()


class _Filter(msgspec.Struct, frozen=True):
    """What makes a step of a filter's argument; `example` is one, where the filter takes one."""

    compile: Callable[[str], Callable[[ZonedTime], Any]]
    example: str = ""


FILTERS = {
    "local": _Filter(lambda name: methodcaller("at", zone(name)), "America/Los_Angeles"),
    "next_day": _Filter(lambda _: ZonedTime.next_day),
    "format": _Filter(lambda text: Pattern.parse(text).format, "yyyy-MM-dd"),
}
"""Every filter: all take a time, and all but `format` give one."""


class _Value(msgspec.Struct, frozen=True):
    token: str
    steps: tuple[Callable[[Any], Any], ...]

    def render(self, given: Any) -> str:
        if self.token == SPLIT_NAME:
            return f"{given:07d}"
        value = ZonedTime.of(given) if self.token == NOW else given
        for step in self.steps:
            value = step(value)
        return str(value)


class FileNameTemplate(msgspec.Struct, frozen=True):
    """A checked template; `parse` makes it."""

    pieces: tuple[Literal | _Value, ...]

    @classmethod
    def parse(cls, text: str, *, split: bool = False) -> Self:
        """The template that this text is; `file_number` is known only where the file is `split`.

        Raises:
            Refused: It names a token, a filter, a zone or a letter that does not exist, or can never give a
                key; each fault has the column that it stands at.
        """
        checks.refuse_by_size(text, what="file name")
        known = (NOW, *NAMES, SPLIT_NAME) if split else (NOW, *NAMES)
        pieces: list[Literal | _Value] = []
        wrong: list[Fault] = []
        reader = _Reader(text)
        while not reader.ended():
            try:
                piece = reader.piece()
                pieces.append(piece if isinstance(piece, Literal) else _value(text, piece, known))
            except Refused as refused:
                wrong += refused.faults
        wrong += checks.in_literals(text, (piece for piece in pieces if isinstance(piece, Literal)))
        if wrong:
            raise Refused(sorted(wrong, key=lambda each: each.column or 0))
        return cls(tuple(pieces))

    @property
    def tokens(self) -> frozenset[str]:
        """The names of the tokens that it refers to."""
        return frozenset(piece.token for piece in self.pieces if isinstance(piece, _Value))

    def render(self, tokens: Mapping[str, Any]) -> str:
        """The name, below the definition's prefix, that a file gets.

        `now` is an `Instant`, `file_number` an int from 1, the others are text.

        Raises:
            Permanent: `BAD_KEY`; there is no value for a token, a time is out of range, or the name is empty.
        """
        if absent := sorted(name for name in self.tokens if tokens.get(name) is None):
            names = ", ".join(f"`{name}`" for name in absent)
            raise Permanent(Code.BAD_KEY, f"the file name needs what this delivery does not have: {names}")
        name = "".join(
            piece.text if isinstance(piece, Literal) else piece.render(tokens[piece.token])
            for piece in self.pieces
        )
        if not name:
            raise Permanent(Code.BAD_KEY, "the file name is empty")
        return name


def parse_tokens(document: Any) -> dict[str, Any]:
    """The tokens of a JSON document, all but `now`: text, and `file_number` a whole number from 1.

    Raises:
        Refused: All faults of the document, each with its path.
    """
    return documents.read(document, _TOKENS)


_TOKENS = {name: Field(checks.any_text) for name in NAMES} | {SPLIT_NAME: Field(checks.file_number)}


class _Reader:
    """A template, read from left to right; it says where it stands, and not what names mean."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def ended(self) -> bool:
        return self._at == len(self._text)

    def piece(self) -> Literal | list[_Call]:
        """The literal text, or the token and its filters, that begin here.

        Raises:
            Refused: This is no expression; what follows it can still be read.
        """
        start = self._at
        if not self._take("{{"):
            self._at = self._next("{{")
            return Literal(self._text[start : self._at], start)
        try:
            return self._expression(start)
        except Refused:
            self._at = self._next("}}")
            self._take("}}")
            raise

    def _expression(self, opened: int) -> list[_Call]:
        calls = [self._name()]
        while self._take("|"):
            calls.append(self._filter())
        if self._take("}}"):
            return calls
        if self._next("}}") == len(self._text):
            raise checks.refused(self._text, opened, "`{{` is not closed by `}}`")
        raise checks.refused(self._text, self._at, "`|` or `}}` must stand here")

    def _filter(self) -> _Call:
        call = self._name()
        return msgspec.structs.replace(call, readings=self._argument()) if self._take(":") else call

    def _name(self) -> _Call:
        self._skip(_SPACE)
        start = self._at
        self._skip(_NAME)
        name = self._text[start : self._at]
        self._skip(_SPACE)
        return _Call(name, start)

    def _argument(self) -> tuple[_Argument, ...]:
        self._skip(_SPACE)
        start = self._at
        if self._skip(_SINGLE) or self._skip(_DOUBLE):
            end = self._at - 1
            self._skip(_SPACE)
            return tuple(_readings(self._text, start + 1, end))
        opened = self._text[start : start + 1] in {"'", '"'}
        message = "no quote closes this one before `|` or `}}`" if opened else "an argument stands in quotes"
        raise checks.refused(self._text, start, message, "as in format:'yyyy-MM-dd'")

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return match is not None

    def _take(self, expected: str) -> bool:
        found = self._text.startswith(expected, self._at)
        self._at += len(expected) if found else 0
        return found

    def _next(self, expected: str) -> int:
        found = self._text.find(expected, self._at)
        return len(self._text) if found < 0 else found


def _readings(source: str, start: int, end: int) -> Iterator[_Argument]:
    """The argument as it stands, and with its doubled quotes as one."""
    text = source[start:end]
    yield _Argument(text, range(start, end))
    if "''" in text and source[end] == "'":
        found = list(_CHARACTER.finditer(source, start, end))
        yield _Argument("".join(each[0][0] for each in found), [each.start() for each in found])


def _value(source: str, calls: list[_Call], known: tuple[str, ...]) -> _Value:
    """The value that a token and its filters give.

    Raises:
        Refused: Everything that is wrong with them.
    """
    token, *filters = calls
    wrong = [] if token.name in known else [_unknown_token(source, token, known)]
    text = f"`{token.name}` is text" if token.name in (*NAMES, SPLIT_NAME) else ""
    steps = []
    for each in filters:
        if text:
            wrong.append(checks.fault(source, each.start, f"`{each.name}` takes a time, and {text}"))
        try:
            steps.append(_step(source, each))
        except Refused as refused:
            wrong += refused.faults
        text = "`format` gives text" if each.name == "format" else text
    if wrong:
        raise Refused(wrong)
    return _Value(token.name, tuple(steps))


def _unknown_token(source: str, token: _Call, known: tuple[str, ...]) -> Fault:
    if token.name == SPLIT_NAME:
        message = "`file_number` is known only where the file is split"
        return checks.fault(source, token.start, message, "put it into `split.file_name`")
    return checks.unknown(source, token.start, token.name, what="token", known=known)


def _step(source: str, call: _Call) -> Callable[[ZonedTime], Any]:
    found = FILTERS.get(call.name)
    if found is None:
        raise Refused([checks.unknown(source, call.start, call.name, what="filter", known=FILTERS)])
    if not found.example and not call.readings:
        return found.compile("")
    if not found.example:
        raise checks.refused(source, call.start, f"`{call.name}` takes no argument")
    if not call.readings or not call.readings[0].text:
        cure = f"write {call.name}:'{found.example}'"
        raise checks.refused(source, call.start, f"`{call.name}` takes an argument", cure)
    return _compiled(source, call, found)


def _compiled(source: str, call: _Call, wanted: _Filter) -> Callable[[ZonedTime], Any]:
    """The step by the one reading that makes sense; if none does, the faults of that which gets furthest."""
    steps, refusals = [], []
    for reading in call.readings:
        try:
            steps.append(wanted.compile(reading.text))
        except Refused as refused:
            refusals.append(checks.placed(source, reading.places, refused))
    if not steps:
        raise max(refusals, key=lambda each: each.faults[0].column or 0)
    if len(steps) > 1:
        message = "the quotes in this argument can be read in two ways"
        cure = "write the argument in double quotes, as in format:\"yyyy'T'HH\""
        raise checks.refused(source, call.readings[0].places[0], message, cure)
    return steps[0]
