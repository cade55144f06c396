"""What every object key obeys, whoever made it: S3's limits, and confinement below the prefix."""

import re

from functions.core.errors import Code, Permanent

MAX_KEY_BYTES = 1024
"""S3's limit, in bytes of UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html."""

# C0, DEL and C1: S3 takes some of them, XML listings and terminals do not.
CONTROL_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f]")


def object_key(*, prefix: str, name: str) -> str:
    """The key of an object: `prefix`, literally, and the rendered name below it.

    Raises:
        Permanent: `BAD_KEY`; the key is empty, too long, holds a control character or a `.` or `..` segment,
            or begins with `/`. A name can therefore add folders below the prefix, and never leave it.
    """
    key = prefix + name
    fault = _fault(key)
    if fault:
        raise Permanent(Code.BAD_KEY, f"the key {fault}")
    return key


def _fault(key: str) -> str:
    if not key:
        return "is empty"
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        return f"holds half of a surrogate pair at character {error.start + 1}"
    if length > MAX_KEY_BYTES:
        return f"has {length} bytes, S3 takes at most {MAX_KEY_BYTES}"
    if control := CONTROL_CHARACTER.search(key):
        return f"holds the control character U+{ord(control[0]):04X} at character {control.start() + 1}"
    return _misplaced(key)


def _misplaced(key: str) -> str:
    if key[0] == "/":
        return "begins with `/`"
    segments = key.split("/") if "." in key else ()
    return next((f"holds a segment `{each}`" for each in segments if each in {".", ".."}), "")
