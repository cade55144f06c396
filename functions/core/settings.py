"""What a function is told by its environment: one list of names for who sets them and who reads them.

`infra/jobs` sets these variables; every handler reads them through `Settings.from_environment`.
"""

from collections.abc import Mapping
from typing import Self

import msgspec

PREFIX = "SLUICE_"
"""Every variable is a field of `Settings`, in capitals, behind this prefix."""


class SettingsError(ValueError):
    """The environment lacks a variable, or one of them does not have the form that it must have."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where this deployment keeps its state, and the bounds that it works within."""

    definitions_table: str
    ledger_table: str
    data_bucket: str
    queue_url: str = ""
    """The queue that feeds this function."""
    deliveries_queue_url: str = ""
    """Where tasks of delivery are sent."""
    assume_role_pattern: str = "sluice-*"
    """The names of customers' roles that this deployment may assume."""
    definition_max_age_seconds: int = 60
    """How long a function may work with a definition before it looks for a newer version."""
    writes_at_once: int = 32
    """Objects that one invocation writes concurrently."""
    payload_budget_megabytes: int = 256
    """Offloaded payloads that one invocation holds at a time; one larger is refused."""
    failure_retention_days: int = 400
    """How long failures, and the bodies of their messages, are kept."""
    part_retention_days: int = 90
    """How long staged rows are kept, and what the ledger tells of their run."""
    claims_table: str = ""
    """Where insert ids are claimed."""
    profiles_table: str = ""
    """Where properties of users and groups are kept."""
    arrivals_queue_url: str = ""
    """Where tasks of import are sent."""
    drop_bucket: str = ""
    """Our own bucket that files are dropped into."""
    chunk_events: int = 50_000
    """Records of a file that are converted, written and committed together, at most."""
    chunk_megabytes: int = 64
    """The same, in decoded bytes."""
    event_retention_days: int = 400
    """How long events, and what the ledger knows of their parts, are kept."""
    largest_file_gigabytes: int = 5
    """A file above is refused."""
    largest_run_gigabytes: int = 20
    """Staged rows that one delivery takes: more could not be written within an invocation's time."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that a function's environment holds.

        Raises:
            SettingsError: A variable is absent or malformed; the text names it.
        """
        names = {field: PREFIX + field.upper() for field in cls.__struct_fields__}
        found = {field: environment[name] for field, name in names.items() if name in environment}
        try:
            return msgspec.convert(found, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{error}: each setting is a variable {PREFIX}<NAME>") from error


def variables(**settings: str | int) -> dict[str, str]:
    """The environment variables that `Settings.from_environment` reads back as these settings."""
    unknown = settings.keys() - set(Settings.__struct_fields__)
    if unknown:
        raise SettingsError(f"no such settings: {', '.join(sorted(unknown))}")
    return {PREFIX + field.upper(): str(value) for field, value in settings.items()}
