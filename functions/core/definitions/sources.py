"""Sources: definitions of kind `files`, whose files become events, properties and profiles."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from functions.core import documents
from functions.core.converter.definition import Converter, parse_converter
from functions.core.definitions import discovery
from functions.core.definitions.connection import fault
from functions.core.definitions.discovery import Discovery, between
from functions.core.documents import Field, wrong
from functions.core.errors import Fault, Refused
from functions.core.events.fields import DataType
from functions.core.events.identities import MIN_ID_LENGTH

_PROJECTS = (1, 2**53 - 1)
_ID_LENGTHS = (1, 1_024)
_PERCENT = 100


class Strategy(StrEnum):
    """What a file's rows are: new ones, or changes of what was imported before."""

    APPEND = "append"
    MIRROR = "mirror"


STRATEGIES: dict[DataType, tuple[Strategy, ...]] = {
    DataType.EVENT: (Strategy.APPEND, Strategy.MIRROR),
    DataType.USER_PROPERTIES: (Strategy.APPEND,),
    DataType.GROUP_PROPERTIES: (Strategy.APPEND,),
    DataType.PROFILE: (Strategy.MIRROR,),
}
"""What each data type can be imported as."""


class MadeInsertIds(StrEnum):
    """What is done for an event without an insert id: one is made, is made and claimed, or there is none."""

    MAKE = "make"
    CLAIM = "claim"
    NONE = "none"


class Rejects(msgspec.Struct, frozen=True, kw_only=True):
    """When a file is given up: above so many percent of its records; None is never.

    With `all_or_nothing` a file is read as a whole before anything of it is output.
    """

    max_percent: float | None = None
    all_or_nothing: bool = False


class Source(Discovery, frozen=True, kw_only=True):
    """A checked source; only `parse_source` makes one.

    `dedup` is whether insert ids are claimed; `queues` are the URLs of those that its events go to besides the
    event store.
    """

    project_id: int
    data_type: DataType
    strategy: Strategy
    converter: Converter
    min_id_length: int = MIN_ID_LENGTH
    dedup: bool = True
    made_insert_ids: MadeInsertIds = MadeInsertIds.MAKE
    rejects: Rejects = Rejects()
    queues: tuple[str, ...] = ()

    @property
    def mirror(self) -> bool:
        """Whether rows change what was imported before."""
        return self.strategy is Strategy.MIRROR

    def takes(self, key: str, modified: int) -> bool:
        """Whether an object, last modified then in milliseconds since the epoch, is one of its files."""
        return self.in_time(modified) and self.converter.takes(key, self.prefix)


def parse_source(document: Any) -> Source:
    """The source that a document of kind `files` describes.

    Raises:
        Refused: Every fault of the document, each with its path; the converter's below `converter`.
    """
    values, faults = documents.collect(document, _FIELDS)
    faults += [*between(values), *_across(values)]
    converter = values.pop("converter", None)
    if converter is not None:
        try:
            values["converter"] = _converted(converter, values.get("data_type"))
        except Refused as refused:
            faults += documents.below("converter", refused)
    if faults:
        raise Refused(faults)
    values["queues"] = values.pop("outputs")
    return Source(**{name: values[name] for name in Source.__struct_fields__})


def _across(values: Mapping[str, Any]) -> Iterator[Fault]:
    data_type, strategy = values.get("data_type"), values.get("strategy")
    if data_type and strategy and strategy not in STRATEGIES[data_type]:
        allowed = " or ".join(STRATEGIES[data_type])
        yield fault("strategy", f"{strategy} does not go with the data type {data_type}", f"say {allowed}")
    claimed = values.get("dedup", True) and strategy in {None, Strategy.APPEND}
    if values.get("made_insert_ids") is MadeInsertIds.CLAIM and not (
        claimed and data_type in {None, DataType.EVENT}
    ):
        message = (
            "claims what this source does not: insert ids of events, with `strategy: append` and `dedup`"
        )
        yield fault("made_insert_ids", message, "leave it out")


def _converted(document: Mapping[str, Any], data_type: DataType | None) -> Converter:
    """The converter; without a data type the faults are those that it has for every one."""
    if data_type is not None:
        return parse_converter(document, data_type)
    common: list[Fault] | None = None
    for each in DataType:
        try:
            found = parse_converter(document, each)
        except Refused as refused:
            common = [one for one in refused.faults if common is None or one in common]
        else:
            return found
    raise Refused(common or [])


def _document(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise wrong(f"must be a converter, not {documents.kind(value)}")
    return value


def _max_percent(value: Any) -> float:
    if type(value) not in {int, float} or not 0 <= value <= _PERCENT:
        raise wrong(f"must be a number from 0 to {_PERCENT}")
    return float(value)


def _rejects(value: Any) -> Rejects:
    return Rejects(**documents.read(value, _REJECTS))


def _outputs(value: Any) -> tuple[str, ...]:
    """The queues; what else there is to say of outputs is checked, and is so for every source."""
    if not isinstance(value, list):
        raise wrong(f"must be a list, not {documents.kind(value)}")
    faults: list[Fault] = []
    read: list[Mapping[str, Any]] = []
    for place, each in enumerate(value):
        try:
            read.append(_output(each))
        except Refused as refused:
            faults += documents.below(str(place), refused)
    if not faults and not any(each["event_store"] for each in read):
        faults.append(
            fault("", "lacks `{event_store: true}`", "everything that is imported goes there; add it")
        )
    if faults:
        raise Refused(faults)
    return tuple(dict.fromkeys(each["sqs"] for each in read if each["sqs"]))


def _output(value: Any) -> Mapping[str, Any]:
    values = documents.read(value, _OUTPUT)
    if bool(values["sqs"]) == bool(values["event_store"]):
        raise wrong("must say either `event_store: true` or `sqs`")
    return values


_REJECTS = {
    "max_percent": Field(_max_percent),
    "all_or_nothing": Field(documents.boolean, default=False),
}
_OUTPUT = {
    "event_store": Field(documents.boolean, default=False),
    "sqs": Field(
        documents.text(
            r"https?://\S+/[0-9]{12}/[\w-]{1,80}(?:\.fifo)?",
            "a queue's URL, such as https://sqs.eu-central-1.amazonaws.com/111122223333/events",
        )
    ),
}
_FIELDS: dict[str, Field] = {
    **discovery.FIELDS,
    "project_id": Field(documents.whole(*_PROJECTS), required=True),
    "data_type": Field(lambda value: DataType(documents.one_of(*DataType)(value)), required=True),
    "strategy": Field(lambda value: Strategy(documents.one_of(*Strategy)(value)), required=True),
    "converter": Field(_document, required=True),
    "min_id_length": Field(documents.whole(*_ID_LENGTHS), default=MIN_ID_LENGTH),
    "dedup": Field(lambda value: documents.one_of("insert_id", "none")(value) != "none", default=True),
    "made_insert_ids": Field(
        lambda value: MadeInsertIds(documents.one_of(*MadeInsertIds)(value)), default=MadeInsertIds.MAKE
    ),
    "rejects": Field(_rejects, default=Rejects()),
    "outputs": Field(_outputs, default=()),
}
