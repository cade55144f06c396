"""A converter's SOURCEs once they are checked: a tree of fields and of operators with their arguments."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Union

import msgspec

if TYPE_CHECKING:
    from functions.core.converter.source_code import Writer


class Field(msgspec.Struct, frozen=True):
    """A field of the record; `path` is where the converter refers to it."""

    name: str
    path: str


class Argument(msgspec.Struct, frozen=True):
    """One argument of an operator: a SOURCE, or RAW where there is a `check`, which gives what is kept of it."""

    label: str
    check: Callable[[Any], Any] | None = None


class Example(msgspec.Struct, frozen=True):
    """An operator at work: the reference shows it and a test runs it. Without `result` it gives no value."""

    source: Any
    record: dict[str, Any]
    result: Any = msgspec.UNSET


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """One operator: everything that anybody knows of it.

    `repeated` are the arguments that follow the `fixed` ones `at_least` times. `compile` writes the code of a use
    and gives the name of its value. `across` checks the RAW arguments together, after each alone.
    """

    names: tuple[str, ...]
    fixed: tuple[Argument, ...] = ()
    repeated: tuple[Argument, ...] = ()
    at_least: int = 1
    across: Callable[[tuple[Any, ...]], object] | None = None
    compile: Callable[["Writer", "Call"], str]
    doc: str
    example: Example

    def signature(self) -> str:
        """The arguments as the reference writes them: `RAW key, SOURCE, …`."""
        shown = [f"RAW {each.label}" if each.check else each.label for each in (*self.fixed, *self.repeated)]
        return ", ".join([*shown, "…"] if self.repeated else shown)

    def arguments(self, count: int) -> tuple[Argument, ...] | None:
        """What each of so many arguments is; None, where there may not be so many."""
        rest = count - len(self.fixed)
        group = len(self.repeated)
        if rest < 0 or (rest % group if group else rest) or (group and rest // group < self.at_least):
            return None
        return self.fixed + self.repeated * (rest // group if group else 0)


class Call(msgspec.Struct, frozen=True):
    """A use of an operator, under the name that the converter gives it; RAW arguments are what is kept of them."""

    operator: Operator
    name: str
    arguments: tuple[Any, ...]
    path: str


Node = Union[Field, Call]  # noqa: UP007 - read at run time, where the structs above refer to one another
