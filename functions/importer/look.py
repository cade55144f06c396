"""What lies under a key, or that nothing does."""

from functions.adapters.objects import Bucket
from functions.core.errors import Code, Permanent
from functions.core.imports import Found


def look(bucket: Bucket, key: str) -> Found | None:
    """The object as it is now; None where there is none.

    Who may list only what is below a prefix, as customers let us, is answered 403 when there is none: the right
    holds for requests that name a prefix, which a HEAD does not. So the key is then looked for in a listing.

    Raises:
        Permanent: It cannot be looked at.
        Transient: It cannot be, now.
    """
    try:
        return bucket.head(key)
    except Permanent as error:
        if error.code is Code.MISSING_FILE or (
            error.code is Code.MISSING_PERMISSION and not _listed(bucket, key)
        ):
            return None
        raise


def _listed(bucket: Bucket, key: str) -> bool:
    """Whether the key is in the listing of all that begins so, where it is the first if it is there."""
    first = next(bucket.listing(key), None)
    return first is not None and first.key == key
