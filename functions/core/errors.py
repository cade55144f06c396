"""What can go wrong, and what happens next.

    SluiceError             code, text, resolution
    ├── Permanent           the same input gives the same error: kept, reported, done
    │   └── Refused         a document that is checked as a whole: all its faults at once
    └── Transient           trying again may help: reported to SQS, which delivers again

A text says what was wrong and where. It never holds a payload, a metadata value or a credential: texts go to
logs, to the ledger and to terminals.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Code(StrEnum):
    """What kind of failure it is; each has one resolution."""

    BAD_DEFINITION = "BAD_DEFINITION"
    BAD_FILE = "BAD_FILE"
    BAD_KEY = "BAD_KEY"
    BAD_MESSAGE = "BAD_MESSAGE"
    CHANGED = "CHANGED"
    EXISTS = "EXISTS"
    INVALID_BUCKET = "INVALID_BUCKET"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    KMS_DENIED = "KMS_DENIED"
    LATE = "LATE"
    MISSING_FILE = "MISSING_FILE"
    MISSING_PERMISSION = "MISSING_PERMISSION"
    SCHEMA = "SCHEMA"
    THROTTLED = "THROTTLED"
    TOO_LARGE = "TOO_LARGE"
    UNAVAILABLE = "UNAVAILABLE"


_TEST_THEN_RETRY = ("sluice {what} test {connection}", "sluice failures retry {failure}")
_UPDATE_THEN_RESTART = ("sluice {what} update FILE", "sluice failures restart {failure}")

RESOLUTIONS: dict[Code, tuple[str, ...]] = {
    Code.BAD_DEFINITION: ("sluice definition check FILE", "sluice {what} update FILE"),
    Code.BAD_FILE: (
        "of a file: mend it where it is told, or say in `input` how it is to be read",
        "of a run: choose another `format` or `columns`, then sluice destination update FILE",
        "sluice failures restart {failure}",
    ),
    Code.BAD_KEY: (
        "sluice failures show {failure} --body > message.json",
        "for messages: sluice template render TEMPLATE --message message.json",
        "for streams: sluice template render --macros TEMPLATE --context FILE",
        *_UPDATE_THEN_RESTART,
    ),
    Code.BAD_MESSAGE: (
        "if its destination is missing: sluice destination create FILE, sluice failures retry {failure}",
        "else sluice failures show {failure} --body > message.json, and mend it",
        "sluice send message.json --destination NAME",
        "sluice failures skip {failure}",
    ),
    Code.CHANGED: (
        "the file was replaced while it was read",
        "to import what is there now: sluice failures restart {failure}",
        "to leave it: sluice failures skip {failure}",
    ),
    Code.EXISTS: (
        "to keep the older object: sluice failures skip {failure}",
        "to replace it: set `on_existing: overwrite`, then sluice destination update FILE",
        "sluice failures retry {failure}",
    ),
    Code.INVALID_BUCKET: ("mend `bucket`, `region` or `owner` in the definition", *_UPDATE_THEN_RESTART),
    Code.INVALID_CREDENTIALS: (
        "sluice access template --{what} {connection} > access.json",
        "have the customer deploy access.json in their account",
        *_TEST_THEN_RETRY,
    ),
    Code.KMS_DENIED: (
        "have the customer's key policy allow kms:GenerateDataKey and kms:Decrypt to the role",
        *_TEST_THEN_RETRY,
    ),
    Code.LATE: (
        "its run has been delivered without it: send its rows as a new run",
        "sluice failures show {failure} --body > message.json",
        "sluice failures skip {failure}",
    ),
    Code.MISSING_FILE: (
        "send the message again: the payload that it points to is no longer there",
        "sluice failures skip {failure}",
    ),
    Code.MISSING_PERMISSION: (
        "sluice access policy --{what} {connection}",
        "have the customer attach that policy to the role",
        *_TEST_THEN_RETRY,
    ),
    Code.SCHEMA: (
        "sluice runs show {failure}",
        "choose or rename columns by `columns` in the definition, or have another `format`",
        *_UPDATE_THEN_RESTART,
    ),
    Code.THROTTLED: ("nothing: it is tried again by itself",),
    Code.TOO_LARGE: (
        "of a message: raise `payload_budget_megabytes` and the function's memory in cdk.json, then cdk deploy",
        "of a run: raise `largest_run_gigabytes` or the function's memory in cdk.json, then cdk deploy",
        "sluice failures retry {failure}",
        "else send it as several, each smaller: sluice failures skip {failure}",
    ),
    Code.UNAVAILABLE: ("nothing: it is tried again by itself",),
}
"""The steps that cure a failure, in order, as commands; what is in braces is filled in."""

RESOLUTIONS_OF_FILES: dict[Code, tuple[str, ...]] = {
    Code.BAD_FILE: (
        "sluice import history --source {connection} --state failed",
        "if its records are refused: mend the converter, sluice source update FILE",
        "if it is damaged: replace it under its key",
        "sluice failures restart {failure}",
    ),
    Code.LATE: (
        "to go on where it stopped, with the version that it was begun as: sluice failures retry {failure}",
        "to import it as a whole: put it into the bucket under another key",
        "sluice failures skip {failure}",
    ),
    Code.MISSING_FILE: (
        "put the file back under its key, then sluice failures restart {failure}",
        "sluice failures skip {failure}",
    ),
    Code.TOO_LARGE: (
        "if it has too many bytes: raise `largest_file_gigabytes` in cdk.json, then cdk deploy",
        "if its reading ended without a word: raise the function's memory in cdk.json, then cdk deploy",
        "sluice failures restart {failure}",
        "if it unpacks to too much, or has too many members: put it into the bucket as several files",
        "sluice failures skip {failure}",
    ),
}
"""Those that are others for files of sources."""


def resolution(code: Code, *, connection: str, failure: str, what: str = "destination") -> tuple[str, ...]:
    """The steps that cure this failure of this connection, which is a `destination` or a `source`."""
    steps = RESOLUTIONS | RESOLUTIONS_OF_FILES if what == "source" else RESOLUTIONS
    return tuple(step.format(connection=connection, failure=failure, what=what) for step in steps[code])


class SluiceError(Exception):
    """The root: one failure with its code and its text."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Permanent(SluiceError):  # noqa: N818 - the name says what happens next, as the tree above does
    """Trying again changes nothing."""


class Transient(SluiceError):  # noqa: N818 - as Permanent
    """Trying again may help."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong with a document or a template, and what cures it.

    `path` names the place in a document (`credentials.role_arn`); `line` and `column` count from 1; `source`
    is the text that `column` points into.
    """

    code: Code
    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    cure: str = ""
    source: str = ""

    def __str__(self) -> str:
        """One line, and where there is a source the source with a caret under the place."""
        head = f"{self.path}: {self.message}" if self.path else self.message
        text = f"{head}; {self.cure}" if self.cure else head
        return f"{text}\n{self._caret()}" if self.source and self.column else text

    def _caret(self) -> str:
        line, column = self.source, self.column or 1
        before = self.source[: column - 1]
        if "\n" in self.source:
            line = self.source.splitlines()[before.count("\n")]
            column -= before.rfind("\n") + 1
        return f"    {line}\n    {' ' * (column - 1)}^"


class Refused(Permanent):
    """A document or a template that cannot be used; it holds every fault that was found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults[0].code, "\n".join(str(fault) for fault in self.faults))
