"""Reading SOURCEs: every fault of a converter's functions at once, each with its path."""

import difflib
from typing import Any

import msgspec

from functions.core import documents
from functions.core.converter.nodes import Argument, Call, Field, Node, Operator
from functions.core.converter.operators import OPERATORS
from functions.core.converter.raw import text
from functions.core.documents import wrong
from functions.core.errors import Fault, Refused

MAX_DEPTH = 40
MAX_PARTS = 5_000
_LITERAL = 'a literal is written ["value", …]'

Given = list[tuple[str, Any]]
"""Arguments, each with its path."""


class Sources:
    """Reads the SOURCEs of one converter; `faults` are those of all that it has read."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._parts = 0

    def read(self, document: Any, path: str, depth: int = 1) -> Node | None:
        """The SOURCE that a part of the document is, None if it has faults."""
        self._parts += 1
        try:
            return self._node(document, path, depth)
        except Refused as refused:
            self._note(path, refused)
            return None

    def _node(self, document: Any, path: str, depth: int) -> Node | None:
        if depth > MAX_DEPTH:
            raise wrong(f"is nested deeper than {MAX_DEPTH} operators")
        if self._parts > MAX_PARTS:
            # Aliases of YAML can be many more parts than anybody wrote; one fault says it.
            if self._parts > MAX_PARTS + 1:
                return None
            raise wrong(f"is one too many: a converter has at most {MAX_PARTS} parts")
        if isinstance(document, str):
            return Field(text(document), path)
        if isinstance(document, dict):
            members = [
                (f"{path}.{name}", each) for name, member in document.items() for each in (name, member)
            ]
            return self._call("dict", members, path, depth)
        if isinstance(document, list):
            return self._use(document, path, depth)
        message = f"must be a field, an operator or an object, not {documents.kind(document)}"
        raise wrong(message, _LITERAL)

    def _use(self, document: list[Any], path: str, depth: int) -> Node | None:
        """An operator by its name; of one that is mistyped the arguments are read too."""
        if not document or not isinstance(document[0], str):
            raise wrong("must begin with the name of an operator", 'an array is written ["array", …]')
        name, *given = document
        if name not in OPERATORS:
            near = _near(name, len(given))
            cure = f"did you mean `{near}`?" if near else f"there are {', '.join(OPERATORS)}"
            self._note(f"{path}.0", wrong(f"`{name}` is no operator", cure))
            if near is None or OPERATORS[near].arguments(len(given)) is None:
                return None
            name = near
        return self._call(
            name, [(f"{path}.{place}", each) for place, each in enumerate(given, 1)], path, depth
        )

    def _call(self, name: str, given: Given, path: str, depth: int) -> Node | None:
        operator = OPERATORS[name]
        kinds = operator.arguments(len(given))
        if kinds is None:
            self._wrong_number(operator, name, given, path, depth)
            return None
        before = len(self.faults)
        arguments = tuple(
            self._raw(kind, each, place) if kind.check else self.read(each, place, depth + 1)
            for kind, (place, each) in zip(kinds, given, strict=True)
        )
        if len(self.faults) > before or self._parts > MAX_PARTS:
            return None
        if operator.across:
            operator.across(arguments)
        return Call(operator, name, arguments, path)

    def _wrong_number(self, operator: Operator, name: str, given: Given, path: str, depth: int) -> None:
        message = f"`{name}` cannot have {len(given)} argument{'' if len(given) == 1 else 's'}"
        self._note(path, wrong(message, f"its arguments are: {operator.signature() or 'none'}"))
        if any(kind.check for kind in (*operator.fixed, *operator.repeated)):
            return
        # Whichever of them are too many, all are SOURCEs.
        for place, each in given:
            self.read(each, place, depth + 1)

    def _raw(self, kind: Argument, value: Any, path: str) -> Any:
        try:
            return kind.check(value) if kind.check else value
        except Refused as refused:
            self._note(path, refused)
            return None

    def _note(self, path: str, refused: Refused) -> None:
        for fault in refused.faults:
            whole = f"{path}.{fault.path}" if fault.path else path
            self.faults.append(msgspec.structs.replace(fault, path=whole))


def _near(name: str, count: int) -> str | None:
    """The operator that was probably meant: of those with a similar name, one that can have so many arguments."""
    near = difflib.get_close_matches(name.lower(), OPERATORS, n=5)
    fitting = [each for each in near if OPERATORS[each].arguments(count) is not None]
    return next(iter([*fitting, *near]), None)
