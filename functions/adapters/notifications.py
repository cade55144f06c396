"""The notifications of a customer's bucket: ours put among those of others, and taken from among them.

S3 writes the whole configuration by one request and has no condition for it, so everything here is read, merged,
written and read again. Who wrote between our reading and our writing has lost that; nothing of S3's could tell.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.adapters.clients import error_code
from functions.adapters.verbatim_keys import s3_translated
from functions.core.errors import Code, Permanent, Transient
from functions.core.notifications import Configuration, Rule, is_served, overlaps, with_rule, without_rule

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ATTEMPTS = 3
"""How often somebody else may overwrite ours before we give up."""

_CANNOT_SEND = (
    "S3 cannot send to the queue of arrivals: it must be in the bucket's region, and `import_accounts` of the"
    " deployment must have the bucket's account"
)


class Notifications:
    """The notifications of one bucket; `at` is what every request says: which bucket, and whose it must be."""

    def __init__(self, client: "S3Client", *, at: Mapping[str, Any]) -> None:
        self._client = client
        self._at = at

    def serve(self, rule: Rule) -> bool:
        """Whether the bucket tells us of all that the rule is about."""
        return is_served(rule, self._read())

    def refuse_overlaps(self, rule: Rule) -> None:
        """Check that the rule can be set up, without setting it up.

        Raises:
            Permanent: `EXISTS`; rules of others tell of the same objects. They are named, and stay as they are.
        """
        _refuse_overlaps(rule, self._read())

    def set_up(self, rule: Rule) -> None:
        """Have the bucket tell us of what the rule is about; where it does already nothing is written.

        Raises:
            Permanent: `EXISTS` as in `refuse_overlaps`; or S3 takes it not from us, or not to our queue.
            Transient: Somebody else is changing the same configuration.
        """
        self._change(
            lambda found: None if is_served(rule, found) else _merged(rule, found),
            done=lambda found: is_served(rule, found),
        )

    def remove(self, rule_id: str) -> None:
        """Take our rule away; where there is none nothing is written.

        Raises:
            Permanent: S3 takes it not from us.
            Transient: Somebody else is changing the same configuration.
        """

        def without(found: Configuration) -> dict[str, Any] | None:
            rest = without_rule(rule_id, found)
            return None if rest == found else rest

        self._change(without, done=lambda found: without(found) is None)

    def _change(
        self,
        change: Callable[[Configuration], dict[str, Any] | None],
        *,
        done: Callable[[Configuration], bool],
    ) -> None:
        found = self._read()
        for _ in range(_ATTEMPTS):
            changed = change(found)
            if changed is None:
                return
            self._write(changed)
            found = self._read()
            if done(found):
                return
        raise Transient(Code.UNAVAILABLE, "somebody else is changing the notifications of the bucket")

    def _read(self) -> dict[str, Any]:
        with s3_translated():
            found: Mapping[str, Any] = self._client.get_bucket_notification_configuration(**self._at)
        return {name: value for name, value in found.items() if name != "ResponseMetadata"}

    def _write(self, configuration: Mapping[str, Any]) -> None:
        whole: Any = configuration
        with s3_translated():
            try:
                self._client.put_bucket_notification_configuration(
                    **self._at, NotificationConfiguration=whole
                )
            except ClientError as error:
                if error_code(error) != "InvalidArgument":
                    raise
                raise Permanent(Code.INVALID_BUCKET, _CANNOT_SEND) from None


def _merged(rule: Rule, found: Configuration) -> dict[str, Any]:
    _refuse_overlaps(rule, found)
    return with_rule(rule, found)


def _refuse_overlaps(rule: Rule, found: Configuration) -> None:
    others = [] if is_served(rule, found) else overlaps(rule, found)
    if others:
        text = (
            f"the bucket notifies others of the same objects, and S3 takes no second rule: {'; '.join(others)}."
            " Say `notifications: false`, and files are found by listing, or have them sent by EventBridge"
        )
        raise Permanent(Code.EXISTS, text)
