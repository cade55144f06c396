"""What must never be in a log or in a failure's text: a row, a schema's values, a credential. Canaries are sent."""

from typing import Any

from local.faults import calls_of, refuse
from tests.system.scenarios import store_keys
from tests.system.stage import EXTERNAL_ID
from tests.system.stream_stage import Streams, done, end, rows

ROW, SCHEMA, HEADER = "canary-in-row", "canary-in-schema", "canary-in-definition"
KEYS = {
    "access_key_id": "AKIACANARYCANARYCANA",
    "secret_access_key": "canary/secret/access/key",
    "session_token": "canary+session+token",
}
STREAM = {"id": "public.orders", "name": "orders"}


def test_no_canary_is_in_any_log_or_failure_whatever_becomes_of_the_rows(streams: Streams) -> None:
    functions = [streams.stager.function, streams.file_writer.function, streams.planner]
    before = [len(each.settings.log.read_text()) if each.settings.log.exists() else 0 for each in functions]
    names = _destinations(streams)
    streams.send(*_messages(next(iter(names))))
    for name, runs in names.items():
        streams.send(*(body for run in runs for body in _run(name, run)))
    done(streams.stager)
    streams.send(rows(next(iter(names)), "plain", 1, {"text": ROW}))
    done(streams.stager)
    while streams.file_writer.poll_once():
        pass
    streams.stage.tick()

    logged = "".join(
        each.settings.log.read_text()[start:] for each, start in zip(functions, before, strict=True)
    )
    failures = [failure for name in (*names, "_") for failure in streams.stage.failures(name)]

    for sign in ("message failed", "runs delayed", "RecordsStaged", "RunsDelivered", "RunsFailed"):
        assert sign in logged
    assert {failure.code for failure in failures} >= {"BAD_MESSAGE", "BAD_KEY", "BAD_FILE", "SCHEMA", "LATE"}
    own = [each.settings.variables["AWS_SECRET_ACCESS_KEY"] for each in functions]
    secrets = [ROW, SCHEMA, HEADER, *KEYS.values(), *own, EXTERNAL_ID]
    assert [secret for secret in secrets if secret in logged] == []
    assert [failure.text for failure in failures if any(secret in failure.text for secret in secrets)] == []


def _destinations(streams: Streams) -> dict[str, list[str]]:
    """Destinations of every fate, each with its runs; the first two are refused and left waiting by S3."""
    refused, waiting = streams.destination(), streams.destination()
    for name, effect in ((refused, refuse(403, "AccessDenied")), (waiting, refuse(400, "RequestTimeout"))):
        on = calls_of("PutObject", f"{streams.stage.bucket}/{name}/")
        streams.inject(on, effect, times=99)
    secret = store_keys(streams.stage, KEYS)
    return {
        refused: ["plain"],
        waiting: ["plain"],
        streams.destination(format="csv", metadata={"own": HEADER}, manifest=True): [*_RECORDS],
        streams.destination(format="csv", delimited={"quote": "none"}): ["quotes"],
        streams.destination(format="parquet"): ["huge", "empty", "typed"],
        streams.destination(key_template="{cursor_day}/{part}"): ["plain"],
        streams.destination(credentials=dict.fromkeys(KEYS, "****"), secret_arn=secret): ["plain"],
    }


def _messages(name: str) -> list[str]:
    """What is never staged."""
    good = rows(name, "bad", 0, {"text": ROW})
    return [
        good[:-1],
        good.replace('"text"', "text"),
        good.replace(ROW, f"{ROW}\\ud83d"),
        good.replace('{"text"', 'null, {"text"'),
        rows(name, "bad", 0, [ROW], ROW),
        rows(name, "bad", 0, {"text": ROW}, sequence=ROW),
        rows(name, "bad", 0, {"text": ROW}, cursor=ROW),
        rows(name, "bad", 0, {"text": ROW}, stream={**STREAM, "schema": [SCHEMA]}),
        rows(name, "bad", 0, records=ROW),
        ROW,
    ]


_DECLARED = {"n": {"type": "integer"}, "text": {"type": "string"}}
_ENUM = {"text": {"enum": [SCHEMA], "default": SCHEMA, "type": "string"}}
_RECORDS: dict[str, tuple[Any, Any]] = {
    "plain": ({"text": ROW, "n": 1}, None),
    "empty": ({}, None),
    "quotes": ({"text": f'"{ROW}",\n'}, None),
    "huge": ({"text": ROW, "n": int("9" * 90)}, None),
    "typed": ({"n": ROW}, _DECLARED),
    "more": ({"n": 1, "other": ROW}, _DECLARED),
    "enum": ({"text": ROW}, _ENUM),
    "wrong": ({"text": ROW}, {"text": {"type": "enumerated", "const": SCHEMA}, "n": SCHEMA}),
    "nothing": ({"text": ROW}, {"n": SCHEMA}),
}
"""By the run that it is alone in, a row, and the properties that are declared."""


def _run(name: str, run: str) -> list[str]:
    record, properties = _RECORDS[run]
    declared = {"schema": {"type": "object", "properties": properties}} if properties else {}
    body = rows(name, run, 0, record, {"text": ROW}, stream={**STREAM, **declared})
    return [body, end(name, run, batches=1)]
