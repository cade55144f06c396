"""The peer `dlt`: its source of files, a function that is mapped over the rows, its destination of files.

    python -m bench.imports_dlt --source URL --target URL --objects N --result FILE

As its documentation shows it: https://dlthub.com/docs/dlt-ecosystem/verified-sources/filesystem. It adds columns of
its own, and makes columns of members.
"""

import os
import tempfile
import time
from typing import Any
from urllib.parse import urlsplit

import dlt
from dlt.destinations import filesystem as destination
from dlt.sources.filesystem import filesystem, read_jsonl

from bench import imports_stdlib as stdlib


def convert(source: str, target: str) -> None:
    """Files below a folder of dlt's, of one file of rows."""
    credentials = {
        "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        "region_name": os.environ["AWS_REGION"],
    }
    bucket, _, key = urlsplit(source).path.strip("/").partition("/")
    common = stdlib.common_of(time.time())

    def convert_row(row: dict[str, Any]) -> dict[str, Any]:
        return stdlib.record(row, common)

    files = filesystem(f"s3://{bucket}", credentials=credentials, file_glob=key)
    rows = (files | read_jsonl()).add_map(convert_row).with_name("events")
    to = destination(f"s3:/{urlsplit(target).path}", credentials=credentials)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-dlt-") as work:
        pipeline = dlt.pipeline("bench", pipelines_dir=work, destination=to, dataset_name="rows")
        pipeline.run(rows, loader_file_format="jsonl").raise_on_failed_jobs()


if __name__ == "__main__":
    stdlib.run(convert)
