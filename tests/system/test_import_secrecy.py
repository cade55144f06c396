"""What must never be in a log or in a failure's text: a record, a row, a credential. Canaries are dropped."""

import gzip

from local.faults import calls_of, refuse
from tests.system.import_stage import Imports, converter, lines, record
from tests.system.stage import EXTERNAL_ID

CANARY = "canary-in-record"
ID = "canary-in-insert-id"
GOOD = lines([record(0, user=CANARY, id=ID, properties={CANARY: CANARY}, skip=False)])
RECORDS = {
    "plain.jsonl": GOOD,
    "refused.jsonl": lines([record(0, type=None, user=CANARY), record(1, time=CANARY)]),
    "broken.jsonl": b'{"%s": \n"\xff%s"\n[%s]' % ((CANARY.encode(),) * 3),
    "number.jsonl": b'{"n": %s, "type": "%s"}\n' % (b"9" * 9_000, CANARY.encode()),
}
OF_SOURCES = {
    "json": {"n.gz": gzip.compress(GOOD)[:-12], "no.gz": GOOD},
    "csv": {"row.csv": b"n,%s\n1,2,%s\n" % (CANARY.encode(), CANARY.encode())},
    "parquet": {"no.parquet": GOOD},
}


def test_no_canary_is_in_any_log_or_failure_whatever_becomes_of_the_files(imports: Imports) -> None:
    functions = [imports.importer.function, imports.planner]
    before = [len(each.settings.log.read_text()) if each.settings.log.exists() else 0 for each in functions]
    plain, closed = imports.source(), imports.source()
    names = [plain, closed]
    for key, body in RECORDS.items():
        imports.put(plain, key, body)
        imports.put(closed, key, body)
    imports.inject(
        calls_of("GetObject", f"{imports.drop_bucket}/{closed}/"), refuse(403, "AccessDenied"), times=2
    )
    imports.inject(
        calls_of("GetObject", f"{imports.drop_bucket}/{closed}/"), refuse(503, "SlowDown"), nth=3, times=9
    )
    strict = imports.source(rejects={"max_percent": 0})
    imports.put(strict, "refused.jsonl", RECORDS["refused.jsonl"])
    names.append(strict)
    for kind, files in OF_SOURCES.items():
        config = {"compressionType": "gzip"} if kind == "json" else {}
        names.append(imports.source(converter=converter(kind, **config)))
        for key, body in files.items():
            imports.put(names[-1], key, body)
    for text in (CANARY, f'{{"{CANARY}": 1}}', f'{{"Records": ["{CANARY}"]}}'):
        imports.told(text)
    while imports.importer.poll_once():
        pass
    imports.tick()
    imports.settle(*names)

    logged = "".join(
        each.settings.log.read_text()[start:] for each, start in zip(functions, before, strict=True)
    )
    failures = [failure for name in (*names, "_") for failure in imports.stage.failures(name)]
    assert {failure.code for failure in failures} >= {"BAD_FILE", "BAD_MESSAGE", "MISSING_PERMISSION"}
    for sign in ("FilesDelivered", "FilesFailed", "files delayed"):
        assert sign in logged
    own = [each.settings.variables["AWS_SECRET_ACCESS_KEY"] for each in functions]
    secrets = [CANARY, ID, *own, EXTERNAL_ID]
    assert [secret for secret in secrets if secret in logged] == []
    assert [failure.text for failure in failures if any(secret in failure.text for secret in secrets)] == []
    assert [file.text for name in names for file in imports.files.of(name) if CANARY in file.text] == []
