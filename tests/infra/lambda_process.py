"""Runs as a script in Lambda's Python, with nothing but the standard library and what the package holds.

Arguments: the code's folder, a handler, and the layers' folders. On stdin a JSON list of events; the last line on
stdout is the list of answers. With `*` for a handler stdin lists modules: each is imported, and the answer is the
names of those that found all that they import.
"""

import importlib
import json
import sys


class Context:
    """What a handler asks Lambda's context for."""

    aws_request_id = "2b0f3c3e-0000-4000-8000-000000000000"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 30_000


def importable(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def main(code: str, handler: str, *layers: str) -> None:
    sys.path[:0] = [code, *(f"{layer}/python" for layer in layers)]
    if handler == "*":
        answers: list[object] = [name for name in json.load(sys.stdin) if importable(name)]
    else:
        module, _, name = handler.rpartition(".")
        function = getattr(importlib.import_module(module), name)
        answers = [function(event, Context()) for event in json.load(sys.stdin)]
    sys.stdout.write("\n" + json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
