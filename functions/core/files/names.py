"""What the files of a delivery are called, as objects and as members of an archive."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from functions.core.compression import COMPRESSIONS
from functions.core.encryption import EXTENSION as ENCRYPTED
from functions.core.files.settings import FileSettings
from functions.core.keys import object_key
from functions.core.templates.macros import MacroContext, MacroTemplate

DONE = ".DONE"
"""The success file. It lies beside the objects, and like all names with a dot is left out when a folder is read."""

MANIFEST = "_manifest.json"
_OUTER = {"zip": (".zip",), "tar": (".tar",), "tgz": (".tgz", ".tar.gz")}
_MARKS_OF_RUNS = {
    DONE: MacroTemplate.parse(".{stream_run_id}.DONE"),
    MANIFEST: MacroTemplate.parse("_{stream_run_id}_manifest.json"),
}


class Names(Protocol):
    """The names of one dataset's files; numbers count from 1 over the whole delivery.

    Each raises Permanent with `BAD_KEY` where the name cannot be an object's.
    """

    def object(self, number: int, *, several: bool) -> str:
        """The object of this number; `several` says whether the dataset has more than one."""
        ...

    def member(self, number: int) -> str:
        """The member of the archive that the file of this number is."""
        ...

    def beside(self, mark: str, *, several: bool) -> str:
        """`DONE` or `MANIFEST`, in the folder that holds the objects."""
        ...


class DatasetNames:
    """The names of a dataset: `name` is the rendered file name, `tokens` what other templates may refer to."""

    def __init__(self, settings: FileSettings, *, name: str, tokens: Mapping[str, Any]) -> None:
        self._settings = settings
        self._tokens = tokens
        parquet = settings.shape.format == "parquet" and settings.shape.parquet.extension
        self._name = _ending(name, "parquet") if parquet else name

    def object(self, number: int, *, several: bool) -> str:
        """The object of this number; where there are `several`, the name is their folder."""
        name = f"{self._name.removesuffix('/')}/{self._part(number)}" if several else self._name
        return _object(self._settings, prefix="", name=name)

    def member(self, number: int) -> str:
        """The member of the archive that the file of this number is."""
        name = self._part(number) if self._settings.split else _within(self._settings, self._name)
        return object_key(prefix="", name=name)

    def beside(self, mark: str, *, several: bool) -> str:
        """A mark in the folder that holds the objects."""
        folder = f"{self._name.removesuffix('/')}/" if several else _folder(self._name)
        return object_key(prefix="", name=folder + mark)

    def _part(self, number: int) -> str:
        split = self._settings.split
        tokens = {**self._tokens, "file_number": number}
        name = f"{number:07d}.{self._extension()}"
        if split and split.file_name:
            name = split.file_name.render(tokens)
        folder = split.folder.render(tokens).removesuffix("/") + "/" if split and split.folder else ""
        return folder + name

    def _extension(self) -> str:
        outer = "" if self._settings.archive else COMPRESSIONS[self._settings.compression].extension
        inner = self._settings.format.extensions[0]
        return f"{inner}.{outer}" if outer else inner


class StreamNames:
    """The names of a stream's run: `template`, below `prefix`, in the `context` of the run, a number for each file.

    Marks are told apart by the run's id, since several runs share a folder.
    """

    def __init__(
        self, settings: FileSettings, template: MacroTemplate, context: MacroContext, prefix: str
    ) -> None:
        self._settings = settings
        self._template = template
        self._context = msgspec.structs.replace(context, extension=settings.extension)
        self._prefix = prefix

    def object(self, number: int, *, several: bool) -> str:  # noqa: ARG002 - the number alone tells them apart
        """The object of this number."""
        return _object(self._settings, prefix=self._prefix, name=self._rendered(number))

    def member(self, number: int) -> str:
        """The member of the archive: called as the archive, or by its number where the run is split."""
        if self._settings.split:
            return f"{number:07d}.{self._settings.format.extensions[0]}"
        return object_key(prefix="", name=_within(self._settings, self._rendered(number)))

    def beside(self, mark: str, *, several: bool) -> str:  # noqa: ARG002 - as `object`
        """A mark of the run in the folder of its first object."""
        name = _folder(self._rendered(1)) + _MARKS_OF_RUNS[mark].render(self._context)
        return object_key(prefix=self._prefix, name=name)

    def _rendered(self, number: int) -> str:
        return self._template.render(msgspec.structs.replace(self._context, part=number))


def _object(settings: FileSettings, *, prefix: str, name: str) -> str:
    return object_key(prefix=prefix, name=_ending(name, ENCRYPTED) if settings.key else name)


def _within(settings: FileSettings, name: str) -> str:
    """What the one file within an archive of this name is called."""
    name = name.rsplit("/", 1)[-1]
    for outer in _OUTER[settings.compression]:
        name = name[: -len(outer)] if name.lower().endswith(outer) and name != outer else name
    return _ending(name, settings.format.extensions[0])


def _folder(name: str) -> str:
    return name[: name.rfind("/") + 1]


def _ending(name: str, extension: str) -> str:
    return name if name.lower().endswith(f".{extension}") else f"{name}.{extension}"
