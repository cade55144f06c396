"""What a column holds, found from all its values: kinds only widen, so that the last row counts as the first."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from functions.core.formats.faults import TOO_DEEP, Unheld

TIMESTAMP = pa.timestamp("us", tz="UTC")
_INT64 = (-(2**63), 2**63 - 1)
_UINT64 = (0, 2**64 - 1)
DEEPEST = 48
"""Levels of lists and objects: Parquet counts a list twice, and readers follow a hundred."""

_DECIMAL128_DIGITS = 38
_DECIMAL256_DIGITS = 76

_SIMPLE = {
    bool: pa.bool_(),
    float: pa.float64(),
    str: pa.string(),
    datetime: TIMESTAMP,
    date: pa.date32(),
    time: pa.time64("us"),
    bytes: pa.binary(),
}


class Kind:
    """The kinds of values that were seen in one place, and in the places within; `depth` counts those around."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._types: set[type] = set()
        self._low = self._high = 0
        self._whole = self._scale = 0
        self._members: dict[str, Kind] = {}
        self._item: Kind | None = None

    def see(self, values: list[Any]) -> None:
        """Widen by these values.

        Raises:
            Unheld: They are nested too deeply.
        """
        found = set(map(type, values))
        found.discard(type(None))
        self._types |= found
        if int in found:
            integers = [value for value in values if type(value) is int]
            self._low, self._high = min(self._low, *integers), max(self._high, *integers)
        if Decimal in found:
            self._see_decimals(value for value in values if type(value) is Decimal)
        if dict in found:
            self.see_rows([value for value in values if type(value) is dict])
        if list in found:
            self._item = self._item or self._within()
            self._item.see([item for value in values if type(value) is list for item in value])

    def see_rows(self, rows: list[dict[str, Any]]) -> None:
        """Widen by the members of these rows."""
        names: dict[str, Any] = {}
        for row in rows:
            names.update(row)
        for name in names:
            kind = self._member(name)
            kind.see([row.get(name) for row in rows])

    def see_types(self, fields: Iterable[pa.Field]) -> None:
        """Widen by members of these types."""
        for field in fields:
            self._member(field.name).see_type(field.type)

    def see_type(self, given: pa.DataType) -> None:
        """Widen by a type: as if its outermost values had been seen."""
        if pa.types.is_struct(given):
            self._types.add(dict)
            self.see_types(given)
        elif pa.types.is_list(given):
            self._types.add(list)
            self._item = self._item or self._within()
            self._item.see_type(given.value_type)
        elif pa.types.is_null(given):
            return
        else:
            self.see(_extremes(given))

    def see_column(self, column: pa.Array) -> None:
        """Widen by the values of a column: nulls, booleans, 64-bit integers, doubles, texts, structs and lists."""
        given = column.type
        if len(column) == column.null_count:
            return
        if pa.types.is_struct(given):
            self._types.add(dict)
            self.see_columns(given.names, column.flatten())
        elif pa.types.is_list(given):
            self._types.add(list)
            self._item = self._item or self._within()
            self._item.see_column(column.flatten())
        elif pa.types.is_integer(given):
            self.see(list(pc.min_max(column).as_py().values()))
        else:
            self.see(_extremes(given))

    def see_columns(self, names: Iterable[str], columns: Iterable[pa.Array]) -> None:
        """Widen by members with these values."""
        for name, column in zip(names, columns, strict=True):
            self._member(name).see_column(column)

    def _member(self, name: str) -> "Kind":
        if name not in self._members:
            self._members[name] = self._within()
        return self._members[name]

    def _within(self) -> "Kind":
        if self._depth == DEEPEST:
            raise Unheld(TOO_DEEP)
        return Kind(self._depth + 1)

    def fields(self) -> list[pa.Field]:
        """The members, as fields."""
        return [pa.field(name, kind.resolve()) for name, kind in self._members.items()]

    def resolve(self) -> pa.DataType:
        """The narrowest type that holds every value; text where kinds do not go together."""
        if self._types == {dict}:
            # Parquet has no group without members.
            return pa.struct(self.fields()) if self._members else pa.string()
        if self._types == {list} and self._item is not None:
            return pa.list_(self._item.resolve())
        if self._types == {int}:
            return self._integer()
        if self._types == {int, float}:
            return pa.float64()
        if Decimal in self._types and self._types <= {int, Decimal}:
            return self._decimal()
        return _SIMPLE[next(iter(self._types))] if len(self._types) == 1 else pa.string()

    def _integer(self) -> pa.DataType:
        for (low, high), chosen in ((_INT64, pa.int64()), (_UINT64, pa.uint64())):
            if low <= self._low and self._high <= high:
                return chosen
        return self._decimal()

    def _see_decimals(self, values: Iterable[Decimal]) -> None:
        for value in values:
            _, figures, exponent = value.as_tuple()
            if isinstance(exponent, int):
                self._scale = max(self._scale, -exponent)
                self._whole = max(self._whole, len(figures) + exponent)

    def _decimal(self) -> pa.DataType:
        whole = max(self._whole, *(len(str(abs(bound))) for bound in (self._low, self._high)))
        total = whole + self._scale
        if total <= _DECIMAL128_DIGITS:
            return pa.decimal128(total, self._scale)
        # Wider numbers are told, with their row, by whoever puts them into a column.
        return pa.decimal256(min(total, _DECIMAL256_DIGITS), min(self._scale, _DECIMAL256_DIGITS))


def normal(given: pa.DataType) -> pa.DataType:
    """A type of Parquet as it is carried: timestamps in UTC with microseconds, dictionaries as their values.

    Raises:
        Unheld: No other format could hold it.
    """
    if pa.types.is_timestamp(given):
        return TIMESTAMP
    if pa.types.is_dictionary(given):
        return normal(given.value_type)
    if pa.types.is_struct(given):
        return pa.struct([member.with_type(normal(member.type)) for member in given])
    if pa.types.is_list(given) or pa.types.is_large_list(given) or pa.types.is_fixed_size_list(given):
        return pa.list_(given.value_field.with_type(normal(given.value_type)))
    if pa.types.is_map(given):
        return pa.map_(normal(given.key_type), normal(given.item_type))
    return _unheld(given) if pa.types.is_duration(given) or pa.types.is_interval(given) else given


def _extremes(given: pa.DataType) -> list[Any]:
    """Values that need as much room as any of the type."""
    if pa.types.is_decimal(given):
        return [Decimal(10) ** (given.precision - given.scale) - Decimal(1).scaleb(-given.scale)]
    if pa.types.is_integer(given):
        signed = pa.types.is_signed_integer(given)
        bits = given.bit_width - 1 if signed else given.bit_width
        return [-(2**bits) if signed else 0, 2**bits - 1]
    for matches, value in _SAMPLES:
        if matches(given):
            return [value]
    return [{}]


_SAMPLES: list[tuple[Callable[[pa.DataType], bool], Any]] = [
    (pa.types.is_boolean, True),
    (pa.types.is_floating, 0.0),
    (pa.types.is_timestamp, datetime(1970, 1, 1, tzinfo=UTC)),
    (pa.types.is_date, date(1970, 1, 1)),
    (pa.types.is_time, time()),
    (lambda given: pa.types.is_string(given) or pa.types.is_large_string(given), ""),
    (lambda given: pa.types.is_binary(given) or pa.types.is_large_binary(given), b""),
    (pa.types.is_fixed_size_binary, b""),
]


def _unheld(given: pa.DataType) -> NoReturn:
    raise Unheld(f"is of the type {given}, which is not carried")
