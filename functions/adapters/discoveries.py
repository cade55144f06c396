"""How the files of all sources are found: looked up once and used for a while, without what reads them."""

from collections.abc import Iterator

from functions.adapters.aging import Aging
from functions.adapters.definitions import Definitions
from functions.adapters.destinations import ABSENT_SECONDS
from functions.core.definitions.discovery import Discovery, discovery


class Discoveries:
    """The sources that there are; `definitions` are those of sources."""

    def __init__(self, definitions: Definitions, *, max_age_seconds: float) -> None:
        self._definitions = definitions
        self._max_age_seconds = max_age_seconds
        self._found = Aging(self._load)

    def names(self) -> Iterator[str]:
        """The names of all sources, in order."""
        return self._definitions.names()

    def enabled(self, name: str) -> Discovery | None:
        """The discovery of this source, at most as old as a definition may be; None if it finds nothing now."""
        found = self._found.get(name)
        return found if found is not None and found.enabled else None

    def _load(self, name: str) -> tuple[Discovery | None, float]:
        stored = self._definitions.current(name)
        if stored is None:
            return None, ABSENT_SECONDS
        return discovery(stored.document), self._max_age_seconds
