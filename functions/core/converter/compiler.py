"""A converter as one Python function: record in, output out."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from functions.core.converter.nodes import Call, Node
from functions.core.converter.source_code import Writer
from functions.core.events.checks import Check

Output = dict[str, Any]
Convert = Callable[[dict[str, Any], int], Output | None]


class Compiled:
    """The functions of one converter.

    `convert(record, now)` gives the output, or None where the flag says that the record is to be passed over;
    `now` is in milliseconds. It raises RecursionError for a record that is nested too deeply, and nothing else.

    `checked(record, now)` gives of the output what the checks of its fields keep, and no other fields; it raises
    what they raise. It is one function too: a second pass over the output would cost as much as the first.
    """

    def __init__(self, fields: Mapping[str, Node], flag: Node | None, checks: Mapping[str, Check]) -> None:
        self._fields = fields
        self.convert = _converting(fields, flag, {})
        self.checked = _converting({name: fields[name] for name in fields if name in checks}, flag, checks)

    def lost_at(self, field: str, record: dict[str, Any], now: int) -> Node | None:
        """Where the value of an output's field is lost; None where it is not, or the output has no such field.

        An operator that takes several values loses the first of them that is lost.
        """
        number = self._tracing(record, now).get(field)
        return None if number is None else self._traced.nodes[number]

    @cached_property
    def _traced(self) -> Writer:
        writer = Writer(tracing=True)
        writer.line("lost = {}")
        for field, node in self._fields.items():
            name = writer.value(node)
            writer.line(f"lost[{field!r}] = {writer.origin(name)} if {name} is NO else None")
        writer.line("return lost")
        return writer

    @cached_property
    def _tracing(self) -> Callable[[dict[str, Any], int], dict[str, int | None]]:
        return self._traced.function("trace")


def _converting(fields: Mapping[str, Node], flag: Node | None, checks: Mapping[str, Check]) -> Convert:
    writer = Writer()
    if flag is not None:
        name = writer.value(flag)
        with writer.block(f"if {name} is True or {name} == 'true':"):
            writer.line("return None")
    writer.line("output = {}")
    for field, node in fields.items():
        name = writer.value(node)
        with writer.block(f"if {name} is not NO:"):
            writer.line(f"output[{field!r}] = {_kept(writer, name, checks.get(field))}")
    writer.line("return output")
    return writer.function("convert")


def _kept(writer: Writer, name: str, check: Check | None) -> str:
    if check is None:
        return name
    unchanged = f"{check.as_it_is.format(name)} or {name} is None"
    return f"{name} if {unchanged} else {writer.constant(check.keep)}({name})"


def evaluate(node: Node, record: dict[str, Any], now: int) -> Any:
    """The value of one SOURCE; `NO_VALUE` where it has none."""
    writer = Writer()
    writer.line(f"return {writer.value(node)}")
    return writer.function("evaluate")(record, now)


def operator_of(node: Node | None) -> str | None:
    """The operator that a node is, as the converter calls it; None for a field."""
    return node.name if isinstance(node, Call) else None
