"""All hostile files and messages of the table at once, with good ones among them: each has its own outcome."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from functions.core.errors import Code
from functions.core.failures import Failure
from tests.system.import_hostile import BUCKET, DROPPED, GOOD, IGNORED, KEY, TOLD, TWO, UNKNOWN, Dropped
from tests.system.import_seen import FileSeen, file_seen
from tests.system.import_stage import Imports, converter
from tests.system.stage import NOTHING_WAITS


@dataclass(frozen=True)
class Came:
    """What came of everything: files and their rejects by their keys, failures by their files, and of messages."""

    files: Mapping[str, FileSeen]
    rejects: Mapping[str, list[str]]
    failures: Mapping[str, Failure]
    unknown: list[tuple[str | None, bytes]]
    told: FileSeen
    times: list[str]
    waiting: Mapping[str, int]
    logged: str


@pytest.fixture(scope="module")
def came(shared_imports: Imports) -> Came:
    imports = shared_imports
    imports.stage.tidy()
    sources: dict[str, str] = {}
    for each in DROPPED:
        config = json.dumps([each.kind, each.config])
        sources[config] = sources.get(config) or imports.source(
            converter=converter(each.kind, **each.config), dedup="none"
        )
        imports.put(sources[config], each.key, each.body)
    told = imports.source()
    imports.put(told, "f.jsonl", GOOD)
    before = imports.untold()
    assert before == len(DROPPED) + 1
    # Told anew, among all that is none of our business.
    names = [*sources.values(), told]
    for body in (*IGNORED, *UNKNOWN, *TOLD):
        if body:
            imports.told(body.replace(KEY, f"{told}/f.jsonl").replace(BUCKET, imports.drop_bucket))
    for name in sources.values():
        imports.scan(name)
    log = imports.importer.function.settings.log
    start = len(log.read_text()) if log.exists() else 0
    imports.settle(*names)
    files = {
        file.key.removeprefix(f"{name}/"): (name, file) for name in names for file in imports.files.of(name)
    }
    failures = {
        json.loads(imports.stage.kept_body(failure.id))["key"].removeprefix(f"{name}/"): failure
        for name in names
        for failure in imports.failures(name)
    }
    made = Came(
        files={key: file_seen(file) for key, (name, file) in files.items() if name != told},
        rejects={
            key: [str(line["text"]) for line in imports.tables.rejects(file)]
            for key, (_, file) in files.items()
        },
        failures=failures,
        unknown=sorted((each.code, imports.stage.kept_body(each.id)) for each in imports.stage.failures("_")),
        told=file_seen(files["f.jsonl"][1]),
        times=[
            event["client_event_time"]
            for name in sources.values()
            for event in imports.events(name)
            if any(event["part"] in file.parts for key, (_, file) in files.items() if key == "times.jsonl")
        ],
        waiting=imports.waiting(),
        logged=log.read_text()[start:],
    )
    imports.stage.tidy()
    imports.forget()
    return made


@pytest.mark.parametrize("dropped", DROPPED, ids=lambda dropped: dropped.key)
def test_a_file_becomes_what_it_must(came: Came, dropped: Dropped) -> None:
    assert came.files[dropped.key] == dropped.seen
    failure = came.failures.get(dropped.key)
    assert (failure.code if failure else None) == dropped.seen.code
    if failure is None:
        assert len(came.rejects[dropped.key]) == dropped.seen.rejects
        assert not dropped.texts or came.rejects[dropped.key] == [*dropped.texts]
    else:
        assert [word for word in dropped.texts if word not in failure.text] == []


def test_times_are_milliseconds_and_a_year_that_no_calendar_has_is_refused(came: Came) -> None:
    assert [when[:10] for when in came.times] == ["1970-01-20", "2022-02-17"]


def test_messages_that_nobody_knows_are_kept_and_those_that_do_not_matter_are_gone(came: Came) -> None:
    kept = [body.decode() for _, body in came.unknown]
    assert {code for code, _ in came.unknown} == {Code.BAD_MESSAGE}
    assert len(kept) == len([body for body in UNKNOWN if body])
    assert came.waiting == NOTHING_WAITS


def test_a_file_is_found_by_either_shape_and_imported_once(came: Came) -> None:
    assert came.told == TWO


def test_nothing_was_unforeseen(came: Came) -> None:
    assert "unforeseen" not in came.logged
