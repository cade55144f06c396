"""The peer `dlt`: its pipeline extracts, normalises and loads the rows, as its documentation shows it.

    python -m bench.files_dlt FORMAT --folder NAME --bodies FOLDER --rows N --result FILE

The rows of a message are yielded together, as documented for speed, and read by orjson, which dlt reads with too.
"""

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import dlt
import orjson
from dlt.destinations import filesystem

from bench import file_peers


def write(format_name: str, folder: str, bodies: Iterator[str]) -> None:
    """Files below a folder of dlt's, one or several."""

    @dlt.resource(name="orders", write_disposition="append")  # type: ignore[untyped-decorator] # it is not installed where types are checked
    def orders() -> Iterator[list[Any]]:
        for body in bodies:
            yield orjson.loads(body)["records"]

    credentials = {
        "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        "region_name": os.environ["AWS_REGION"],
    }
    destination = filesystem(f"s3://{file_peers.BUCKET}/{folder}", credentials=credentials)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-dlt-") as work:
        pipeline = dlt.pipeline("bench", pipelines_dir=work, destination=destination, dataset_name="rows")
        pipeline.run(orders(), loader_file_format=format_name).raise_on_failed_jobs()


if __name__ == "__main__":
    file_peers.run(write)
