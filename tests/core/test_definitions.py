import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.definitions.connection import MASK, KeyCredentials, masked
from functions.core.definitions.destination import ONLY, STORAGE_CLASSES
from functions.core.definitions.intake import INTAKE_FIELDS, Flush, Intake, intake
from functions.core.definitions.messages import MessageDestination
from functions.core.definitions.parsing import parse_destination
from functions.core.definitions.streams import StreamDestination
from functions.core.errors import Code, Permanent, Refused
from functions.core.files.settings import FILE_FIELDS, Split
from functions.core.instants import Instant
from functions.core.messages import object_metadata, parse_message, sent_metadata
from functions.core.templates.jmespath_shapes import DEFAULT
from functions.core.templates.macros import MacroTemplate
from tests.cases import rows
from tests.core.attempts import attempted

SMALLEST: dict[str, Any] = {
    "name": "acme",
    "kind": "messages",
    "bucket": "acme-data",
    "credentials": {"role_arn": "arn:aws:iam::111122223333:role/sluice-acme"},
}


STREAMS: dict[str, Any] = SMALLEST | {"kind": "streams", "format": "csv"}


def _faults(document: Any) -> list[tuple[str, str]]:
    found = attempted(lambda: parse_destination(document))
    if not isinstance(found, Permanent):
        return []
    assert isinstance(found, Refused)
    assert all(fault.code is Code.BAD_DEFINITION for fault in found.faults)
    return [(fault.path, str(fault)) for fault in found.faults]


@pytest.mark.parametrize(
    ("smallest", "case"),
    [(SMALLEST, case) for case in rows("definitions")]
    + [(STREAMS, case) for case in rows("stream_definitions")],
    ids=lambda given: given.get("bucket", given["name"]),
)
def test_a_document_has_all_of_these_faults_and_no_others(
    smallest: dict[str, Any], case: dict[str, Any]
) -> None:
    document = case["only"] if "only" in case else smallest | case["with"]
    found = sorted(_faults(document))
    expected = sorted((path, says) for path, says in case["faults"])
    assert [path for path, _ in found] == [path for path, _ in expected]
    for path, says in expected:
        assert any(at == path and says in text for at, text in found)
    if not expected:
        destination = parse_destination(document)
        gives = case.get("gives", {})
        assert {name: getattr(destination, name) for name in gives} == gives


@pytest.mark.parametrize("name", STORAGE_CLASSES)
def test_a_storage_class_is_matched_without_regard_to_case(name: str) -> None:
    for spelling in (name, name.lower(), name.title()):
        assert parse_destination(SMALLEST | {"storage_class": spelling}).storage_class == name


def test_the_storage_classes_are_the_specifications() -> None:
    names = "STANDARD REDUCED_REDUNDANCY STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER GLACIER_IR DEEP_ARCHIVE"
    assert set(STORAGE_CLASSES) == set(names.split())


def test_the_default_template_is_the_specifications() -> None:
    found = parse_destination(SMALLEST)
    assert isinstance(found, MessageDestination)
    assert found.template.expression == DEFAULT
    assert DEFAULT == "join('', [time.rfc3339_nano, '_', metadata.\"event-id\", '.json'])"


WRONG: dict[str, list[Any]] = {
    "name": ["a_b", "", 7, None, "x" * 65],
    "bucket": ["A", "a", 7, None, "-a-"],
    "region": ["Frankfurt", 7],
    "prefix": ["/x", "../", 7, "a\n", "x" * 1025],
    "owner": ["1", 111122223333],
    "credentials": [{}, "x", None, {"role_arn": "x"}],
    "enabled": ["yes", 1],
    "storage_class": ["COLD", []],
    "kms_key_arn": ["x", 7],
    "metadata": [[], {"a b": "x"}, {"a": 1}, {"sluice-id": "x"}, {"a": "x" * 2049}],
    "key_template": ["join(", "", 7, "foo"],
    "body": ["raw", True],
    "on_existing": ["replace", 7],
    "description": [7, ["x"]],
    "notify": ["a@example.com"],
    "extra": [1, "x"],
}


OF_STREAMS: dict[str, list[Any]] = WRONG | {
    "key_template": ["{date}", "{part", "", 7],
    "body": ["payload"],
    "on_existing": ["keep"],
    "format": ["xml", None, 7],
    "split": [{"rows": 50000, "folder": "x"}, {}, 7],
    "columns": [[], 7],
    "flush": [{"max_records": 0}, 7],
    "seal_after_seconds": [0, "1"],
    "manifest": ["yes"],
}


@pytest.mark.parametrize(("smallest", "wrongs"), [(SMALLEST, WRONG), (STREAMS, OF_STREAMS)], ids=ONLY)
@given(data=st.data())
def test_every_fault_of_a_document_is_told(
    smallest: dict[str, Any], wrongs: dict[str, list[Any]], data: st.DataObject
) -> None:
    drawn = st.fixed_dictionaries({}, optional={name: st.sampled_from(each) for name, each in wrongs.items()})
    wrong = data.draw(drawn)
    told = {path.partition(".")[0] for path, _ in _faults(smallest | wrong)}
    assert told == set(wrong)


def test_each_kind_has_the_fields_that_are_said_to_be_its_own() -> None:
    assert set(ONLY["streams"]) == {*FILE_FIELDS, *INTAKE_FIELDS}
    for kind, smallest in (("messages", SMALLEST), ("streams", STREAMS)):
        others = {name for other in ONLY if other != kind for name in ONLY[other]}
        told = dict(_faults(smallest | dict.fromkeys(others, 0)))
        assert set(told) == others
        assert all("belongs to destinations of kind" in text for text in told.values())


def test_a_stream_destination_is_what_its_document_says() -> None:
    flush = {"max_megabytes": 64, "max_records": 1000, "max_age_seconds": 60}
    document = STREAMS | {"format": "jsonl", "compression": "gzip", "split": {"megabytes": 5}, "flush": flush}
    found = parse_destination(document)
    assert isinstance(found, StreamDestination)
    assert (found.files.extension, found.files.split) == ("jsonl.gz", Split(megabytes=5))
    assert found.flush == Flush(**flush)
    assert found.template == MacroTemplate.parse("{stream_name}/{date}/{stream_run_id}_{part}.{extension}")


def test_a_flush_without_anything_has_the_specifications_defaults() -> None:
    found = parse_destination(STREAMS | {"flush": {}})
    assert isinstance(found, StreamDestination)
    assert found.flush == Flush(max_megabytes=128, max_records=None, max_age_seconds=900)


def test_the_intake_of_a_document_is_known_without_its_files() -> None:
    assert intake(SMALLEST) == Intake(kind="messages")
    flushing = STREAMS | {"format": "unheard of", "flush": {"max_records": 5}}
    assert intake(flushing) == Intake(kind="streams", flush=Flush(max_records=5))
    waiting = STREAMS | {"enabled": False, "seal_after_seconds": 60}
    assert intake(waiting) == Intake(kind="streams", enabled=False, seal_after_seconds=60)


COLUMNAR = ["pyarrow", "isal", "pysequoia"]


@pytest.mark.parametrize(
    "statement",
    [
        "from functions.core.definitions.intake import intake",
        "from functions.core.definitions.discovery import discovery",
        f"from functions.core.definitions.parsing import parse_destination; parse_destination({SMALLEST})",
        "import functions.adapters.destinations, functions.adapters.verification",
        "import functions.message_writer.write, functions.adapters.wiring",
        "import functions.stager.stage",
        "import functions.planner.plan",
    ],
    ids=["intake", "discovery", "messages", "adapters", "message-writer", "stager", "planner"],
)
def test_without_streams_no_library_of_files_is_imported(statement: str) -> None:
    """Their layer is a hundred megabytes, and the functions that do not write files have none."""
    code = f"import sys; {statement}; print(*sys.modules.keys() & {COLUMNAR})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("", "")


_ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters()), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.text(), st.integers()), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=300)
@given(
    st.one_of(
        _ANYTHING,
        st.fixed_dictionaries({}, optional=dict.fromkeys([*WRONG, "external_id"], _ANYTHING)).map(
            lambda drawn: SMALLEST | drawn
        ),
        st.fixed_dictionaries({}, optional=dict.fromkeys([*OF_STREAMS, *ONLY["streams"]], _ANYTHING)).map(
            lambda drawn: STREAMS | drawn
        ),
        st.fixed_dictionaries(
            {}, optional=dict.fromkeys(["role_arn", "external_id", "secret_access_key"], _ANYTHING)
        ).map(lambda drawn: SMALLEST | {"credentials": drawn}),
    )
)
def test_no_document_crashes_the_checks(document: Any) -> None:
    for _, text in _faults(document):
        assert text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prefix", "\ud83d/"),
        ("prefix", "é" * 600),
        ("metadata", {"team": "\ud83d"}),
        ("metadata", {"team": "é" * 1000}),
    ],
    ids=["prefix-surrogate", "prefix-bytes", "metadata-surrogate", "metadata-encoded"],
)
def test_what_s3_takes_from_no_message_is_refused(field: str, value: Any) -> None:
    assert [path.partition(".")[0] for path, _ in _faults(SMALLEST | {field: value})] == [field]


@given(st.dictionaries(st.text("abXY-", min_size=1, max_size=5), st.text(max_size=30), max_size=4))
def test_a_definitions_metadata_that_pass_can_be_sent(metadata: dict[str, str]) -> None:
    if _faults(SMALLEST | {"metadata": metadata}):
        return
    message = parse_message(
        b'{"destination_id": "acme", "id": "e", "data": {}}', message_id="m", sent=Instant(0)
    )
    assert sent_metadata(message, object_metadata(message, own=metadata))


KEYS = {
    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "secret_access_key": "s3cr3t-key",
    "session_token": "s3cr3t-token",
}


def test_secrets_are_masked_and_nothing_else_is() -> None:
    document = SMALLEST | {"credentials": KEYS, "prefix": "acme/"}
    assert masked(document) == document | {"credentials": dict.fromkeys(KEYS, MASK)}
    assert document["credentials"] == KEYS
    assert masked(SMALLEST) == SMALLEST


_CREDENTIALS = st.one_of(
    _ANYTHING,
    st.fixed_dictionaries({}, optional={name: st.just(value) for name, value in KEYS.items()}),
    st.just(SMALLEST["credentials"]),
)


@given(_CREDENTIALS)
def test_masking_a_masked_document_changes_nothing(credentials: Any) -> None:
    once = masked(SMALLEST | {"credentials": credentials})
    assert repr(masked(once)) == repr(once)
    assert "s3cr3t" not in repr(once)


def test_a_masked_document_is_as_good_as_the_one_it_was_made_of() -> None:
    assert not _faults(masked(SMALLEST | {"credentials": KEYS}))


def test_a_secret_is_in_no_fault_and_in_no_print() -> None:
    wrong = SMALLEST | {
        "credentials": KEYS | {"secret_access_key": "s3cr3t key", "session_token": "s3cr3t\n"}
    }
    assert "s3cr3t" not in repr(_faults(wrong))
    assert "s3cr3t" not in repr(parse_destination(SMALLEST | {"credentials": KEYS}))
    assert "s3cr3t" not in str(KeyCredentials(**KEYS))


def test_a_fault_prints_its_path_its_text_and_its_cure() -> None:
    with pytest.raises(Refused) as refused:
        parse_destination(json.loads(json.dumps(SMALLEST | {"buket": "x", "owner": 111122223333})))
    assert str(refused.value).splitlines() == [
        "buket: is not a field; did you mean `bucket`?",
        "owner: must be text, not a number; quote it",
    ]
