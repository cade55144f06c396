"""What destinations and sources have in common: a customer's bucket, where it is, and with which credentials.

Every check that needs no AWS is made here and beside, and all faults of a document are told at once.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from functions.core import documents
from functions.core.documents import Field, wrong
from functions.core.errors import Code, Fault, Permanent
from functions.core.keys import object_key
from functions.core.regions import partition_of

MASK = "****"
"""What is shown in place of a secret; in an update it stands for the secret that is already stored."""


class RoleCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """A role of the customer's, assumed with the external id that we issued to the connection."""

    role_arn: str
    external_id: str | None = None

    @property
    def partition(self) -> str:
        """The AWS partition that the role is in."""
        return self.role_arn.split(":")[1]

    @property
    def role_name(self) -> str:
        """The role's name with the path before it, as the resource of an IAM policy has it."""
        return self.role_arn.partition(":role/")[2]


class KeyCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Access keys of the customer's; masked everywhere but in their file and in Secrets Manager."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        """Nothing secret, wherever it is printed."""
        return f"KeyCredentials({MASK})"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A checked connection to a bucket, for writing or for reading.

    `region` is None where the bucket is in the deployment's own; `kms_key_arn` is the key that encrypts its
    objects. `credentials` are None for our own bucket alone, which sources may read.
    """

    name: str
    kind: str
    bucket: str
    credentials: RoleCredentials | KeyCredentials | None = None
    prefix: str = ""
    region: str | None = None
    owner: str | None = None
    enabled: bool = True
    kms_key_arn: str | None = None

    @property
    def partition(self) -> str:
        """The AWS partition of the bucket."""
        if self.region is None and isinstance(self.credentials, RoleCredentials):
            return self.credentials.partition
        return partition_of(self.region or "").name

    def meets(self, other: "Connection") -> bool:
        """Whether one object could belong to both: what is written to one would be found by the other."""
        shorter, longer = sorted((self.prefix, other.prefix), key=len)
        return self.bucket == other.bucket and longer.startswith(shorter)


def masked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without its secrets, as it is stored and shown."""
    credentials = document.get("credentials")
    if not isinstance(credentials, dict):
        return dict(document)
    shown = {name: MASK if name in _KEYS else value for name, value in credentials.items()}
    return {**document, "credentials": shown}


def across(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults that lie between fields; those that are at fault themselves are not among the values."""
    role, region, key = values.get("credentials"), values.get("region"), values.get("kms_key_arn")
    if isinstance(role, RoleCredentials) and region and role.partition != partition_of(region).name:
        yield fault("credentials.role_arn", f"is in another partition than the region {region}")
    if region and key and key.split(":")[3] != region:
        yield fault("kms_key_arn", f"is not in the bucket's region, {region}")


def fault(path: str, message: str, cure: str = "") -> Fault:
    """One thing wrong with a definition."""
    return Fault(code=Code.BAD_DEFINITION, path=path, message=message, cure=cure)


def _credentials(value: Any) -> RoleCredentials | KeyCredentials:
    if isinstance(value, dict) and "role_arn" in value:
        return RoleCredentials(**documents.read(value, _ROLE))
    if isinstance(value, dict) and not {"access_key_id", "secret_access_key"}.isdisjoint(value):
        return KeyCredentials(**documents.read(value, _KEYS))
    raise wrong("must hold a `role_arn`, or an `access_key_id` and a `secret_access_key`")


def _prefix(value: Any) -> str:
    prefix = documents.text(r"(?:(?!/)[^\x00-\x1f\x7f-\x9f]{1,900})?", _PREFIX_RULE)(value)
    try:
        object_key(prefix=prefix, name="x" * _ROOM_FOR_NAMES)
    except Permanent as error:
        raise wrong(f"leaves no room for names below it: {error}") from None
    if set("*?$").intersection(prefix):
        raise wrong(
            "holds `*`, `?` or `$`, which IAM reads as patterns, so that access could not be confined"
        )
    return prefix


def belongs_to(whose: str) -> Callable[[Any], Any]:
    """A field that others have."""

    def check(_: Any) -> Any:
        raise wrong(f"belongs to {whose}", "leave it out")

    return check


def _later(what: str) -> Callable[[Any], Any]:
    """A field of the specification whose promise this release does not keep: better refused than ignored."""

    def check(_: Any) -> Any:
        raise wrong(f"this release does not {what} yet", "leave the field out")

    return check


_ROOM_FOR_NAMES = 100
"""Bytes of a key that the prefix leaves, at the least, to what is rendered."""

_PREFIX_RULE = "text of at most 900 characters that does not begin with `/` and holds no control characters"

_ROLE = {
    "role_arn": Field(
        documents.text(
            r"arn:aws[a-z-]*:iam::[0-9]{12}:role/(?:[\x21-\x7e]{1,510}/)?[\w+=,.@-]{1,64}",
            "the ARN of a role, such as arn:aws:iam::111122223333:role/sluice-acme",
        ),
        required=True,
    ),
    "external_id": Field(
        documents.text(r"[\w+=,.@:/-]{2,1224}", "2 to 1,224 letters, digits and characters of _+=,.@:/-")
    ),
}

_KEYS = {
    "access_key_id": Field(
        documents.text(r"\w{16,128}|\*{4}", "an access key id of 16 to 128 letters"), required=True
    ),
    "secret_access_key": Field(documents.text(r"[\x21-\x7e]+", "a secret access key"), required=True),
    "session_token": Field(documents.text(r"[\x21-\x7e]+", "a session token")),
}

BUCKET = Field(
    documents.text(
        r"(?!(?:[0-9]+\.){3}[0-9]+$)(?!xn--)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "a bucket's name: 3 to 63 small letters, digits, dashes and dots",
    ),
    required=True,
)
CREDENTIALS = Field(_credentials, required=True)

FIELDS: dict[str, Field] = {
    "name": Field(documents.text(r"[A-Za-z0-9-]{1,64}", "1 to 64 letters, digits and dashes"), required=True),
    "description": Field(documents.text(r"(?s).*", "text")),
    "bucket": BUCKET,
    "region": Field(documents.text(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}", "a region, such as eu-central-1")),
    "prefix": Field(_prefix, default=""),
    "owner": Field(documents.text(r"[0-9]{12}", "an account id of 12 digits")),
    "credentials": CREDENTIALS,
    "enabled": Field(documents.boolean, default=True),
    "kms_key_arn": Field(
        documents.text(
            r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
            "the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…",
        )
    ),
    "organization": Field(_later("check organisations")),
    "notify": Field(_later("notify")),
    "pause_after": Field(_later("pause connections by itself")),
    "max_per_second": Field(_later("limit rates")),
    "admin_only": Field(_later("tell administrators from operators")),
    "pii": Field(_later("know personal data")),
}
"""The fields of both."""
