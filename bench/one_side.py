"""One handler, in a process of its own: what a load costs it.

    python -m bench.one_side MODULE --count 1000 --size 10 --result FILE

All threads of the process are measured, from after a first batch until the load is done. Making the events is
not counted: in AWS they come as they are.
"""

import argparse
import importlib
from pathlib import Path

import msgspec

from bench import messages
from bench.invoking import invoke
from bench.usage import Spent, Usage

WARM_UP = 64
"""Messages before the measurement, more than a handler writes at a time: they open its connections."""


def measure(module: str, *, count: int, size: int) -> Usage:
    """The load, handled.

    Raises:
        WrongAnswerError: Not all of it was.
    """
    handler = importlib.import_module(module).handler
    for event in messages.batches(count=WARM_UP, size=WARM_UP):
        invoke(handler, event)
    begin, making = Spent.by_process(), Spent(0, 0)
    load = messages.batches(first=WARM_UP, count=count, size=size)
    while True:
        asked = Spent.by_thread()
        event = next(load, {})
        making += Spent.by_thread() - asked
        if not event:
            break
        invoke(handler, event)
    return (Spent.by_process() - begin - making).on(count)


def main() -> None:
    """Measure, and write the result to a file: what a handler prints is for logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    given.result.write_bytes(msgspec.json.encode(measure(given.module, count=given.count, size=given.size)))


if __name__ == "__main__":
    main()
