"""The settings of the formats: their types, and the checks of the documents that give them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from functions.core import documents
from functions.core.documents import Field, wrong
from functions.core.errors import Refused

Quote = Literal["all", "non_null", "minimal", "non_numeric", "none"]
QUOTES = ("all", "non_null", "minimal", "non_numeric", "none")
CODECS = ("snappy", "zstd", "gzip", "none")
ROW_NUMBER = "row_number"
"""The name of a row-number column that is asked for by `true`."""

_COLUMN_RULE = "a name of at most 1,027 letters, digits, `_` and `-`"
_BREAKING = frozenset("\r\n")


class Delimited(msgspec.Struct, frozen=True, kw_only=True):
    """How delimited text is written and read; `escape` None doubles the quote.

    With `quote` `all` even null is quoted, and is then read as text; every other mode keeps the two apart.
    """

    delimiter: str = ","
    header: bool = True
    quote: Quote = "minimal"
    quote_char: str = '"'
    escape: str | None = None
    line_ending: Literal["lf", "crlf"] = "lf"
    null: str = ""
    row_number: str | None = None
    neutralize_formulas: bool = False
    encoding: str = "utf-8"

    @property
    def quoting(self) -> bool:
        """Whether a quote character means anything."""
        return self.quote != "none"

    @property
    def ending(self) -> str:
        """What ends a line."""
        return "\r\n" if self.line_ending == "crlf" else "\n"


class Parquet(msgspec.Struct, frozen=True, kw_only=True):
    """How Parquet is written; `extension` says whether `.parquet` is added to names."""

    codec: str = "snappy"
    extension: bool = True


def parse_delimited(value: Any, *, delimiter: str | None, reading: bool) -> Delimited:
    """The settings of delimited text; `delimiter` is the format's own, None where it must be given.

    Raises:
        Refused: Every fault, each with its path from here.
    """
    fields = {**_DELIMITED, "encoding": Field(_encoding(reading=reading), default="utf-8")}
    fields["delimiter"] = Field(_character, default=delimiter, required=delimiter is None)
    values = documents.read(value, fields)
    if values["escape"] == values["quote_char"]:
        values["escape"] = None
    _refuse_confusion(values)
    return Delimited(**values)


def parse_parquet(value: Any) -> Parquet:
    """The settings of Parquet.

    Raises:
        Refused: Every fault, each with its path from here.
    """
    return Parquet(**documents.read(value, _PARQUET))


def _refuse_confusion(values: Mapping[str, Any]) -> None:
    """Refuse characters that could not be told apart in the file."""
    delimiter, quote, escape, null = (values[name] for name in ("delimiter", "quote_char", "escape", "null"))
    if values["quote"] != "none" and delimiter == quote:
        raise _at("quote_char", "is also the delimiter")
    if escape == delimiter:
        raise _at("escape", "is also the delimiter")
    special = _BREAKING | {delimiter} | ({quote} if values["quote"] != "none" else set())
    if held := special.intersection(null):
        raise _at("null", f"holds {min(held)!a}, which means something else in the file")


def _at(name: str, message: str) -> Refused:
    return Refused(documents.below(name, wrong(message)))


def _character(value: Any) -> str:
    text = documents.text(r"(?s).", "exactly one character")(value)
    if text in _BREAKING or "\ud800" <= text <= "\udfff" or text == "\ufeff":
        raise wrong(f"{text!a} cannot be told from the file's own marks")
    return text


def _encoding(*, reading: bool) -> Any:
    def check(value: Any) -> str:
        name = documents.text(r".{1,40}", "the name of an encoding")(value).lower().replace("_", "-")
        name = {"utf8": "utf-8", "utf16": "utf-16", "utf-8-sig": "utf-8"}.get(name, name)
        if name == "utf-16" and not reading:
            raise wrong("utf-16 is read, and not written", "leave it out: files are written in utf-8")
        return documents.one_of("utf-8", "utf-16")(name)

    return check


def _row_number(value: Any) -> str | None:
    if isinstance(value, bool):
        return ROW_NUMBER if value else None
    return documents.text(r"[0-9A-Za-z_-]{1,1027}", _COLUMN_RULE)(value)


_DELIMITED: dict[str, Field] = {
    "header": Field(documents.boolean, default=True),
    "quote": Field(documents.one_of(*QUOTES), default="minimal"),
    "quote_char": Field(_character, default='"'),
    "escape": Field(_character),
    "line_ending": Field(documents.one_of("lf", "crlf"), default="lf"),
    "null": Field(documents.text(r"(?s).{0,100}", "text of at most 100 characters"), default=""),
    "row_number": Field(_row_number),
    "neutralize_formulas": Field(documents.boolean, default=False),
}
_PARQUET: dict[str, Field] = {
    "codec": Field(documents.one_of(*CODECS), default="snappy"),
    "extension": Field(documents.boolean, default=True),
}
