"""How the records of a source's files are converted, and how many of them may be refused."""

from collections.abc import Iterable

from functions.core.chunks import Chunker, Conversion
from functions.core.converter.rows import Rows
from functions.core.definitions.sources import MadeInsertIds, Source
from functions.core.errors import Code, Permanent
from functions.core.events.rules import Rules
from functions.core.events.stamps import Stamps
from functions.core.formats.tolerant import RecordBatch
from functions.core.imports import Counters, ImportFile


def chunker_of(source: Source, file: ImportFile) -> Chunker:
    """What converts the records of a file."""
    rules = Rules(source.data_type, source.strategy.value, min_id_length=source.min_id_length)
    made = {MadeInsertIds.MAKE: False, MadeInsertIds.CLAIM: True, MadeInsertIds.NONE: None}
    conversion = Conversion(
        project=source.project_id,
        rows=Rows(source.converter, rules),
        rules=rules,
        claims=source.dedup and not source.mirror,
        made=made[source.made_insert_ids],
    )
    return Chunker(conversion, bucket=file.bucket, key=file.key, now=file.now)


def survey(chunker: Chunker, source: Source, chunks: Iterable[list[RecordBatch]]) -> None:
    """Convert all of a file before anything of it is output.

    Raises:
        Permanent: It cannot be read to its end, or more of it is refused than may be.
    """
    counters = Counters()
    stamps = Stamps(server_received=0, server_upload=0, processed=0)
    for batches in chunks:
        counters += chunker.convert(batches, id="", first=counters.records, stamps=stamps).counters
    refuse_too_many(source, counters)


def refuse_too_many(source: Source, counters: Counters) -> None:
    """Give a file up whose records are refused too often.

    Raises:
        Permanent: `BAD_FILE`; above the percentage that the source allows.
    """
    most = source.rejects.max_percent
    if most is None or not counters.records or counters.rejected * 100 <= most * counters.records:
        return
    text = f"{counters.rejected} of {counters.records} records are refused, more than {most} %"
    raise Permanent(Code.BAD_FILE, text)
