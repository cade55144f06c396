"""Parquet in memory."""

import io

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def table(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))
