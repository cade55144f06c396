"""Record messages: what is read, what is carried byte for byte, and what is refused in words that help."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.errors import Code, Permanent
from functions.core.formats.rows import MAX_RECORD_BYTES
from functions.core.instants import Instant
from functions.core.streams import End, Rows, StreamContext
from tests.cases import table
from tests.core.record_messages import RUN, SENT, end, end_body, parsed, rows, rows_body
from tests.core.strategies import JSON_OBJECTS, JSON_VALUES


def refused(body: str | bytes) -> Permanent:
    with pytest.raises(Permanent) as raised:
        parsed(body)
    assert "s3cr3t" not in raised.value.text
    return raised.value


def with_records(text: str) -> str:
    """A body whose `records` are spelled so."""
    return rows_body(records="HERE").replace('"HERE"', text)


@pytest.mark.parametrize("case", table("record_messages"))
def test_a_body_is_refused_with_these_words(case: dict[str, Any]) -> None:
    fields = RUN | {"sequence": 0, "records": []} | case["with"]
    error = refused(
        json.dumps({name: fields[name] for name in fields if name not in case.get("without", ())})
    )
    assert error.code is Code.BAD_MESSAGE
    assert case["error"] in error.text
    assert error.text.isprintable()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"rows", "not JSON"),
        (b"null", "not an object"),
        (b"[]", "not an object"),
        (b"{", "not JSON"),
        (b"{}{}", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"destination_id": "\xff"}', "not UTF-8 at byte 21"),
        (b'{"destination_id": "\\ud83d"}', "half of a surrogate pair at byte 21"),
        (b'{"destination_id": "\\udc00\\ud83d"}', "half of a surrogate pair at byte 21"),
        ("\ud83d".encode(errors="surrogatepass"), "not UTF-8 at byte 1"),
        (with_records('[{"a": "s3cr3t \\udead"}]').encode(), "half of a surrogate pair at byte"),
        (with_records('[{"\\ud83d": 1}]').encode(), "half of a surrogate pair at byte"),
        (with_records('[{"a": NaN}]').encode(), "NaN is not JSON"),
        (with_records('[{"a": -Infinity}]').encode(), "-Infinity is not JSON"),
        (with_records('[{"a": "s3cr3t\nx"}]').encode(), "invalid character"),
        (with_records('[{"a": 01}]').encode(), "not JSON"),
        (with_records('[{"a": 1},]').encode(), "not JSON"),
        (with_records("[" + '{"a":' * 5_000 + "1" + "}" * 5_000 + "]").encode(), "nested too deeply"),
        (with_records("[" + '{"a":[' * 500_000).encode(), "nested too deeply"),
    ],
)
def test_a_body_that_is_no_json_that_can_be_carried_is_refused(body: bytes, words: str) -> None:
    error = refused(body)
    assert error.code is Code.BAD_MESSAGE
    assert words in error.text
    assert error.text.isprintable()


def test_the_place_of_half_a_surrogate_pair_is_told() -> None:
    body = with_records('[{"a": "é\\ud83d"}]').encode()
    place = body.index(b"\\ud83d") + 1
    assert f"at byte {place} " in refused(body).text


def test_rows_are_read_with_all_that_is_said_of_them() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    message = rows(
        3,
        [{"n": 1}, {"n": 2}],
        cursor="2025-04-14T11:23:45.5+02:00",
        started_at="2025-04-14T00:00:00Z",
        stream={"id": "orders", "name": "Orders", "schema": schema},
    )
    assert message == Rows(
        destination_id="acme",
        connection_id="shop",
        stream_id="orders",
        context=StreamContext(
            stream_name="Orders",
            connection_run_id="all-1",
            stream_run_id="run-1",
            cursor=Instant.parse("2025-04-14T09:23:45.5Z"),
        ),
        identity='["all-1","run-1",3]',
        sent=SENT,
        started_at=Instant.parse("2025-04-14T00:00:00Z"),
        schema=json.dumps(schema, separators=(",", ":")).encode(),
        lines=b'{"n":1}\n{"n":2}\n',
        count=2,
        sequence=3,
    )


def test_an_end_is_read_with_its_numbers() -> None:
    message = end(7, 41)
    assert (message.batches, message.records_total, message.identity) == (7, 41, "end")
    assert end(0).records_total is None
    assert end(0, sequence=None, records=None).batches == 0


def test_what_is_not_said_is_none() -> None:
    body = {name: RUN[name] for name in ("destination_id", "connection_id", "stream")} | {"records": []}
    message = parsed(json.dumps(body))
    assert isinstance(message, Rows)
    assert message.context == StreamContext(stream_name="Orders")
    assert (message.sequence, message.started_at, message.schema, message.lines) == (None, None, None, b"")


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        ({"sequence": 4}, '["all-1","run-1",4]'),
        ({"sequence": 4, "id": "mine"}, '["all-1","run-1",4]'),
        ({"sequence": None, "id": "mine"}, "mine"),
        ({"stream_run_id": None, "id": "mine"}, "mine"),
        ({"sequence": None}, "sqs-1"),
        ({"stream_run_id": None}, "sqs-1"),
    ],
)
def test_a_message_is_known_by_its_place_else_by_its_id_else_by_sqss(
    fields: dict[str, Any], identity: str
) -> None:
    assert rows(**fields).identity == identity


def test_runs_whose_ids_hold_what_a_list_is_written_with_are_not_mistaken() -> None:
    ids = ["a", 'a"', 'a",1', '["a",1]', "a\\", "é", "\x00"]
    identities = {rows(sequence, stream_run_id=name).identity for name in ids for sequence in (0, 1, 10)}
    assert len(identities) == 3 * len(ids)


@pytest.mark.parametrize(
    "record",
    [
        '{"a":1234567890123456789012345678901234567890}',
        '{"a":1.10,"b":-0.0,"c":1E400,"d":1e-7}',
        '{"a":1,"a":2}',
        '{"a":"line\\nfeed\\u000a\\r\\u2028 \\"{\\" \\\\"}',
        '{"":{"":[[],{}]}}',
        '{"a":"\\ud83d\\ude00 😀 \\u0000"}',
        "{}",
    ],
)
def test_a_row_is_carried_as_it_was_written(record: str) -> None:
    message = parsed(with_records(f"[{record}, {record}]"))
    assert isinstance(message, Rows)
    assert message.lines == f"{record}\n{record}\n".encode()
    assert message.count == 2


def test_space_between_the_parts_of_a_row_goes_and_within_texts_stays() -> None:
    message = parsed(with_records('[ {\n "a b" :\t" x "\r\n} ,\n{ } ]'))
    assert isinstance(message, Rows)
    assert message.lines == b'{"a b":" x "}\n{}\n'


@given(st.lists(JSON_OBJECTS, max_size=5))
def test_there_are_as_many_lines_as_rows_and_each_is_its_row(records: list[str]) -> None:
    try:
        message = parsed(with_records(f"[{','.join(records)}]"))
    except Permanent as error:
        assert "surrogate" in error.text  # noqa: PT017 - the only thing that is drawn and refused
        return
    assert isinstance(message, Rows)
    lines = message.lines.decode().split("\n")
    assert lines.pop() == ""
    assert message.count == len(lines) == len(records)
    for line, record in zip(lines, records, strict=True):
        assert repr(json.loads(line, parse_int=str)) == repr(json.loads(record, parse_int=str))


@given(st.lists(st.one_of(JSON_OBJECTS, JSON_VALUES), min_size=1, max_size=5))
def test_records_that_are_no_objects_are_refused_by_their_place(records: list[str]) -> None:
    wrong = [place for place, record in enumerate(records) if not isinstance(_value(record), dict)]
    try:
        parsed(with_records(f"[{','.join(records)}]"))
    except Permanent as error:
        assert "surrogate" in error.text or f"`records[{wrong[0]}]` is not an object" in error.text  # noqa: PT017
    else:
        assert not wrong


def _value(text: str) -> Any:
    return json.loads(text, parse_int=str)


def test_a_row_beyond_32_mebibytes_is_too_large() -> None:
    def body(size: int) -> bytes:
        return with_records('[{"a":1},{"a":"' + "x" * (size - 8) + '"}]').encode()

    fits = parsed(body(MAX_RECORD_BYTES))
    assert isinstance(fits, Rows)
    assert len(fits.lines) == MAX_RECORD_BYTES + 9
    error = refused(body(MAX_RECORD_BYTES + 1))
    assert error.code is Code.TOO_LARGE
    assert f"`records[1]` has {MAX_RECORD_BYTES + 1} bytes" in error.text


def test_many_rows_may_be_larger_together_than_one_may_be() -> None:
    half = '{"a":"' + "x" * (MAX_RECORD_BYTES // 2) + '"}'
    message = parsed(with_records(f"[{half},{half},{half}]"))
    assert isinstance(message, Rows)
    assert message.count == 3


def test_a_huge_schema_is_carried() -> None:
    schema = {"properties": {f"column_{number}": {"type": ["null", "string"]} for number in range(50_000)}}
    message = rows(stream=RUN["stream"] | {"schema": schema})
    assert json.loads(message.schema or b"") == schema


@pytest.mark.parametrize("name", ["../../etc", "/", ".", "a\x00b", "😀" * 1_024, "{part}", "a\nb", " "])
def test_hostile_names_are_only_names(name: str) -> None:
    message = rows(stream={"id": name, "name": name}, connection_id=name, stream_run_id=name)
    assert (message.stream_id, message.context.stream_name, message.connection_id) == (name, name, name)


@pytest.mark.parametrize(
    "field", ["destination_id", "connection_id", "connection_run_id", "stream_run_id", "id"]
)
def test_names_have_between_1_and_1024_characters(field: str) -> None:
    def body(name: str) -> str:
        return json.dumps(RUN | {"records": [], field: name})

    parsed(body("x" * 1_024))
    for name in ("", "x" * 1_025):
        assert f"`{field}`" in refused(body(name)).text


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"])
def test_every_instant_is_taken(instant: str) -> None:
    assert rows(cursor=instant).context.cursor == Instant.parse(instant)


@given(
    st.dictionaries(st.sampled_from([*RUN, "sequence", "records", "end", "batches", "schema"]), JSON_VALUES)
)
def test_whatever_the_fields_are_a_body_is_read_or_is_a_bad_message(fields: dict[str, str]) -> None:
    text = ",".join(f'"{name}":{value}' for name, value in fields.items())
    for body in (f"{{{text}}}", rows_body()[:-1] + f",{text}}}", end_body()[:-1] + f",{text}}}"):
        try:
            assert isinstance(parsed(body), Rows | End)
        except Permanent as error:
            assert error.code is Code.BAD_MESSAGE  # noqa: PT017 - it need not be raised
