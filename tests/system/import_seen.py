"""What an import has come to, as tables and buckets say it, and whether they agree with each other."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from functions.adapters.event_store import rejects_of
from functions.adapters.profiles import ProfileBook
from functions.core.digests import digest
from functions.core.event_groups import EventPart
from functions.core.imports import FileState, ImportFile
from functions.core.profiles import Kind, Subject
from tests.system.stage import Kept, Stage


@dataclass(frozen=True, kw_only=True)
class FileSeen:
    """A file in the ledger: what became of its records."""

    state: FileState = FileState.DONE
    records: int = 0
    events: int = 0
    properties: int = 0
    duplicates: int = 0
    rejects: int = 0
    code: str | None = None
    changed: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All that a source has come to: its files, the `n` of its events, the `n` of its rejects, a user's properties.

    `rejects` are by their files' names; `claims` are how many of the events hold one.
    """

    files: Mapping[str, FileSeen] = field(default_factory=dict)
    events: tuple[int, ...] = ()
    rejects: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    claims: int = 0
    properties: Mapping[str, Any] | None = None
    failures: tuple[Kept, ...] = ()


class Tables:
    """The tables and buckets of a deployment, looked at from outside."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._s3 = stage.cloud.client("s3")
        self._dynamodb = stage.cloud.client("dynamodb")
        self._profiles = ProfileBook(self._dynamodb, table=stage.cloud.outputs["ProfilesTable"])
        self._data = stage.cloud.outputs["DataBucket"]

    def items(self, output: str) -> Iterator[Mapping[str, Any]]:
        """Every item of the table that an output names."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._stage.cloud.outputs[output])
        return (item for page in pages for item in page["Items"])

    def lines(self, key: str) -> list[dict[str, Any]]:
        """The lines of an object of gzip."""
        body = self._s3.get_object(Bucket=self._data, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix of the data bucket."""
        found = self._s3.list_objects_v2(Bucket=self._data, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def events(self, project: int) -> list[dict[str, Any]]:
        """The events of a project whose parts are committed; the counts of its hours are theirs."""
        events, counts = [], {"messages": 0, "rows": 0, "bytes": 0}
        told = dict.fromkeys(counts, 0)
        for item in self.items("LedgerTable"):
            if not item["pk"]["S"].startswith(f"parts#{project}-"):
                continue
            if item["sk"]["S"] == "state":
                told = {name: told[name] + int(item[name]["N"]) for name in told}
                continue
            part = msgspec.json.decode(item["body"]["B"], type=EventPart)
            lines = self.lines(part.key)
            assert len(lines) == part.events
            counts = {
                "messages": counts["messages"] + 1,
                "rows": counts["rows"] + len(lines),
                "bytes": counts["bytes"] + part.bytes,
            }
            events += [{**line, "part": part.key} for line in lines]
        assert told == counts
        return events

    def claims(self, project: int, events: list[dict[str, Any]]) -> int:
        """How many of these events hold a claim; each must hold it by the very chunk that it is in."""
        names = {
            digest(str(project), each["$insert_id"], each["device_id"] or each["user_id"]): each["part"]
            for each in events
        }
        held = self.holders(list(names))
        assert [part for name, part in names.items() if f"/{held.get(name, '')}" not in part] == []
        return len(held)

    def holders(self, claims: list[str]) -> dict[str, str]:
        """Which chunks hold these claims; those that nobody holds are not among them."""
        table = self._stage.cloud.outputs["ClaimsTable"]
        found: dict[str, str] = {}
        for start in range(0, len(claims), 100):
            keys = [{"pk": {"S": name}} for name in claims[start : start + 100]]
            answer = self._dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})
            found |= {item["pk"]["S"]: item["chunk"]["S"] for item in answer["Responses"][table]}
        return found

    def rejects(self, file: ImportFile) -> list[dict[str, Any]]:
        """What was refused of a file."""
        return [line for key in self.keys(rejects_of(file)) for line in self.lines(key)]

    def properties(self, project: int, user: str, kind: Kind = Kind.USER) -> dict[str, Any] | None:
        """What is kept of a user."""
        kept = self._profiles.read(Subject(project, kind, user))
        return kept.values() if kept else None


def file_seen(file: ImportFile) -> FileSeen:
    """A file as a test knows it beforehand."""
    counted = file.counters
    return FileSeen(
        state=file.state,
        records=counted.records,
        events=counted.events,
        properties=counted.properties,
        duplicates=counted.duplicates,
        rejects=counted.rejected,
        code=file.code,
        changed=file.changed_at is not None,
    )
