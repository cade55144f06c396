"""The file writer alone, in a process of its own: what the delivery of a run that is staged costs.

python -m bench.files_writing RUN --rows 15000000 --result FILE
"""

import argparse
import importlib
from pathlib import Path

import msgspec

from bench import invoking
from functions.core.tasks import run_task


def main() -> None:
    """Measure, and write the result to a file: what a handler prints is for logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="the id that the ledger knows it by")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    handler = importlib.import_module("functions.file_writer.handler").handler
    event = invoking.sqs_event([run_task(given.run).body])
    used = invoking.spent(handler, [event]).on(given.rows)
    given.result.write_bytes(msgspec.json.encode(used))


if __name__ == "__main__":
    main()
