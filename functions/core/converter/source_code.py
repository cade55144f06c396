"""The source of the one function that a converter becomes.

Every part of a converter is written as straight lines over local variables: no list of steps is walked and no
closure is called for a record. Names of users stand in it by `repr`, as strings and nothing else; their literals
are constants that the function looks up.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from functions.core.converter.containers import step
from functions.core.converter.nodes import Call, Field, Node
from functions.core.converter.values import NO_VALUE

NOW = "now"
"""What the code calls the time that the import of the file has for now, in milliseconds."""


class Quick(msgspec.Struct, frozen=True):
    """Where all arguments of an operator are of one type, an expression gives what its function would, sooner."""

    type: type
    expression: Callable[[Sequence[str]], str]


class Writer:
    """Writes the body of a function; every method that gives a value gives the name that it has in the code.

    With `tracing` the function also knows, for each value that may be lost, at which node it was: names of
    values `v…` then have companions `w…`, numbers of `nodes`. Names whose type is known always have a value.
    """

    def __init__(self, *, tracing: bool = False) -> None:
        self.tracing = tracing
        self.nodes: list[Node] = []
        self.constants: dict[str, Any] = {"NO": NO_VALUE, "step": step}
        self._lines: list[str] = []
        self._depth = 1
        self._names = 0
        self._subject: str | None = None
        self._types: dict[str, type] = {NOW: int}

    def value(self, node: Node) -> str:
        """The value of a SOURCE."""
        return self._field(node) if isinstance(node, Field) else node.operator.compile(self, node)

    def line(self, text: str) -> None:
        """One line of code."""
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines below a head such as `if …:`."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def subject(self, name: str) -> Iterator[None]:
        """Code whose fields are those of this value, an object or an array, and not of the record."""
        before, self._subject = self._subject, name
        yield
        self._subject = before

    def constant(self, value: Any) -> str:
        """A literal: a value that is always there."""
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        self._types[name] = type(value)
        return name

    def fresh(self, kind: type | None = None) -> str:
        """A new name; one whose values will all be of a type is known never to be no value."""
        self._names += 1
        name = f"v{self._names}"
        if kind is not None:
            self._types[name] = kind
        return name

    def all_are(self, kind: type, names: Sequence[str]) -> str | None:
        """The condition that all of these are of a type; None if one cannot be."""
        if any(self._types.get(name, kind) is not kind for name in names):
            return None
        unknown = dict.fromkeys(name for name in names if name not in self._types)
        return " and ".join(f"type({name}) is {kind.__name__}" for name in unknown) or "True"

    def absent(self, names: Sequence[str]) -> str:
        """The condition that any of these is no value, empty if none can be."""
        return " or ".join(f"{name} is NO" for name in dict.fromkeys(names) if name not in self._types)

    def assign(self, name: str, value: str) -> None:
        """Give a name the value of another one, and its origin."""
        self.line(f"{name} = {value}")
        if self.tracing:
            self.line(f"w{name} = {self.origin(value)}")

    def origin(self, name: str) -> str:
        """Where a value was lost, if it is."""
        return "None" if name in self._types else f"w{name}"

    def lost_at(self, name: str, node: Node, given: Sequence[str] = ()) -> None:
        """Say that a value is lost at this node, unless one of those that it is made from was lost before."""
        if not self.tracing:
            return
        before = "".join(
            f"{self.origin(each)} if {each} is NO else " for each in given if each not in self._types
        )
        self.line(f"w{name} = {before}{self.number(node)}")

    def number(self, node: Node) -> int:
        """The number of a node, from 0."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def function(self, name: str) -> Callable[..., Any]:
        """The function of a record and of now that all the lines are."""
        lines = [f"def {name}(record, {NOW}):", "    get = record.get", *self._lines]
        namespace = dict(self.constants)
        exec(compile("\n".join(lines), "<converter>", "exec"), namespace)  # noqa: S102 - written here; see above
        function: Callable[..., Any] = namespace[name]
        return function

    def _field(self, node: Field) -> str:
        name, key = self.fresh(), repr(node.name)
        if self._subject is None:
            self.line(f"{name} = get({key}, NO)")
        else:
            of = self._subject
            self.line(f"{name} = {of}.get({key}, NO) if type({of}) is dict else step({of}, {key})")
        self.lost_at(name, node)
        return name


def strict(function: Callable[..., Any], quick: Quick | None = None) -> Callable[[Writer, Call], str]:
    """The code of an operator that needs all its arguments: of no value it makes no value."""

    def write(writer: Writer, call: Call) -> str:
        given = _given(writer, call)
        missing = writer.absent(given)
        code = f"{writer.constant(function)}({', '.join(given)})"
        if missing:
            code = f"NO if {missing} else {code}"
        if quick and (simple := writer.all_are(quick.type, given)):
            code = f"{quick.expression(given)} if {simple} else {code}"
        name = writer.fresh()
        writer.line(f"{name} = {code}")
        writer.lost_at(name, call, given)
        return name

    return write


def lenient(function: Callable[..., Any]) -> Callable[[Writer, Call], str]:
    """The code of an operator to which no value means something."""

    def write(writer: Writer, call: Call) -> str:
        given = _given(writer, call)
        name = writer.fresh()
        writer.line(f"{name} = {writer.constant(function)}({', '.join(given)})")
        writer.lost_at(name, call)
        return name

    return write


def _given(writer: Writer, call: Call) -> list[str]:
    """The names of all arguments."""
    kinds = call.operator.arguments(len(call.arguments)) or ()
    return [
        writer.constant(argument) if kind.check else writer.value(argument)
        for kind, argument in zip(kinds, call.arguments, strict=True)
    ]
