"""What is in the files of a side: every value of every row, in order, as it was sent."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.json as pj
import pyarrow.parquet as pq
from isal import igzip

from bench import record_bodies
from bench.record_bodies import COLUMNS

_TIMES = pa.timestamp("us", "UTC")
_BLOCK = 16 * 1024 * 1024
_TYPES = {
    "id": pa.int64(),
    "amount": pa.float64(),
    "tax": pa.float64(),
    "active": pa.bool_(),
}
_AS_SENT = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])


class ContentError(Exception):
    """A side has not written the rows that it was given."""


def sent(folder: Path) -> pa.Table:
    """The rows that were written to `folder` as messages."""
    return pa.concat_tables(
        _canonical(_json(path.read_bytes().replace(b"},{", b"}\n{"))) for path in record_bodies.files(folder)
    ).combine_chunks()


def check(side: str, files: list[Path], rows: pa.Table) -> None:
    """Compare the files with the rows; an absent text and an empty one are the same, since CSV has one of them.

    Raises:
        ContentError: They differ.
    """
    found = pa.concat_tables(_canonical(_read(path)) for path in files).combine_chunks()
    if not found.equals(rows):
        names = [name for name in COLUMNS if found.column(name) != rows.column(name)]
        raise ContentError(f"{side} wrote {found.num_rows} rows of {rows.num_rows}; these differ: {names}")


def count(path: Path) -> int:
    """The rows of a file, without holding them."""
    if path.suffix == ".parquet":
        return int(pq.ParquetFile(path).metadata.num_rows)
    head = 1 if path.name.endswith("csv.gz") else 0
    with igzip.open(path) as lines:  # type: ignore[no-untyped-call] # the library has no types for it
        return sum(int(data.count(b"\n")) for data in iter(lambda: lines.read(_BLOCK), b"")) - head


def _read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        codecs = {file.metadata.row_group(0).column(place).compression for place in range(len(COLUMNS))}
        if codecs != {"SNAPPY"}:
            raise ContentError(f"{path.name} is compressed by {codecs}, and not by snappy")
        return file.read(list(COLUMNS))
    data = gzip.decompress(path.read_bytes())
    if path.name.endswith("jsonl.gz"):
        return _json(data)
    reading = pv.ReadOptions(block_size=_BLOCK)
    types = pv.ConvertOptions(column_types=_AS_SENT, include_columns=COLUMNS)
    return pv.read_csv(pa.BufferReader(data), reading, convert_options=types)


def _json(data: bytes) -> pa.Table:
    parsing = pj.ParseOptions(explicit_schema=_AS_SENT, unexpected_field_behavior="ignore")
    return pj.read_json(pa.BufferReader(data), pj.ReadOptions(block_size=_BLOCK), parsing)


def _canonical(table: pa.Table) -> pa.Table:
    columns = {}
    for name in COLUMNS:
        column = table.column(name)
        wanted = _TIMES if name.endswith("_at") else _TYPES.get(name, pa.string())
        column = column.cast(wanted)
        columns[name] = pc.fill_null(column, "") if wanted == pa.string() else column
    return pa.table(columns)
