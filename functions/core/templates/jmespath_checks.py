"""Everything that can be known of a JMESPath key template without a message.

A template is followed through with *shapes*, what a value may be, in place of values: an unknown name, a
wrong argument and a result that can never be a key show themselves before the first message does.
"""

import difflib
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from jmespath.ast import function_expression
from jmespath.exceptions import IncompleteExpressionError, JMESPathError, LexerError, ParseError
from jmespath.functions import Functions
from jmespath.parser import Parser

from functions.core.errors import Code, Fault
from functions.core.templates.jmespath_shapes import (
    ANY,
    DEFAULT,
    METADATA,
    METADATA_NAMES,
    NULL,
    RESULTS,
    SCOPE,
    TIME,
    UNIQUE_NAMES,
    Shape,
)

Node = dict[str, Any]
"""A node of jmespath's syntax tree: `type`, `children`, mostly `value`, and ours: `start`, counted from 0."""

_SCALAR = frozenset({"string", "number", "boolean"})


class Checked(msgspec.Struct, kw_only=True):
    """What the checks found: the faults, and what a template refers to."""

    root: Node
    faults: list[Fault]
    unique: bool = False
    needs_data: bool = False
    time_fields: tuple[str, ...] = ()


def check(expression: str) -> Checked:
    """Parse a template and check it; one that does not parse has a fault and no tree."""
    try:
        with warnings.catch_warnings():
            # Unquoted text between backticks is deprecated in JMESPath, and still what people write.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            root = _PlacingParser().parse(expression).parsed
        walk = _Walk(expression)
        shape = walk.visit(root, SCOPE)
    except JMESPathError as error:
        return Checked(root={}, faults=[_syntax_fault(expression, error)])
    except ValueError:  # Python reads no number of more than 4,300 digits, be it an index
        return Checked(root={}, faults=[_fault(expression, 0, "the key template holds too long a number")])
    except RecursionError:
        return Checked(root={}, faults=[_fault(expression, 0, "the key template is nested too deeply")])
    if not walk.faults and not shape.kinds & _SCALAR:
        kinds = " or ".join(sorted(shape.kinds))
        walk.report(0, f"the key template can only give {kinds}, never a string, number or boolean")
    return Checked(
        root=root,
        faults=walk.faults,
        unique=bool(walk.metadata & UNIQUE_NAMES),
        needs_data=walk.needs_data,
        # In the table's order: `values(time)` must give the same in every process.
        time_fields=tuple(name for name in TIME.fields if name in walk.time_fields),
    )


class _PlacingParser(Parser):  # type: ignore[misc] # jmespath has no types
    """jmespath's parser, which also notes where a name stands and insists on commas between arguments."""

    _CACHE: dict[str, Any] = {}  # noqa: RUF012 - replaces the cache that all of jmespath's parsers share

    def _token_nud_unquoted_identifier(self, token: dict[str, Any]) -> Node:
        return {**super()._token_nud_unquoted_identifier(token), "start": token["start"]}

    def _token_nud_quoted_identifier(self, token: dict[str, Any]) -> Node:
        return {**super()._token_nud_quoted_identifier(token), "start": token["start"]}

    def _token_led_lparen(self, left: Node) -> Node:
        if left["type"] != "field":
            super()._token_led_lparen(left)  # raises: what is called is not a name
        arguments: list[Node] = []
        while self._current_token() != "rparen":
            if arguments:
                self._match("comma")
            arguments.append(self._expression())
        self._match("rparen")
        return {**function_expression(left["value"], arguments), "start": left["start"]}


class _Walk:
    """One walk over a tree with shapes for values; collects the faults and what is referred to."""

    def __init__(self, expression: str) -> None:
        self.faults: list[Fault] = []
        self.metadata: set[str] = set()
        self.time_fields: set[str] = set()
        self.needs_data = False
        self._expression = expression

    def report(self, start: int, message: str, cure: str = "") -> None:
        self.faults.append(_fault(self._expression, start, message, cure))

    def visit(self, node: Node, scope: Shape) -> Shape:
        """What `node` gives where the current value is a `scope`."""
        shape: Shape = getattr(self, f"_{node['type']}")(node, scope)
        return shape

    def _all(self, nodes: Iterable[Node], scope: Shape) -> tuple[Shape, ...]:
        """What several nodes give as values: all of a value is needed, of a step on the way only a field."""
        return tuple(self._whole(self.visit(node, scope)) for node in nodes)

    def _field(self, node: Node, scope: Shape) -> Shape:
        name = node["value"]
        if "object" not in scope.kinds:
            return NULL
        self._note(name, scope)
        if scope.closed and name not in scope.fields:
            self._unknown(node, scope)
        return scope.fields.get(name) or scope.others or ANY

    def _note(self, name: str, scope: Shape) -> None:
        if scope is METADATA:
            self.metadata.add(name)
        elif scope is TIME and name in TIME.fields:
            self.time_fields.add(name)
        elif scope is SCOPE and name == "data":
            self.needs_data = True

    def _unknown(self, node: Node, scope: Shape) -> None:
        name, start = node["value"], node["start"]
        if scope is TIME:
            cure = _nearest(name, {field: f"time.{field}" for field in TIME.fields})
            self.report(start, f"`time.{name}` does not exist", cure or f"known are {', '.join(TIME.fields)}")
            return
        meant = {field: f"time.{field}" for field in TIME.fields}
        meant |= {field: f"metadata.{_quoted(field)}" for field in METADATA_NAMES}
        meant |= {namespace: namespace for namespace in SCOPE.fields}
        namespaces = ", ".join(SCOPE.fields)
        self.report(start, f"`{name}` is not one of the namespaces {namespaces}", _nearest(name, meant))

    def _whole(self, scope: Shape) -> Shape:
        """The value is used as it is, so all of it is needed."""
        if scope is TIME or scope is SCOPE:
            self.time_fields.update(TIME.fields)
        if scope is SCOPE:
            self.needs_data = True
        return scope

    def _current(self, _: Node, scope: Shape) -> Shape:
        return self._whole(scope)

    _identity = _current

    def _subexpression(self, node: Node, scope: Shape) -> Shape:
        for child in node["children"]:
            scope = self.visit(child, scope)
        return scope

    _index_expression = _subexpression
    _pipe = _subexpression

    def _index(self, _: Node, scope: Shape) -> Shape:
        return ANY if "array" in scope.kinds else NULL

    def _slice(self, _: Node, scope: Shape) -> Shape:
        return Shape.of("array", "null") if "array" in scope.kinds else NULL

    def _projection(self, node: Node, scope: Shape) -> Shape:
        self._all(node["children"][:1], scope)
        self._all(node["children"][1:], ANY)
        return Shape.of("array", "null")

    _value_projection = _projection
    _filter_projection = _projection

    def _flatten(self, node: Node, scope: Shape) -> Shape:
        self._all(node["children"], scope)
        return Shape.of("array", "null")

    def _literal(self, node: Node, _: Shape) -> Shape:
        return Shape.of(_kind(node["value"]))

    def _multi_select_list(self, node: Node, scope: Shape) -> Shape:
        return Shape(kinds=frozenset({"array"}), elements=self._all(node["children"], scope))

    def _multi_select_dict(self, node: Node, scope: Shape) -> Shape:
        values = self._all((pair["children"][0] for pair in node["children"]), scope)
        fields = dict(zip((pair["value"] for pair in node["children"]), values, strict=True))
        return Shape(kinds=frozenset({"object"}), fields=fields, others=NULL)

    def _or_expression(self, node: Node, scope: Shape) -> Shape:
        return Shape.of(*(kind for shape in self._all(node["children"], scope) for kind in shape.kinds))

    _and_expression = _or_expression

    def _not_expression(self, node: Node, scope: Shape) -> Shape:
        self._all(node["children"], scope)
        return Shape.of("boolean")

    def _comparator(self, node: Node, scope: Shape) -> Shape:
        self._all(node["children"], scope)
        return Shape.of("boolean", "null")

    def _expref(self, node: Node, _: Shape) -> Shape:
        self._all(node["children"], ANY)
        return Shape.of("expref")

    def _function_expression(self, node: Node, scope: Shape) -> Shape:
        name, start = node["value"], node["start"]
        given = self._all(node["children"], scope)
        spec = Functions.FUNCTION_TABLE.get(name)
        if spec is None:
            near = _nearest(name, {known: known for known in Functions.FUNCTION_TABLE})
            cure = near or f"known are {', '.join(Functions.FUNCTION_TABLE)}"
            self.report(start, f"there is no function `{name}`", cure)
            return ANY
        self._arguments(name, start, spec["signature"], given)
        return Shape.of(*RESULTS[name]) if name in RESULTS else ANY

    def _arguments(
        self, name: str, start: int, signature: tuple[dict[str, Any], ...], given: tuple[Shape, ...]
    ) -> None:
        variadic = signature[-1].get("variadic", False)
        if len(given) < len(signature) or (len(given) > len(signature) and not variadic):
            wanted = f"at least {len(signature)}" if variadic else str(len(signature))
            self.report(start, f"{name}() takes {wanted} argument(s), not {len(given)}")
            return
        for number, (parameter, shape) in enumerate(zip(signature, given, strict=False), 1):
            if parameter["types"] and not _fits(shape, parameter["types"]):
                takes, kinds = " or ".join(parameter["types"]), " or ".join(sorted(shape.kinds))
                self.report(start, f"argument {number} of {name}() must be {takes}; this can only be {kinds}")


def _fits(shape: Shape, types: list[str]) -> bool:
    """Whether a value of this shape can be one of jmespath's types, such as `string` and `array-number`."""
    for kind, _, element in (name.partition("-") for name in types):
        elements_fit = all(element in each.kinds for each in shape.elements if element)
        if kind in shape.kinds and elements_fit:
            return True
    return False


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", dict: "object", list: "array", str: "string", type(None): "null"}
    return kinds.get(type(value), "number")


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


def _nearest(name: str, meant: Mapping[str, str]) -> str:
    """A question after what was probably meant: `meant` gives for each spelling the right one."""
    folded = {spelling.lower(): right for spelling, right in meant.items()}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    return f"did you mean `{folded[near[0]]}`?" if near else ""


def _syntax_fault(expression: str, error: JMESPathError) -> Fault:
    match error:
        case IncompleteExpressionError():
            return _fault(expression, len(expression), "the key template ends too early")
        case LexerError(lexer_value="-"):
            cure = 'a name that holds a hyphen is quoted: metadata."event-id"'
            return _fault(expression, error.lex_position, "there is a stray `-`", cure)
        case LexerError():
            return _fault(expression, error.lex_position, f"this is no JMESPath: {error.message}")
        case ParseError():
            return _fault(expression, error.lex_position, f"this is no JMESPath: {error.msg}")
        case _:
            return _fault(expression, 0, "the key template is empty", f"the default is {DEFAULT}")


def _fault(expression: str, start: int, message: str, cure: str = "") -> Fault:
    return Fault(
        code=Code.BAD_DEFINITION,
        message=message,
        column=start + 1,
        cure=cure,
        source=expression,
    )
