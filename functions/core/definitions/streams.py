"""Destinations of kind `streams`: the rows of every run of a stream become files."""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.core import documents
from functions.core.definitions.connection import across, fault
from functions.core.definitions.destination import Destination, fields_of
from functions.core.definitions.intake import INTAKE_FIELDS, Flush
from functions.core.documents import Field, wrong
from functions.core.errors import Fault, Refused
from functions.core.files.settings import FILE_FIELDS, FileSettings, file_settings
from functions.core.templates.macros import DEFAULT, MacroTemplate


class StreamDestination(Destination, frozen=True, kw_only=True):
    """A checked destination of streams.

    With `flush` its streams are continuous; without, a run ends by message, or `seal_after_seconds` after it
    began, if that is set.
    """

    template: MacroTemplate
    files: FileSettings
    flush: Flush | None = None
    seal_after_seconds: int | None = None


def parse(document: Any) -> StreamDestination:
    """The destination that a document of kind `streams` describes.

    Raises:
        Refused: Every fault of the document, each with its path.
    """
    values, faults = documents.collect(document, _FIELDS)
    files, more = file_settings(values)
    faults += [*across(values), *more, *_across(values)]
    if faults:
        raise Refused(faults)
    values["template"] = values.pop("key_template")
    values["files"] = files
    return StreamDestination(**{name: values[name] for name in StreamDestination.__struct_fields__})


def _across(values: Mapping[str, Any]) -> Iterator[Fault]:
    split = values.get("split")
    for name in ("file_name", "folder"):
        if split and getattr(split, name):
            message = "belongs to datasets: stream destinations number with {part} alone"
            yield fault(f"split.{name}", message, "leave it out; `key_template` names the files")
    if values.get("flush") and values.get("seal_after_seconds"):
        message = "contradicts `flush`, with which no run waits for its end"
        yield fault("seal_after_seconds", message, "leave one of them out")


def _template(value: Any) -> MacroTemplate:
    if not isinstance(value, str):
        raise wrong(f"must be text, not {documents.kind(value)}")
    template = MacroTemplate.parse(value)
    if not template.unique_in_run:
        raise wrong(
            "can give two files of one run the same key", "put {part} into it, the number of the file"
        )
    return template


_FIELDS = fields_of(
    "streams",
    {
        "key_template": Field(_template, default=MacroTemplate.parse(DEFAULT)),
        **FILE_FIELDS,
        **INTAKE_FIELDS,
    },
)
