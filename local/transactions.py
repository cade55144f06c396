"""Transactions of DynamoDB at the price of what they touch: moto copies the whole table, once for each action."""

import copy
from collections import defaultdict
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

_by_moto = DynamoDBBackend.transact_write_items

_one_at_a_time = Lock()
"""moto's requests come by many threads, and it looks at the conditions of all actions before it does any."""

Key = tuple[Any, Any]
"""The second part is None in a table without a sort key, whose items lie directly under the first."""


class _Touched(Table):
    """The items of a table that a transaction is about, copied; if it fails, nobody sees them again."""

    def __deepcopy__(self, _: dict[int, Any]) -> "_Touched":
        """It is a copy already."""
        return self


def install() -> None:
    """Have moto do transactions so, in this process."""
    DynamoDBBackend.transact_write_items = _transact_write_items  # type: ignore[method-assign] # the very purpose


def _transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """All of the actions, or none of them, by moto's own rules; one transaction after the other."""
    with _one_at_a_time:
        _transact(self, transact_items)


def _transact(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    keys: defaultdict[str, list[Key]] = defaultdict(list)
    for name, key in _keys(transact_items):
        table = self.tables.get(name)
        if table is not None:
            names = (table.hash_key_attr, table.range_key_attr)
            keys[name].append(self.get_keys_value(table, {each: key[each] for each in names if each}))
    scoped = copy.copy(self)
    scoped.tables = {
        **self.tables,
        **{name: _touched(self.tables[name], some) for name, some in keys.items()},
    }
    _by_moto(scoped, transact_items)
    for name, some in keys.items():
        _put(scoped.tables[name].items, into=self.tables[name].items, keys=some)


def _touched(table: Table, keys: list[Key]) -> Table:
    touched = copy.copy(table)
    touched.__class__ = _Touched  # type: ignore[type-abstract] # as moto's own tables are
    touched.items = defaultdict(dict)
    _put(table.items, into=touched.items, keys=keys)
    touched.items = copy.deepcopy(touched.items)
    return touched


def _put(items: Any, *, into: Any, keys: list[Key]) -> None:
    """Have these items be as they are among the others: there, or not there."""
    for first, second in keys:
        if second is None:
            into.pop(first, None)
            if first in items:
                into[first] = items[first]
            continue
        into[first].pop(second, None)
        if second in items.get(first, {}):
            into[first][second] = items[first][second]


def _keys(actions: list[dict[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for action in actions:
        for what in action.values():
            yield what["TableName"], what.get("Key") or what["Item"]
