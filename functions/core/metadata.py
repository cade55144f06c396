"""User metadata of an object: what S3 and HTTP allow, and how a value that they do not is written.

Limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html.
"""

import re
from collections.abc import Iterator, Mapping
from email.header import Header
from functools import lru_cache

from functions.core.keys import CONTROL_CHARACTER

MAX_BYTES = 2048
"""S3's limit on the sum of all names and values, as they are sent."""

RESERVED = "sluice-id"
"""The name under which an object says which message it holds; no definition and no message can set it."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2: what the name of a header may be."""

_HALF_PAIR = re.compile("[\ud800-\udfff]")

_PLAIN = re.compile(r"(?!.*=\?)(?:[!-~]+(?: [!-~]+)*)?")
"""What a header carries unchanged: S3's signature folds runs of spaces and trims, and `=?` begins encoded words."""


def merged(*layers: Mapping[str, str]) -> dict[str, str]:
    """One map of them all, a later layer before an earlier one, without the reserved name."""
    names: dict[str, str] = {}
    for layer in layers:
        names |= layer
    if RESERVED in map(str.lower, names):
        return {name: value for name, value in names.items() if name.lower() != RESERVED}
    return names


def encoded(metadata: Mapping[str, str]) -> dict[str, str]:
    """As it is sent: a value that is not plain ASCII text as RFC 2047's encoded words."""
    return {
        name: value if _PLAIN.fullmatch(value) else Header(value, "utf-8", maxlinelen=75).encode(linesep="")
        for name, value in metadata.items()
    }


def faults(metadata: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What S3 would refuse or change, as pairs of a name (empty: all of it) and what is wrong with it.

    Values are never part of a fault.
    """
    if len({name.lower() for name in metadata}) == len(metadata) and all(
        _is_token(name) and _PLAIN.fullmatch(value) for name, value in metadata.items()
    ):
        return  # what nearly all metadata is, found out at a third of the time
    spelled: dict[str, str] = {}
    for name, value in metadata.items():
        if not _is_token(name):
            yield shown(name), "is no HTTP token: letters, digits and !#$%&'*+-.^_`|~ only"
        elif control := CONTROL_CHARACTER.search(value):
            yield name, f"holds the control character U+{ord(control[0]):04X}"
        elif _HALF_PAIR.search(value):
            yield name, "holds half of a surrogate pair"
        elif (other := spelled.setdefault(name.lower(), name)) != name:
            yield name, f"differs from `{other}` only by case, and S3 keeps one of them"


@lru_cache(maxsize=1024)
def _is_token(name: str) -> bool:
    return _TOKEN.fullmatch(name) is not None


def size(sent: Mapping[str, str]) -> int:
    """Bytes, as S3 counts them."""
    return sum(len(name) + len(value) for name, value in sent.items())


def shown(name: str) -> str:
    """A name from a message, fit for a log line: escaped, and at most 60 characters long."""
    text = ascii(name)[1:-1]
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - the docstring's own number
