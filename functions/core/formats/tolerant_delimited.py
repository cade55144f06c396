"""Rows of delimited text, read on past broken ones."""

import codecs
from collections.abc import Iterator, Sequence

import msgspec

from functions.core.errors import Refused
from functions.core.formats.delimited_cells import CellReader
from functions.core.formats.delimited_read import header_of
from functions.core.formats.delimited_records import Record
from functions.core.formats.rows import CHUNK, Reading, Row
from functions.core.formats.settings import Delimited
from functions.core.formats.streams import Source
from functions.core.formats.text_input import pieces
from functions.core.formats.tolerant import LargeRecord, Original, Reason, RecordBatch, Unread
from functions.core.formats.tolerant_ends import Ends, lines


class Cells(msgspec.Struct, frozen=True, kw_only=True):
    """How the records of one input become rows."""

    origin: str
    columns: tuple[str, ...]
    numbers: str | None
    reader: CellReader
