"""The fields of an event: their kinds, which data type requires which, and what the exported record calls them."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a field holds; `checks.CHECKS` says how that is made sure of."""

    TEXT = "text"
    IDENTIFIER = "identifier"
    MILLISECONDS = "milliseconds"
    TIMESTAMP = "timestamp"
    INTEGER = "integer"
    NUMBER = "number"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DICTIONARY = "dictionary"
    PROPERTIES = "properties"
    GROUPS = "groups"
    CURRENCY = "currency"
    MUTATION = "mutation"
    JSON = "json"


FIELDS: dict[str, Kind] = {
    **dict.fromkeys(("user_id", "device_id"), Kind.IDENTIFIER),
    **dict.fromkeys(
        (
            *("event_type", "insert_id", "app_version", "platform", "os_name", "os_version", "device_brand"),
            *(
                "device_manufacturer",
                "device_model",
                "carrier",
                "country",
                "region",
                "city",
                "dma",
                "language",
            ),
            *("productId", "revenueType", "ip", "idfa", "idfv", "adid", "android_id", "android_app_set_id"),
            *("user_agent", "library", "partner_id", "start_version"),
        ),
        Kind.TEXT,
    ),
    "time": Kind.MILLISECONDS,
    **dict.fromkeys(("event_id", "session_id"), Kind.INTEGER),
    **dict.fromkeys(("price", "quantity", "revenue"), Kind.NUMBER),
    **dict.fromkeys(("location_lat", "location_lng"), Kind.FLOAT),
    "event_properties": Kind.DICTIONARY,
    **dict.fromkeys(("user_properties", "group_properties"), Kind.PROPERTIES),
    "groups": Kind.GROUPS,
    "currency": Kind.CURRENCY,
    "plan": Kind.JSON,
    **dict.fromkeys(("paying", "$skip_user_properties_sync"), Kind.BOOLEAN),
    "mutation_type": Kind.MUTATION,
}
"""The fields of an event as its sender names them."""

COLUMNS: dict[str, Kind] = {
    "$insert_id": Kind.TEXT,
    "$schema": Kind.TEXT,
    "adid": Kind.TEXT,
    "amplitude_attribution_ids": Kind.TEXT,
    "amplitude_event_type": Kind.TEXT,
    "amplitude_id": Kind.INTEGER,
    "app": Kind.INTEGER,
    "city": Kind.TEXT,
    "client_event_time": Kind.TIMESTAMP,
    "client_upload_time": Kind.TIMESTAMP,
    "country": Kind.TEXT,
    "data": Kind.DICTIONARY,
    "device_brand": Kind.TEXT,
    "device_carrier": Kind.TEXT,
    "device_family": Kind.TEXT,
    "device_id": Kind.IDENTIFIER,
    "device_manufacturer": Kind.TEXT,
    "device_model": Kind.TEXT,
    "device_type": Kind.TEXT,
    "dma": Kind.TEXT,
    "event_id": Kind.INTEGER,
    "event_properties": Kind.DICTIONARY,
    "event_time": Kind.TIMESTAMP,
    "event_type": Kind.TEXT,
    "group_properties": Kind.PROPERTIES,
    "groups": Kind.GROUPS,
    "idfa": Kind.TEXT,
    "ip_address": Kind.TEXT,
    "is_attribution_event": Kind.BOOLEAN,
    "language": Kind.TEXT,
    "library": Kind.TEXT,
    "location_lat": Kind.FLOAT,
    "location_lng": Kind.FLOAT,
    "os_name": Kind.TEXT,
    "os_version": Kind.TEXT,
    "paying": Kind.BOOLEAN,
    "platform": Kind.TEXT,
    "processed_time": Kind.TIMESTAMP,
    "region": Kind.TEXT,
    "sample_rate": Kind.TEXT,
    "server_received_time": Kind.TIMESTAMP,
    "server_upload_time": Kind.TIMESTAMP,
    "session_id": Kind.INTEGER,
    "start_version": Kind.TEXT,
    "user_id": Kind.IDENTIFIER,
    "user_properties": Kind.PROPERTIES,
    "uuid": Kind.TEXT,
    "version_name": Kind.TEXT,
}
"""The columns of the exported record, in its order; an event may bring them, so that exports come back whole."""

INPUTS: dict[str, Kind] = COLUMNS | FIELDS
"""Everything that an event may bring; anything else is ignored."""

COLUMN_OF = {
    "insert_id": "$insert_id",
    "app_version": "version_name",
    "carrier": "device_carrier",
    "ip": "ip_address",
}
"""Fields that the exported record calls otherwise; where an event brings both, the field counts."""

OWN_DATA = tuple(
    name
    for name in FIELDS
    if name not in {*COLUMNS, *COLUMN_OF, "time", "mutation_type", "$skip_user_properties_sync"}
)
"""Fields for which the exported record has no column: its `data` holds them."""


class DataType(StrEnum):
    """What the rows of a source are."""

    EVENT = "event"
    USER_PROPERTIES = "user_properties"
    GROUP_PROPERTIES = "group_properties"
    PROFILE = "profile"


class Requirement(msgspec.Struct, frozen=True):
    """Fields of which a row needs at least one."""

    fields: tuple[str, ...]


_WHO = Requirement(("user_id", "device_id"))

REQUIRED: dict[DataType, tuple[Requirement, ...]] = {
    DataType.EVENT: (_WHO, Requirement(("event_type",)), Requirement(("time",))),
    DataType.USER_PROPERTIES: (_WHO, Requirement(("user_properties",))),
    DataType.GROUP_PROPERTIES: (Requirement(("groups",)), Requirement(("group_properties",))),
    DataType.PROFILE: (Requirement(("user_id",)), Requirement(("mutation_type",))),
}
"""What a row must bring."""

BY_EVENT_TYPE = {"$identify": DataType.USER_PROPERTIES, "$groupidentify": DataType.GROUP_PROPERTIES}
"""Event types that make a row of an event import a row of another data type."""
