"""The cells of one record of delimited text."""

import re
from collections.abc import Callable

from functions.core.errors import Refused
from functions.core.formats.delimited_records import Record
from functions.core.formats.faults import broken
from functions.core.formats.settings import Delimited


class CellReader:
    """Takes records apart: a cell without quotes that is the null text is None, one with quotes is text."""

    def __init__(self, origin: str, settings: Delimited) -> None:
        self._origin = origin
        self._settings = settings
        self._quote = settings.quote_char if settings.quoting else ""
        self._cell = _pattern(settings, self._quote)
        self._plain_text = _unescaping(settings, "")
        self._quoted_text = _unescaping(settings, self._quote)

    def read(self, record: Record) -> list[str | None]:
        """The cells of a record.

        Raises:
            Refused: A quote stands where none can, or a carriage return outside quotes.
        """
        if record.simple:
            null = self._settings.null
            cells = record.text.split(self._settings.delimiter)
            return [cell or None for cell in cells] if not null else [c if c != null else None for c in cells]
        return self._parsed(record)

    def opens(self, line: str) -> bool:
        """Whether a cell of this line begins with a quote that the line does not close."""
        at = 0
        while match := self._cell.match(line, at):
            at = match.end() + 1
            if line[at - 1 : at] != self._settings.delimiter:
                return False
        return True

    def _parsed(self, record: Record) -> list[str | None]:
        text, at = record.text, 0
        cells: list[str | None] = []
        while True:
            match = self._cell.match(text, at)
            if match is None:
                raise self._malformed(record, at, len(cells) + 1)
            cells.append(self._value(match))
            at = match.end()
            if at == len(text):
                return cells
            if text[at] != self._settings.delimiter:
                raise self._malformed(record, at, len(cells))
            at += 1

    def _value(self, match: re.Match[str]) -> str | None:
        quoted, plain = match.groups()
        if quoted is not None:
            return self._quoted_text(quoted)
        return None if plain == self._settings.null else self._plain_text(plain)

    def _malformed(self, record: Record, at: int, cell: int) -> Refused:
        before = record.text[:at]
        column = at - before.rfind("\n")
        line = record.line + before.count("\n")
        return broken(self._origin, f"cell {cell}: {self._why(record.text, at)}", line=line, column=column)

    def _why(self, text: str, at: int) -> str:
        found = text[at : at + 1]
        if found == "\r":
            return "a carriage return without a line feed stands outside quotes"
        if found == self._quote and (at == 0 or text[at - 1] == self._settings.delimiter):
            return "a quote that is opened here is never closed"
        if found == self._quote:
            return "a quote stands within a cell that does not begin with one"
        if found == self._settings.escape:
            return "the escape character has nothing to escape"
        return "something follows the closing quote"


def _pattern(settings: Delimited, quote: str) -> re.Pattern[str]:
    """One cell: the text between quotes, or the text without them. Possessive: no cell costs more than a look."""
    q, d, e = (re.escape(character) for character in (quote, settings.delimiter, settings.escape or ""))
    escaped = f"|{e}." if e else ""
    # After a closing quote the cell ends: what follows it is judged by the caller.
    quoted = f"{q}((?:[^{q}{e}]{escaped or f'|{q}{q}'})*+){q}|" if q else "(?!)()|"
    opening = f"(?!{q})" if q else ""
    return re.compile(f"{quoted}{opening}((?:[^{q}{d}{e}\\r\\n]{escaped})*+)", re.DOTALL)


def _unescaping(settings: Delimited, quote: str) -> Callable[[str], str]:
    if settings.escape:
        escaped = re.compile(re.escape(settings.escape) + "(.)", re.DOTALL)
        return lambda text: escaped.sub(r"\1", text)
    return lambda text: text.replace(quote + quote, quote) if quote else text
