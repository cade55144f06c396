"""Definitions in files: YAML or JSON, with the line of every fault."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import yaml

from functions.core.definitions import Destination, parse_destination
from functions.core.errors import Code, Fault, Refused


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
        raise _unreadable(file, Code.BAD_DEFINITION, f"not UTF-8 at byte {error.start}") from None


def read_destination(file: str) -> tuple[Destination, dict[str, Any]]:
    """The destination that a file describes, checked, and the document itself.

    Raises:
        Refused: All faults of the document, each with its path, its line and its column.
    """
    text = read_text(file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_repeated(root)
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Refused([_not_yaml(error.problem or "", mark)]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Refused([_not_yaml(type(error).__name__, None)]) from None
    try:
        return parse_destination(document), document
    except Refused as refused:
        raise Refused([_placed(fault, root) for fault in refused.faults]) from None


def _refuse_repeated(node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                fault = _not_yaml(f"`{key.value}` stands here a second time", key.start_mark)
                raise Refused([fault])
            seen.add(str(key.value))
            _refuse_repeated(value)


def _placed(fault: Fault, root: yaml.Node | None) -> Fault:
    """The fault with the line of its field; a template's own column, with its caret, says more than the field's."""
    node, mark = root, root.start_mark if root else None
    for name in fault.path.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        key, node = next(((key, value) for key, value in pairs if str(key.value) == name), (None, None))
        if key is None:
            break
        mark = key.start_mark
    line = mark.line + 1 if mark else None
    column = fault.column or (mark.column + 1 if mark else None)
    return msgspec.structs.replace(fault, line=line, column=column)


def _unreadable(file: str, code: Code, why: str) -> Refused:
    return Refused([Fault(code=code, path=file, message=why)])


def _not_yaml(problem: str, mark: yaml.Mark | None) -> Fault:
    return Fault(
        code=Code.BAD_DEFINITION,
        message=f"this is neither YAML nor JSON: {problem}",
        line=mark.line + 1 if mark else None,
        column=mark.column + 1 if mark else None,
    )
