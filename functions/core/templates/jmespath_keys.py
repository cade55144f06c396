"""Key templates in JMESPath: checked when a definition is loaded, rendered for every message.

A template sees three namespaces: `metadata` (the strings that become the object's metadata), `time` (the
message's time in UTC, `instants.TIME_FIELDS`) and `data` (the payload). Functions are JMESPath's own.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Self

from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.visitor import TreeInterpreter

from functions.core.errors import Code, Permanent, Refused
from functions.core.instants import Instant
from functions.core.templates.jmespath_checks import Checked, Node, check

_Scope = dict[str, Any]
"""What a template sees: the namespaces by name."""


class KeyTemplate:
    """A checked template; only one that passed every check can be had, and so be rendered.

    `unique` says whether it refers to something that no two messages share.
    """

    def __init__(self, expression: str, checked: Checked) -> None:
        self.expression = expression
        self.unique = checked.unique
        self._root = checked.root
        self._time_fields = checked.time_fields
        self._needs_data = checked.needs_data
        self._interpreter = TreeInterpreter()
        self._evaluate = _compiled(checked.root) or self._interpret

    @classmethod
    def parse(cls, expression: str) -> Self:
        """The template that this expression is.

        Raises:
            Refused: It is no JMESPath, names what does not exist, or can never give a key; each fault has the
                column that it stands at.
        """
        checked = check(expression)
        if checked.faults:
            raise Refused(checked.faults)
        return cls(expression, checked)

    def render(self, *, metadata: Mapping[str, str], time: Instant, data: Callable[[], Any]) -> str:
        """The name, below the definition's prefix, that a message gets.

        `data` is called only when the template looks into the payload, which need not be parsed otherwise.

        Raises:
            Permanent: `BAD_KEY`; for this message the template gives no string, number or boolean.
        """
        scope = {
            "metadata": metadata,
            "time": time.fields(self._time_fields),
            "data": data() if self._needs_data else {},
        }
        try:
            result = self._evaluate(scope)
        except JMESPathTypeError as error:
            raise _no_key(_explain(error, self._root, scope, self._interpreter)) from None
        except (JMESPathError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
            # The text of these errors can hold the payload's values; only their kind is told.
            raise _no_key(f"cannot be evaluated for this message ({type(error).__name__})") from None
        return _name(result)

    def _interpret(self, scope: _Scope) -> Any:
        return self._interpreter.visit(self._root, scope)


def _compiled(node: Node) -> Callable[[_Scope], Any] | None:
    """A function that gives what jmespath's interpreter does, for what most templates are made of.

    These are literals, fields of the namespaces, and their join; at a sixth of the interpreter's time.
    """
    match node:
        case {"type": "literal", "value": value}:
            return lambda _scope: value
        case {
            "type": "subexpression",
            "children": [{"type": "field", "value": namespace}, {"type": "field", "value": name}],
        }:
            return lambda scope: scope[namespace].get(name)
        case {
            "type": "function_expression",
            "value": "join",
            "children": [
                {"type": "literal", "value": str(separator)},
                {"type": "multi_select_list"} as parts,
            ],
        }:
            return _joining(separator, parts["children"])
        case _:
            return None


def _joining(separator: str, nodes: list[Node]) -> Callable[[_Scope], Any] | None:
    parts = [part for part in map(_compiled, nodes) if part is not None]
    if len(parts) < len(nodes):
        return None

    def join(scope: _Scope) -> str:
        values = [part(scope) for part in parts]
        for value in values:
            if not isinstance(value, str):
                raise JMESPathTypeError("join", None, type(value).__name__, ["array-string"])
        return separator.join(values)

    return join


def _name(result: Any) -> str:
    """A template's result as text: numbers as Go's `%g` writes them, which is what users know."""
    match result:
        case "":
            raise _no_key("gives an empty string")
        case str():
            return result
        case bool():
            return "true" if result else "false"
        case int():
            return _decimal(result)
        case float():
            return _shortest(result)
        case None:
            raise _no_key("gives null: something that it refers to is absent from the message")
        case list():
            raise _no_key("gives a list, not a name; join('/', …) makes one of it")
        case _:
            raise _no_key("gives an object, not a name; choose a field of it")


def _decimal(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python refuses to print more than 4,300 digits, four times what a key may have.
        raise _no_key("gives a number of more digits than a key may have") from None


def _shortest(number: float) -> str:
    """Go's `strconv.FormatFloat(number, 'g', -1, 64)`: exponent form below 1e-4 and from 1e6."""
    if not math.isfinite(number):
        raise _no_key("gives a number that is too large to be written")
    exact = Decimal(repr(number)).normalize()
    power = exact.adjusted()
    if number != 0 and not -4 <= power < 6:  # noqa: PLR2004 - Go's own bounds
        return f"{exact.scaleb(-power):f}e{power:+03d}"
    return f"{exact:f}"


def _explain(error: JMESPathTypeError, root: Node, scope: Any, interpreter: TreeInterpreter) -> str:
    """What a function was given that it does not take, naming the part of the template where possible."""
    for name, part in _joined(root):
        value = interpreter.visit(part, scope)
        if value is None:
            return f"joins {name}, which is null: the message does not carry it"
        if not isinstance(value, str):
            return f"joins {name}, which is no string: to_string({name}) makes one of it"
    kinds = " or ".join(error.expected_types)
    return f"calls {error.function_name}(), which takes {kinds}, with a value of another type"


def _joined(root: Node) -> list[tuple[str, Node]]:
    if root["type"] != "function_expression" or root["value"] != "join":
        return []
    parts = root["children"][1]
    if parts["type"] != "multi_select_list":
        return []
    return [(_path(part), part) for part in parts["children"] if _path(part)]


def _path(node: Node) -> str:
    if node["type"] == "field":
        return str(node["value"]) if node["value"].isidentifier() else f'"{node["value"]}"'
    if node["type"] != "subexpression":
        return ""
    names = [_path(child) for child in node["children"]]
    return ".".join(names) if all(names) else ""


def _no_key(why: str) -> Permanent:
    return Permanent(Code.BAD_KEY, f"the key template {why}")
