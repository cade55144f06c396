"""Patterns that users write, by RE2: their time is linear in the text, whatever the pattern."""

import re
from typing import Any, Self

import msgspec
import re2

from functions.core.converter.values import NO_VALUE, Absence
from functions.core.documents import wrong

_MAX_LENGTH = 2_000
_MISSING = "RE2 has neither look-around, back-references nor possessive quantifiers"
_REFERENCE = re.compile(r"\$(\$|[0-9]{1,2})")


class Pattern(msgspec.Struct, frozen=True):
    """A checked pattern; `parse` makes it."""

    text: str
    compiled: Any

    @classmethod
    def parse(cls, text: Any) -> Self:
        """The pattern that this text is.

        Raises:
            Refused: It is none, or uses what RE2 does not have.
        """
        if not isinstance(text, str):
            raise wrong("must be a regular expression, as text")
        if len(text) > _MAX_LENGTH:
            raise wrong(f"has {len(text)} characters; the limit is {_MAX_LENGTH}")
        options = re2.Options()
        options.log_errors = False
        try:
            return cls(text, re2.compile(text, options))
        except UnicodeEncodeError:
            raise wrong("holds half of a surrogate pair") from None
        except re2.error as error:
            reason = error.args[0] if error.args else b""
            shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            raise wrong(f"is no regular expression of RE2: {shown}", _cure(text)) from None

    def matches_key(self, key: str, prefix: str) -> bool:
        """Whether the whole of an object's key, or the whole of what follows the prefix, is so."""
        whole = self.compiled.fullmatch
        return bool(whole(key)) or (key.startswith(prefix) and bool(whole(key[len(prefix) :])))


class Replacement(msgspec.Struct, frozen=True):
    """What each match of a pattern is replaced with; `parse` makes it."""

    pattern: Pattern
    parts: tuple[str | int, ...]

    @classmethod
    def parse(cls, pattern: Pattern, text: str) -> Self:
        """The replacement that this text is: `$1` is a group, `$$` a dollar sign.

        Raises:
            Refused: The pattern has no such group.
        """
        parts: list[str | int] = []
        at = 0
        for match in _REFERENCE.finditer(text):
            parts.append(text[at : match.start()])
            parts.append("$" if match[1] == "$" else _group(match[1], pattern))
            at = match.end()
        return cls(pattern, (*parts, text[at:]))

    def in_text(self, value: Any) -> str | Absence:
        """A string with every match replaced."""
        if type(value) is not str:
            return NO_VALUE
        try:
            return str(self.pattern.compiled.sub(self._filled, value))
        except UnicodeEncodeError:
            return NO_VALUE

    def _filled(self, match: Any) -> str:
        return "".join(part if type(part) is str else match.group(part) or "" for part in self.parts)


def _group(digits: str, pattern: Pattern) -> int:
    number = int(digits)
    if number > pattern.compiled.groups:
        raise wrong(
            f"names the group ${number}; the expression has {pattern.compiled.groups}", "write $$ for $"
        )
    return number


def _cure(text: str) -> str:
    foreign = re.search(r"\(\?(?:[=!>]|<[=!])|\\[1-9kK]|[*+?}]\+", text)
    return _MISSING if foreign else ""
