"""Runs of streams: staged rows of one or several datasets as one delivery, named by macros."""

import io
import json
import zipfile
from functools import partial
from typing import Any

import pytest

from functions.core.errors import Permanent, Refused
from functions.core.files.dataset import Dataset
from functions.core.files.delivery import Delivery
from functions.core.files.inputs import StagedRows
from functions.core.files.names import StreamNames
from functions.core.files.settings import parse_conversion
from functions.core.files.store import Draft, Written
from functions.core.formats.declared import Declared
from functions.core.instants import Instant
from functions.core.templates.macros import DEFAULT, MacroContext, MacroTemplate
from tests.formats.conversion import MemoryStore

CONTEXT = MacroContext(
    stream_name="orders", stream_run_id="run-1", load_time=Instant.parse("2026-03-08T09:30:00Z")
)


class Watched(MemoryStore):
    """A store that remembers what happened in it, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []
        self.said: dict[str, Written] = {}

    def publish(self, draft: Draft, written: Written) -> None:
        super().publish(draft, written)
        self.steps.append(f"publish {written.key}")
        self.said[written.key] = written

    def withdraw(self, name: str) -> None:
        super().withdraw(name)
        self.steps.append(f"withdraw {name}")


def deliver(
    *runs: list[tuple[str, bytes]],
    template: str = DEFAULT,
    store: Watched | None = None,
    schema: Declared | None = None,
    **given: Any,
) -> Watched:
    settings = parse_conversion({"format": "ndjson", **given}).files
    store = store or Watched()
    names = StreamNames(settings, MacroTemplate.parse(template), CONTEXT, "in/")
    datasets = [Dataset(names, (StagedRows(partial(list, pieces)),), schema) for pieces in runs]
    Delivery(settings, datasets, store=store, run="run-1").write()
    return store


FIRST = [("m1", b'{"a":1}\n{"a":2}\n'), ("m2", b'{"a":3}\n')]
SECOND = [("m3", b'{"b":1}\n')]


def test_staged_rows_are_carried_as_they_are() -> None:
    assert deliver(FIRST).objects == {
        "in/orders/2026_03_08/run-1_0000001.jsonl": b'{"a":1}\n{"a":2}\n{"a":3}\n'
    }
    assert list(deliver(FIRST, format="csv", compression="gzip").objects) == [
        "in/orders/2026_03_08/run-1_0000001.csv.gz"
    ]


def test_a_delivery_of_several_datasets_numbers_on_and_marks_once() -> None:
    store = deliver(
        FIRST, SECOND, template="{part}/x.{extension}", format="csv", manifest=True, success_file=True
    )
    assert store.steps == [
        "withdraw in/0000001/.run-1.DONE",
        "withdraw in/0000001/_run-1_manifest.json",
        "publish in/0000001/x.csv",
        "publish in/0000002/x.csv",
        "publish in/0000001/_run-1_manifest.json",
        "publish in/0000001/.run-1.DONE",
    ]
    assert store.objects["in/0000002/x.csv"] == b"b\n1\n"
    manifest = json.loads(store.objects["in/0000001/_run-1_manifest.json"])
    assert [(each["key"], each["rows"]) for each in manifest["objects"]] == [
        ("in/0000001/x.csv", 3),
        ("in/0000002/x.csv", 1),
    ]
    assert store.said["in/0000001/_run-1_manifest.json"].content_type == "application/json"


def test_nothing_is_shown_before_all_datasets_are_whole() -> None:
    store = Watched()
    with pytest.raises(Refused):
        deliver(FIRST, [("m4", b"{}\n")], format="csv", store=store)
    assert store.steps == []


def test_two_files_with_one_key_are_refused() -> None:
    store = Watched()
    with pytest.raises(Permanent, match="two files of this delivery have the key in/x"):
        deliver(FIRST, SECOND, template="x", store=store)
    assert store.steps == []


@pytest.mark.parametrize(("template", "member"), [("{part}.{extension}", "0000001.csv"), ("x.zip", "x.csv")])
def test_a_run_within_an_archive(template: str, member: str) -> None:
    store = deliver(FIRST, template=template, format="csv", compression="zip")
    [content] = store.objects.values()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [member]


def test_a_split_run_is_one_archive_of_numbered_members() -> None:
    rows = [("m", b'{"a":1}\n' * 120_000)]
    store = deliver(rows, template="x.{extension}", compression="zip", split={"rows": 50_000})
    assert list(store.objects) == ["in/x.jsonl.zip"]
    with zipfile.ZipFile(io.BytesIO(store.objects["in/x.jsonl.zip"])) as archive:
        assert archive.namelist() == [f"000000{number}.jsonl" for number in (1, 2, 3)]


@pytest.mark.parametrize("given", [{}, {"success_file": True}])
def test_a_name_that_cannot_be_is_told_before_the_work(given: dict[str, Any]) -> None:
    def opened() -> list[tuple[str, bytes]]:
        raise AssertionError

    settings = parse_conversion({"format": "ndjson", **given}).files
    context = MacroContext(stream_name="..", stream_run_id="r")
    names = StreamNames(settings, MacroTemplate.parse("{stream_name}/{part}"), context, "in/")
    with pytest.raises(Permanent, match=r"segment `\.\.`"):
        Delivery(settings, [Dataset(names, (StagedRows(opened),))], store=Watched(), run="r").write()
