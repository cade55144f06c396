"""Property operations: what a row does to the properties of its user or group. Pure: values in, values out."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from functions.core.events.limits import Unfit

Properties = Mapping[str, Any]
_NUMBERS = frozenset({int, float, Decimal})


def apply(properties: Properties, given: Properties) -> dict[str, Any]:
    """Properties after the operations, or the plain properties, of one row; operations in the order given.

    An operation that the present value does not allow leaves it as it is: `$add` to what is no number.
    """
    after = dict(properties)
    operations = given if is_operations(given) else {"$set": given}
    for operation, values in operations.items():
        change = OPERATIONS[operation]
        for name, value in values.items():
            change(after, name, value)
    return after


def is_operations(given: Properties) -> bool:
    """Whether an object holds operations, and not plain properties; `check` has seen that it does not hold both."""
    return not OPERATIONS.keys().isdisjoint(given)


def check(given: Properties) -> None:
    """Refuse what `apply` could not carry out.

    Raises:
        Unfit: Operations and plain properties are mixed, or an operation is given what it cannot use.
    """
    if not is_operations(given):
        return
    for operation, values in given.items():
        if operation not in OPERATIONS:
            raise Unfit("mixes operations with plain properties")
        if type(values) is not dict:
            raise Unfit(f"`{operation}` must be an object of properties")
        if operation == "$add" and any(type(value) not in _NUMBERS for value in values.values()):
            raise Unfit("`$add` must be given numbers")


def _set(after: dict[str, Any], name: str, value: Any) -> None:
    after[name] = value


def _set_once(after: dict[str, Any], name: str, value: Any) -> None:
    after.setdefault(name, value)


def _unset(after: dict[str, Any], name: str, _: Any) -> None:
    after.pop(name, None)


def _add(after: dict[str, Any], name: str, value: Any) -> None:
    present = after.get(name)
    if present is None:
        after[name] = value
    elif type(present) in _NUMBERS:
        total = _sum(present, value)
        after[name] = present if total is None else total


def _sum(left: Any, right: Any) -> Any:
    """The sum, None where it is not finite; a decimal and a double meet as doubles."""
    same = type(left) is type(right) or int in {type(left), type(right)}
    try:
        total = left + right if same else float(left) + float(right)
    except ArithmeticError:
        return None
    return total if total - total == 0 else None


def _joined(*, first: bool, new_only: bool) -> Callable[[dict[str, Any], str, Any], None]:
    """Put items before or after those of a list; a single value counts as a list of one."""

    def change(after: dict[str, Any], name: str, value: Any) -> None:
        present = _listed(after.get(name))
        items = _listed(value)
        if new_only:
            items = [item for place, item in enumerate(items) if not _holds([*present, *items[:place]], item)]
        after[name] = [*items, *present] if first else [*present, *items]

    return change


def _remove(after: dict[str, Any], name: str, value: Any) -> None:
    if type(after.get(name)) is list:
        gone = _listed(value)
        after[name] = [item for item in after[name] if not _holds(gone, item)]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if type(value) is list else [value]


def _holds(items: list[Any], wanted: Any) -> bool:
    """As JSON: true is not 1."""
    return any(item == wanted and (type(item) is bool) is (type(wanted) is bool) for item in items)


OPERATIONS: dict[str, Callable[[dict[str, Any], str, Any], None]] = {
    "$set": _set,
    "$setOnce": _set_once,
    "$add": _add,
    "$append": _joined(first=False, new_only=False),
    "$prepend": _joined(first=True, new_only=False),
    "$unset": _unset,
    "$preInsert": _joined(first=True, new_only=True),
    "$postInsert": _joined(first=False, new_only=True),
    "$remove": _remove,
}
"""What each operation does to one property."""
