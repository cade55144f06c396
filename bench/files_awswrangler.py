"""The peer `awswrangler`: rows become a data frame, which is written as one file.

    python -m bench.files_awswrangler FORMAT --folder NAME --bodies FOLDER --rows N --result FILE

As it is usually written: `json` reads all messages, one list of their rows becomes the frame, gzip is gzip. With
`PEER_TUNED` in the environment, as one writes it who has measured: `orjson`, a frame a message, gzip's level 1.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import awswrangler as wr
import orjson
import pandas as pd

from bench import file_peers

_TUNED = "PEER_TUNED" in os.environ
_GZIP: Any = {"method": "gzip", "compresslevel": 1} if _TUNED else "gzip"


def write(format_name: str, folder: str, bodies: Iterator[str]) -> None:
    """One object."""
    frame = _frame_by_message(bodies) if _TUNED else _frame(bodies)
    path = f"s3://{file_peers.BUCKET}/{folder}/orders/rows"
    if format_name == "jsonl":
        wr.s3.to_json(frame, f"{path}.jsonl.gz", orient="records", lines=True, compression=_GZIP)
    elif format_name == "csv":
        wr.s3.to_csv(frame, f"{path}.csv.gz", index=False, compression=_GZIP)
    else:
        wr.s3.to_parquet(frame, f"{path}.parquet", compression="snappy")


def _frame(bodies: Iterator[str]) -> Any:
    return pd.DataFrame([row for body in bodies for row in json.loads(body)["records"]])


def _frame_by_message(bodies: Iterator[str]) -> Any:
    frames = [pd.DataFrame.from_records(orjson.loads(body)["records"]) for body in bodies]
    return pd.concat(frames, ignore_index=True)


if __name__ == "__main__":
    file_peers.run(write)
