"""The converter, compiled, beside one that walks its tree for every record: both with all rules, in one process."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import msgspec

from bench import import_rows
from bench.import_sides import document
from functions.core.converter.rows import Rows
from functions.core.converter.values import NO_VALUE
from functions.core.definitions.sources import parse_source
from functions.core.events.rules import Rules
from tests.converter.tree_walker import walk

_NOW = 1_760_410_739_323


class Speeds(msgspec.Struct, frozen=True):
    """Records a second of processor time."""

    compiled: float
    walked: float


def measure(*, rows: int, rounds: int) -> Speeds:
    """Both, in turn; the rows that they make are compared."""
    source = parse_source(document("bench", "json"))
    rules = Rules(source.data_type, source.strategy.value)
    compiled = Rows(source.converter, rules)
    records = [msgspec.json.decode(line) for line in import_rows.lines_of(range(rows))]

    def walked(record: dict[str, Any]) -> Any:
        values = {field: walk(given, record, _NOW) for field, given in import_rows.FIELDS.items()}
        return rules.judge({field: value for field, value in values.items() if value is not NO_VALUE})

    ways: dict[str, Callable[[dict[str, Any]], Any]] = {
        "compiled": lambda record: compiled.row(record, _NOW),
        "walked": walked,
    }
    if any(ways["compiled"](record) != ways["walked"](record) for record in records):
        raise AssertionError("the two converters do not agree")
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, convert in ways.items():
            began = time.process_time()
            for record in records:
                convert(record)
            speeds[name].append(rows / (time.process_time() - began))
    return Speeds(median(speeds["compiled"]), median(speeds["walked"]))
