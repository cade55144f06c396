"""A function that does with the columnar layer what ours do with it, in Lambda's Python."""

import importlib
import io
import zoneinfo
from typing import Any

MODULES = (
    "pyarrow",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.json",
    "pyarrow.parquet",
    "isal.igzip",
    "pysequoia",
    "re2",
)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Rows as JSON lines through a Parquet file, gzip, an OpenPGP message, a pattern and a time zone."""
    pa, compute, csv, json, parquet, igzip, pysequoia, re2 = map(importlib.import_module, MODULES)
    table = json.read_json(io.BytesIO(event["lines"].encode()))
    file = pa.BufferOutputStream()
    parquet.write_table(table, file, compression="zstd")
    read = parquet.read_table(pa.BufferReader(file.getvalue()))
    text = io.BytesIO()
    csv.write_csv(read, text)
    secret = pysequoia.Tsk.generate("acme")
    sealed = pysequoia.encrypt(text.getvalue(), recipients=[secret.extract_certificate()])
    return {
        "total": compute.sum(read["n"]).as_py(),
        "csv": igzip.decompress(igzip.compress(text.getvalue())).decode(),
        "opened": pysequoia.decrypt(sealed, decryptor=secret.decryptor()).bytes.decode(),
        "matched": re2.compile(r"(\w+,?)*").fullmatch("a" * 100_000 + "!") is None,
        "zone": str(zoneinfo.ZoneInfo("Europe/Berlin")),
        "zones": len(zoneinfo.available_timezones()),
    }
