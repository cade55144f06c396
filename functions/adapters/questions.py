"""What else is asked about a source before it is stored: how much lies there, and that its bucket tells us.

Like verification it runs in the function that will use the access.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from functions.adapters.objects import Bucket
from functions.adapters.source_trials import NOTIFYING
from functions.adapters.trials import Check, asked
from functions.core.definitions.discovery import Discovery
from functions.core.definitions.sources import Source
from functions.core.errors import Code, Permanent
from functions.core.notifications import Rule

COUNT_SECONDS = 20.0
"""How long one answer counts: well within what whoever asks waits."""


class Ask(StrEnum):
    """The questions: `count` what lies there; `notify`, `silence` and `notified` have to do with notifications."""

    COUNT = "count"
    NOTIFY = "notify"
    SILENCE = "silence"
    NOTIFIED = "notified"


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """Files that a source would import, counted as far as the key `after`; None says that these are all."""

    files: int
    bytes: int
    after: str | None = None


def count(
    source: Source,
    bucket: Bucket,
    *,
    after: str = "",
    seconds: float = COUNT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Existing:
    """The files after this key, as many as are looked at in this time."""
    until = clock() + seconds
    files = size = 0
    for found in bucket.listing(source.prefix, after=after):
        if source.takes(found.key, found.modified):
            files += 1
            size += found.size
        if clock() >= until:
            return Existing(files=files, bytes=size, after=found.key)
    return Existing(files=files, bytes=size)


def about_notifications(ask: Ask, source: Discovery, bucket: Bucket, rule: Rule) -> Check:
    """What came of setting a rule up, of taking it away, or of looking whether it is there."""
    notifications = bucket.notifications()

    def look() -> None:
        if not notifications.serve(rule):
            text = f"somebody has taken our rule `{rule.id}` away: sluice source enable {source.name}"
            raise Permanent(Code.CHANGED, text)

    calls: dict[Ask, tuple[str, Callable[[], Any], tuple[str, ...]]] = {
        Ask.NOTIFY: ("notifications set up", lambda: notifications.set_up(rule), NOTIFYING),
        Ask.SILENCE: ("notifications taken away", lambda: notifications.remove(rule.id), NOTIFYING),
        Ask.NOTIFIED: ("notifications there", look, ()),
    }
    name, call, needed = calls[ask]
    return asked(name, source, call, needed, place="")
