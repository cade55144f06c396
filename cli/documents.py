"""Documents in files: YAML or JSON, checked by whoever knows them, with the line of every fault."""

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import yaml

from functions.core.definitions.destination import SOURCE, Destination
from functions.core.definitions.parsing import parse_destination
from functions.core.errors import Code, Fault, Refused

if TYPE_CHECKING:
    from functions.core.definitions.sources import Source

Checked = TypeVar("Checked")


def read_text(file: str) -> str:
    """The text of a file, or of standard input for `-`.

    Raises:
        Refused: It cannot be read, or is not UTF-8.
    """
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise _unreadable(file, Code.MISSING_FILE, str(error.strerror)) from None
    except ValueError:
        raise _unreadable(ascii(file), Code.MISSING_FILE, "no file can be called so") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(file, Code.BAD_FILE, f"not UTF-8 at byte {error.start}") from None


def read_destination(file: str) -> tuple[Destination, dict[str, Any]]:
    """The destination that a file describes, checked, and the document itself.

    Raises:
        Refused: All faults of the document, each with its path, its line and its column.
    """
    return read_document(file, lambda document: (parse_destination(document), _as_stored(document)))


def read_source(file: str, converter: str | None = None) -> "tuple[Source, dict[str, Any]]":
    """The source that a file describes, checked, and the document itself with its converter in it.

    The converter may be a file: that which is given, else that which the document names, beside its own.

    Raises:
        Refused: All faults of the document, each with its path, its line and its column.
    """
    return read_document(file, lambda document: _source(document, file, converter))


def read_definition(file: str) -> "Destination | Source":
    """The destination or the source that a file describes, checked.

    Raises:
        Refused: As the two above.
    """

    def parse(document: Any) -> "Destination | Source":
        if isinstance(document, dict) and document.get("kind") == SOURCE:
            return _source(document, file, None)[0]
        return parse_destination(document)

    return read_document(file, parse)


def read_document(file: str, parse: Callable[[Any], Checked]) -> Checked:
    """What `parse` makes of the document in a file.

    Raises:
        Refused: All faults of the document, each with its path, its line and its column.
    """
    text = read_text(file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        repeated = list(_repeated(root, "", set()))
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        raise Refused([_not_yaml(error.problem or "", error.problem_mark or error.context_mark)]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Refused([_not_yaml(type(error).__name__, None)]) from None
    if repeated:
        raise Refused(repeated)
    try:
        return parse(document)
    except Refused as refused:
        raise Refused([_placed(fault, root) for fault in refused.faults]) from None


def _as_stored(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a name that YAML reads as a value, `null` of `delimited`, as the text that JSON has."""
    given = document.get("delimited")
    if not isinstance(given, dict):
        return document
    return document | {"delimited": {"null" if name is None else name: each for name, each in given.items()}}


def _source(document: Any, file: str, converter: str | None) -> "tuple[Source, dict[str, Any]]":
    # Its libraries take their time, and most commands do without.
    from functions.core.definitions.sources import parse_source  # noqa: PLC0415 - as said

    if isinstance(document, dict):
        given = converter if converter is not None else document.get("converter")
        if isinstance(given, str):
            beside = given if converter is not None else str(Path(file).parent / given)
            given = _converter(beside)
        start = document.get("start_from")
        document = {
            **document,
            **({} if given is None else {"converter": _as_json(given)}),
            **({"start_from": start.isoformat()} if isinstance(start, date | datetime) else {}),
        }
    return parse_source(document), document


def _converter(file: str) -> Any:
    try:
        return read_document(file, lambda document: document)
    except Refused as refused:
        raise Refused(
            msgspec.structs.replace(fault, path="converter", message=f"{file}: {fault.message}")
            for fault in refused.faults
        ) from None


def _as_json(value: Any) -> Any:
    """A value with the names that JSON has for those that YAML reads as values."""
    if isinstance(value, Mapping):
        return {"null" if name is None else str(name): _as_json(each) for name, each in value.items()}
    return [_as_json(each) for each in value] if isinstance(value, list) else value


def _repeated(
    node: yaml.Node | None, path: str, seen: set[int], above: tuple[int, ...] = ()
) -> Iterator[Fault]:
    """Names that stand twice in one mapping; what aliases repeat is looked at once, however often they do.

    Raises:
        RecursionError: A node holds itself.
    """
    if id(node) in above:
        raise RecursionError
    if id(node) in seen:
        return
    seen.add(id(node))
    for key, value, name in _children(node):
        below = f"{path}.{name}" if path else name
        if key is not None and sum(name == other for _, _, other in _children(node)) > 1:
            twice = Fault(code=Code.BAD_DEFINITION, path=below, message="stands here a second time")
            yield _at(twice, key.start_mark)
        yield from _repeated(value, below, seen, (*above, id(node)))


def _children(node: yaml.Node | None) -> Iterator[tuple[yaml.Node | None, yaml.Node, str]]:
    """The parts of a node: the key where there is one, the value, and how a path names it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key, value, str(key.value)
    if isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield None, value, str(place)


def _placed(fault: Fault, root: yaml.Node | None) -> Fault:
    """The fault with the line of its field; a template's own column says more than the field's."""
    node, mark = root, root.start_mark if root else None
    for name in fault.path.split(".") if fault.path else ():
        found = next(((key, value) for key, value, known in _children(node) if known == name), None)
        if found is None:
            break
        node = found[1]
        mark = (found[0] or found[1]).start_mark
    return _at(fault, mark)


def _at(fault: Fault, mark: yaml.Mark | None) -> Fault:
    column = fault.column or (mark.column + 1 if mark else None)
    return msgspec.structs.replace(fault, line=mark.line + 1 if mark else None, column=column)


def _not_yaml(problem: str, mark: yaml.Mark | None) -> Fault:
    fault = Fault(code=Code.BAD_DEFINITION, message=f"this is neither YAML nor JSON: {problem}")
    return _at(fault, mark)


def _unreadable(file: str, code: Code, why: str) -> Refused:
    return Refused([Fault(code=code, path=file, message=why)])
