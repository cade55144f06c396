"""The event store: parts of events, by project and hour, and what the ledger knows of each."""

from datetime import UTC, datetime

import msgspec

PREFIX = "events/"
"""Where the data bucket holds them."""


class EventPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One object of the event store: so many records, in a gzip file of so many bytes.

    `origin` says where they came from: a chunk of a file, or a batch of messages.
    """

    key: str
    events: int
    bytes: int
    compressed: int
    origin: str


class Hour(msgspec.Struct, frozen=True):
    """An hour of a project, as the hours of server_upload_time are counted: from the epoch, in UTC."""

    project: int
    number: int

    @property
    def group(self) -> str:
        """The ledger's name for the group of its parts."""
        return f"{self.project}-{self._moment():%Y%m%d%H}"

    def key(self, part: str) -> str:
        """The key of a part: a partition of Hive's for the project, the day and the hour."""
        moment = self._moment()
        hour = f"upload_date={moment:%Y-%m-%d}/upload_hour={moment:%H}"
        return f"{PREFIX}project_id={self.project}/{hour}/{part}.jsonl.gz"

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.number * 3600, UTC)


def hour_of_key(key: str) -> Hour:
    """The hour that a part's key names."""
    _, project, day, hour, _ = key.split("/")
    moment = datetime.fromisoformat(f"{_value(day)}T{_value(hour)}:00:00+00:00")
    return Hour(int(_value(project)), int(moment.timestamp()) // 3600)


def hour_of(project: int, *, seconds: float) -> Hour:
    """The hour of a project that an instant, in seconds since the epoch, lies in."""
    return Hour(project, int(seconds) // 3600)


def _value(segment: str) -> str:
    return segment.partition("=")[2]
