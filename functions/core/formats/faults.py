"""What is wrong with a file: every error names the input, and the line or the row that it is about."""

from functions.core.errors import Code, Fault, Refused

BAD_INPUT = Code.BAD_FILE
"""The code of an input that is broken, and of a row that the output cannot hold."""


TOO_DEEP = "is nested too deeply"


class Unheld(ValueError):  # noqa: N818 - as the names of functions.core.errors
    """A value that a format cannot hold; whoever knows the row and the column says where."""


def broken(
    origin: str,
    message: str,
    *,
    line: int | None = None,
    column: int | None = None,
    cure: str = "",
    code: Code = BAD_INPUT,
) -> Refused:
    """An input that cannot be read; `line` and `column` count from 1."""
    fault = Fault(code=code, path=origin, line=line, column=column, message=message, cure=cure)
    return Refused([fault])


def unheld(
    origin: str, line: int, *, row: int, column: str, why: str, cure: str = "", code: Code = BAD_INPUT
) -> Refused:
    """A value that the output cannot hold: of the row that began at `line` of an input, the `row`th of all."""
    return broken(origin, f"row {row}, column `{named(column)}`: {why}", line=line, cure=cure, code=code)


def named(column: str) -> str:
    """The name of a column, fit for a log line: printable, and at most 60 characters long."""
    text = column if column.isprintable() else ascii(column)[1:-1]
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - the docstring's own number


def oversized(origin: str, *, line: int, size: int, limit: int) -> Refused:
    """A record of more bytes than are allowed."""
    message = f"the record at line {line} has {size} bytes; the limit is {limit}"
    fault = Fault(code=Code.TOO_LARGE, path=origin, line=line, message=message, cure="raise the limit")
    return Refused([fault])
