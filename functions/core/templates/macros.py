"""Key templates of stream destinations: `{stream_name}/{date}/{stream_run_id}_{part}.{extension}`.

`{name}` is a macro, `{{` and `}}` are literal braces. Values stand as they are: a `/` in one adds a folder, and
what leaves the prefix is refused by `keys.object_key`, which every rendered name goes through.
"""

import re
from collections.abc import Callable
from typing import Any, Self

import msgspec

from functions.core import documents
from functions.core.documents import Field
from functions.core.errors import Code, Fault, Permanent, Refused
from functions.core.instants import TIME_FIELDS, Instant
from functions.core.templates import checks
from functions.core.templates.checks import Literal

DEFAULT = "{stream_name}/{date}/{stream_run_id}_{part}.{extension}"
"""Unique by itself: a run's id, and the number of the file within it."""

_PIECE = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<macro>[^{}]*)\}|(?P<stray>[{}])|(?P<literal>[^{}]+)")


class MacroContext(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file when it is named; what is absent is an error only for a macro that needs it.

    `extension` has no leading dot; `load_time` is when the run of the stream began to load; `part` counts the
    files of the run from 1.
    """

    extension: str | None = None
    load_time: Instant | None = None
    stream_id: str | None = None
    stream_name: str | None = None
    connection_id: str | None = None
    connection_run_id: str | None = None
    stream_run_id: str | None = None
    cursor: Instant | None = None
    part: int | None = None

    @classmethod
    def parse(cls, document: Any) -> Self:
        """The context that a JSON document is: these fields, `stream` with `id` and `name`, times in RFC 3339.

        Raises:
            Refused: All faults of the document, each with its path.
        """
        values = documents.read(document, _CONTEXT)
        stream = values.pop("stream")
        return cls(stream_id=stream.get("id"), stream_name=stream.get("name"), **values)


class _Macro(msgspec.Struct, frozen=True):
    name: str


class MacroTemplate(msgspec.Struct, frozen=True):
    """A checked template; `parse` makes it."""

    pieces: tuple[Literal | _Macro, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The template that this text is.

        Raises:
            Refused: It names a macro that does not exist, has a single brace, or can never give a key; each
                fault has the column that it stands at.
        """
        checks.refuse_by_size(text, what="key template", default=DEFAULT)
        found = list(_PIECE.finditer(text))
        pieces = [_piece(match) for match in found]
        wrong = [fault for match in found if (fault := _wrong(match))]
        wrong += checks.in_literals(text, (each for each in pieces if isinstance(each, Literal)))
        if wrong:
            raise Refused(sorted(wrong, key=lambda each: each.column or 0))
        return cls(tuple(pieces))

    @property
    def macros(self) -> frozenset[str]:
        """The names of the macros that it refers to."""
        return frozenset(piece.name for piece in self.pieces if isinstance(piece, _Macro))

    @property
    def unique_in_run(self) -> bool:
        """Whether no two files of one run can get the same key: only their numbers tell them apart."""
        return "part" in self.macros

    @property
    def unique_between_runs(self) -> bool:
        """Whether no two runs can give the same key; two of them may begin in the same second."""
        return "stream_run_id" in self.macros

    def render(self, context: MacroContext) -> str:
        """The name, below the definition's prefix, that a file gets.

        Raises:
            Permanent: `BAD_KEY`; the context has no value for a macro, or the name is empty.
        """
        values = {name: MACROS[name](context) for name in self.macros}
        if absent := sorted(name for name, value in values.items() if value is None):
            names = ", ".join(f"`{{{name}}}`" for name in absent)
            raise Permanent(Code.BAD_KEY, f"the key template needs what this stream does not have: {names}")
        name = "".join(
            piece.text if isinstance(piece, Literal) else values[piece.name] or "" for piece in self.pieces
        )
        if not name:
            raise Permanent(Code.BAD_KEY, "the key template gives an empty name")
        return name


def _wrong(match: re.Match[str]) -> Fault | None:
    if match["stray"]:
        cure = f"a literal brace is written `{match['stray'] * 2}`"
        what = "is not closed" if match["stray"] == "{" else "closes nothing"
        return checks.fault(match.string, match.start(), f"`{match['stray']}` {what}", cure)
    if match.lastgroup == "macro" and match["macro"] not in MACROS:
        return checks.unknown(match.string, match.start(), match["macro"], what="macro", known=MACROS)
    return None


def _piece(match: re.Match[str]) -> Literal | _Macro:
    if match.lastgroup == "macro":
        return _Macro(match["macro"])
    return Literal(match["literal"] or match[0][0], match.start())


def _time(attribute: str, form: str) -> Callable[[MacroContext], str | None]:
    """The macro that is this instant in UTC, its fraction dropped, in the form of `TIME_FIELDS`."""

    def value(context: MacroContext) -> str | None:
        instant: Instant | None = getattr(context, attribute)
        return None if instant is None else form.format(**instant.fields(TIME_FIELDS))

    return value


def _text(attribute: str) -> Callable[[MacroContext], str | None]:
    return lambda context: getattr(context, attribute)


def _part(context: MacroContext) -> str | None:
    return None if context.part is None else f"{context.part:07d}"


_ALL = "{year}_{month}_{day}_{hour}_{minute}_{second}"

MACROS: dict[str, Callable[[MacroContext], str | None]] = {
    "extension": _text("extension"),
    "date_time": _time("load_time", _ALL),
    "timestamp": _time("load_time", _ALL),
    "iso_date_time": _time("load_time", "{rfc3339}"),
    "date": _time("load_time", "{year}_{month}_{day}"),
    "iso_date": _time("load_time", "{date}"),
    **{
        unit: _time("load_time", f"{{{unit}}}")
        for unit in ("year", "month", "day", "hour", "minute", "second")
    },
    "stream_id": _text("stream_id"),
    "stream_name": _text("stream_name"),
    "connection_id": _text("connection_id"),
    "connection_run_id": _text("connection_run_id"),
    "stream_run_id": _text("stream_run_id"),
    "cursor_year": _time("cursor", "{year}"),
    "cursor_month": _time("cursor", "{month}"),
    "cursor_day": _time("cursor", "{day}"),
    "cursor_date_time": _time("cursor", _ALL),
    "cursor_iso_date_time": _time("cursor", "{rfc3339}"),
    "cursor_singular_date_time": _time("cursor", _ALL.replace("_", "-")),
    "part": _part,
}
"""Every macro, and its value in a context; None where the context has none."""


def _instant(value: Any) -> Instant:
    try:
        return Instant.parse(checks.any_text(value))
    except Refused:
        raise
    except Permanent:
        raise documents.wrong("must be an RFC 3339 timestamp such as 2025-04-14T11:23:45Z") from None


_STREAM = {"id": Field(checks.any_text), "name": Field(checks.any_text)}
_CONTEXT = {
    "extension": Field(checks.any_text),
    "load_time": Field(_instant),
    "stream": Field(lambda value: documents.read(value, _STREAM), default={}),
    "connection_id": Field(checks.any_text),
    "connection_run_id": Field(checks.any_text),
    "stream_run_id": Field(checks.any_text),
    "cursor": Field(_instant),
    "part": Field(checks.file_number),
}
