"""What the files of a dataset are called, as objects and as members of an archive."""

from collections.abc import Mapping
from typing import Any

from functions.core.compression import COMPRESSIONS
from functions.core.encryption import EXTENSION as ENCRYPTED
from functions.core.files.settings import FileSettings
from functions.core.keys import object_key

DONE = ".DONE"
"""The success file. It lies beside the objects, and like all names with a dot is left out when a folder is read."""

MANIFEST = "_manifest.json"
_OUTER = {"zip": (".zip",), "tar": (".tar",), "tgz": (".tgz", ".tar.gz")}


class Names:
    """The names of one delivery: `name` is the rendered file name, `tokens` what other templates may refer to."""

    def __init__(self, settings: FileSettings, *, name: str, tokens: Mapping[str, Any]) -> None:
        self._settings = settings
        self._tokens = tokens
        parquet = settings.shape.format == "parquet" and settings.shape.parquet.extension
        self._name = _ending(name, "parquet") if parquet else name

    def object(self, number: int, *, several: bool) -> str:
        """The object that the file of this number is; where there are `several`, the name is their folder.

        Raises:
            Permanent: `BAD_KEY`; the name cannot be an object's.
        """
        name = f"{self._name.removesuffix('/')}/{self._part(number)}" if several else self._name
        return object_key(prefix="", name=self._encrypted(name))

    def member(self, number: int) -> str:
        """The member of the archive that the file of this number is.

        Raises:
            Permanent: `BAD_KEY`; the name cannot be a member's.
        """
        if self._settings.split:
            return object_key(prefix="", name=self._part(number))
        name = self._name.rsplit("/", 1)[-1]
        for outer in _OUTER[self._settings.compression]:
            name = name[: -len(outer)] if name.lower().endswith(outer) and name != outer else name
        return _ending(name, self._settings.format.extensions[0])

    def beside(self, name: str, *, several: bool) -> str:
        """A marker in the folder that holds the objects."""
        folder = f"{self._name.removesuffix('/')}/" if several else self._name[: self._name.rfind("/") + 1]
        return object_key(prefix="", name=folder + name)

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

    def _encrypted(self, name: str) -> str:
        return _ending(name, ENCRYPTED) if self._settings.key else name


def _ending(name: str, extension: str) -> str:
    return name if name.lower().endswith(f".{extension}") else f"{name}.{extension}"
