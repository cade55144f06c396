"""From a source record to the row that an import takes, or why it does not."""

from typing import Any

import msgspec

from functions.core.converter.compiler import operator_of
from functions.core.converter.definition import Converter
from functions.core.events.limits import Unfit
from functions.core.events.rules import Refusal, Row, Rules


class Passed(msgspec.Struct, frozen=True):
    """A record that is passed over and counted: its converter says so, or its strategy has no such rows."""

    reason: str


class Reject(msgspec.Struct, frozen=True):
    """A record that is not taken: the output's field, and the operator at which its value was lost, if one lost it.

    `path` is where that operator stands in the converter.
    """

    reason: str
    field: str | None = None
    operator: str | None = None
    path: str | None = None


FLAGGED = Passed("its flag says that it is to be ignored")
_TOO_DEEP = Reject("the record is nested too deeply")


class Rows:
    """A converter and the rules of its data type: one function from record to row."""

    def __init__(self, converter: Converter, rules: Rules) -> None:
        self._compiled = converter.compiled
        self._rules = rules

    def row(self, record: dict[str, Any], now: int) -> Row | Reject | Passed:
        """What a record becomes; `now` is the time that the import of its file has, in milliseconds.

        Never raises, whatever the record: its values are those of JSON, and `Decimal`.
        """
        try:
            try:
                row = self._compiled.checked(record, now)
            except Unfit:
                return self._unfit(record, now)
            if row is None:
                return FLAGGED
            judged = self._rules.judge_kept(row)
            return self._refused(record, now, judged) if isinstance(judged, Refusal) else judged
        except RecursionError:
            return _TOO_DEEP

    def _unfit(self, record: dict[str, Any], now: int) -> Row | Reject | Passed:
        """The same field by field: so the field that does not fit is known."""
        output = self._compiled.convert(record, now)
        judged = self._rules.judge(output or {})
        return self._refused(record, now, judged) if isinstance(judged, Refusal) else judged

    def _refused(self, record: dict[str, Any], now: int, refusal: Refusal) -> Reject | Passed:
        if refusal.dropped:
            return Passed(refusal.reason)
        lost = self._compiled.lost_at(refusal.field, record, now) if refusal.missing else None
        operator = operator_of(lost)
        return Reject(refusal.reason, refusal.field, operator, lost.path if lost and operator else None)
