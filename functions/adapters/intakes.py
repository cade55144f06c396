"""What taking rows in needs of the definitions: looked up once and used for a while."""

import msgspec

from functions.adapters.aging import Aging
from functions.adapters.definitions import Definitions
from functions.adapters.destinations import ABSENT_SECONDS
from functions.core.definitions.intake import Intake, intake


class StoredIntake(msgspec.Struct, frozen=True, kw_only=True):
    """The intake of a destination, and the version of the definition that it is of."""

    intake: Intake
    version: int


class Intakes:
    """The destinations of rows that one function meets."""

    def __init__(self, definitions: Definitions, *, max_age_seconds: float) -> None:
        self._definitions = definitions
        self._max_age_seconds = max_age_seconds
        self._found = Aging(self._load)

    def get(self, name: str) -> StoredIntake | None:
        """The intake of this destination, at most as old as a definition may be; None if there is none."""
        return self._found.get(name)

    def _load(self, name: str) -> tuple[StoredIntake | None, float]:
        stored = self._definitions.current(name)
        if stored is None:
            return None, ABSENT_SECONDS
        return StoredIntake(intake=intake(stored.document), version=stored.version), self._max_age_seconds
