"""The rules of an import: which rows are taken, and as what."""

from typing import Any, Literal

import msgspec

from functions.core.events.checks import INPUT_CHECKS
from functions.core.events.fields import BY_EVENT_TYPE, REQUIRED, DataType
from functions.core.events.identities import MIN_ID_LENGTH, NO_IDS
from functions.core.events.limits import Unfit

Row = dict[str, Any]
Strategy = Literal["append", "mirror"]

MISSING = "required, and the record has no value for it"
_KEEP = {name: check.keep for name, check in INPUT_CHECKS.items()}
_IDS = ("user_id", "device_id")
_EVENT = DataType.EVENT
_NEEDED = {kind: tuple(each.fields for each in required) for kind, required in REQUIRED.items()}
"""As plain names and tuples: every row is looked at, and to ask an enumeration takes as long as to ask the row."""


class Refusal(msgspec.Struct, frozen=True):
    """Why a row is not taken: a field, and a reason of a few that there are, so that they can be counted.

    `missing`: the field has no value, and whoever knows the converter knows where it was lost. `dropped`: the
    strategy passes such rows over; they are counted, and no fault of anybody's.
    """

    field: str
    reason: str
    missing: bool = False
    dropped: bool = False


class Rules:
    """The rules of one source."""

    def __init__(
        self,
        data_type: DataType = DataType.EVENT,
        strategy: Strategy | None = None,
        *,
        min_id_length: int = MIN_ID_LENGTH,
    ) -> None:
        self.data_type = data_type
        self.strategy = strategy or ("mirror" if data_type is DataType.PROFILE else "append")
        self._shortest = min_id_length
        self._defaults: Row = {"$skip_user_properties_sync": True}
        if self.strategy == "mirror" and data_type is DataType.EVENT:
            self._defaults["mutation_type"] = "UPDATE"

    def judge(self, output: Row) -> Row | Refusal:
        """A converter's output as the row that is taken, or why it is not.

        The row has the fields that events have, in the converter's order; null stays null, and counts as absent.
        """
        row: Row = {}
        name = ""
        try:
            for name, value in output.items():
                if name in _KEEP:
                    row[name] = None if value is None else _KEEP[name](value)
        except Unfit as unfit:
            return Refusal(name, str(unfit))
        except RecursionError:
            return Refusal(name, "is nested too deeply")
        return self.judge_kept(row)

    def judge_kept(self, row: Row) -> Row | Refusal:
        """The same for an output whose every field has been checked by itself; ids may be taken out of it."""
        if self._bad(row.get("user_id")) or self._bad(row.get("device_id")):
            refusal = self._without_bad_ids(row)
            if refusal:
                return refusal
        return self._lacking(row) or row

    def kind(self, row: Row) -> DataType:
        """What a row is: `$identify` and `$groupidentify` make properties of an event."""
        if self.data_type is _EVENT:
            return BY_EVENT_TYPE.get(row.get("event_type") or "", _EVENT)
        return self.data_type

    def with_defaults(self, row: Row) -> Row:
        """A row with what it says by saying nothing."""
        unsaid = {name: value for name, value in self._defaults.items() if row.get(name) is None}
        return row | unsaid if unsaid else row

    def _bad(self, given: str | None) -> bool:
        return given is not None and (len(given) < self._shortest or given.lower() in NO_IDS)

    def _without_bad_ids(self, row: Row) -> Refusal | None:
        """Take ids away that are none; a row of somebody must have one left if it had any."""
        bad: dict[str, str] = {}
        for name in _IDS:
            given = row.get(name)
            if self._bad(given):
                short = len(row.pop(name)) < self._shortest
                bad[name] = f"shorter than {self._shortest} characters" if short else "refused"
        left = any(row.get(name) is not None for name in _IDS)
        if left or all("user_id" not in names for names in _NEEDED[self.kind(row)]):
            return None
        return Refusal(next(iter(bad)), _no_id(bad))

    def _lacking(self, row: Row) -> Refusal | None:
        if self.strategy == "mirror" and row.get("user_id") is None:
            return Refusal("user_id", "a mirror has no rows without it", dropped=True)
        for names in _NEEDED[self.kind(row)]:
            for name in names:
                value = row.get(name)
                if value is not None and value != "":
                    break
            else:
                first, *others = names
                more = "".join(f", nor for `{other}`" for other in others)
                return Refusal(first, f"{MISSING}{more}", missing=True)
        return None


def _no_id(bad: dict[str, str]) -> str:
    whys = set(bad.values())
    if len(bad) == 1:
        return f"no id is left: it is {whys.pop()}"
    if len(whys) == 1:
        return f"no id is left: both are {whys.pop()}"
    return "no id is left: " + ", ".join(f"`{name}` is {why}" for name, why in bad.items())
