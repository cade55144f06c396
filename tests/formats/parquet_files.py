"""Parquet in memory."""

import datetime as dt
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def table(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))


EVERY_TYPE = pa.table(
    {
        "truth": pa.array([True, None]),
        "small": pa.array([1, None], pa.int8()),
        "whole": pa.array([-(2**63), None]),
        "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
        "single": pa.array([0.1, None], pa.float32()),
        "double": pa.array([0.1, None]),
        "exact": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
        "wide": pa.array([Decimal("9" * 40), None], pa.decimal256(40, 0)),
        "text": pa.array(["é", None]),
        "moment": pa.array([dt.datetime(2026, 3, 8, 9, 30, 0, 123456, dt.UTC), None]),
        "day": pa.array([dt.date(2026, 3, 8), None]),
        "time": pa.array([dt.time(9, 30, 0, 5), None], pa.time64("us")),
        "raw": pa.array([b"\x00\xff", None]),
        "list": pa.array([[dt.date(2026, 3, 8), None], None]),
        "group": pa.array(
            [{"x": Decimal("0.10"), "y": [b"\0"]}, None],
            pa.struct({"x": pa.decimal128(4, 2), "y": pa.list_(pa.binary())}),
        ),
    }
)
"""Columns of all types that JSON, with a schema that is declared, carries whole."""
