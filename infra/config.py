"""Everything that may differ between two deployments, read from the CDK context and checked before synthesis.

Set a value with `cdk deploy -c message_writer_batch_size=100` or under `"context"` in cdk.json.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

PYTHON = "3.13"
"""The interpreter of every function; the layer's wheels are chosen for it."""

DEPENDENCIES = ("aws-lambda-powertools", "boto3", "jmespath", "msgspec", "obstore")
"""What every function imports: the layer holds these and their own needs, as the lock file pins them."""

COLUMNAR = ("google-re2", "isal", "pyarrow", "pysequoia", "tzdata")
"""What files take: users' patterns, gzip, columns, OpenPGP and time zones, a layer of its own."""

LONGEST_SECONDS = 900
"""What `file_writer` has for a run, and `importer` for its files: the most that Lambda gives."""

QUEUE_RETENTION_DAYS = 14
"""The most that SQS allows; each queue and each dead-letter queue keeps a message this long."""

_QUEUES_OF_A_RUN = 4
"""Records and Deliveries with their dead letters: a row may wait in each of them before it is in a file."""

Architecture = Literal["arm64", "x86_64"]

_ONE_RECEIVE = 10
"""Messages that SQS gives at a time: only a window gathers more."""

_MEMORY_BESIDE_PAYLOADS = 256
"""Megabytes: interpreter, libraries, a full batch of 6 MB and its bookkeeping."""

_COPIES_OF_PAYLOADS = 3
"""As it was read, as the object that it becomes, and while it is sent."""

_MEGABYTES_OF_A_GIGABYTE = 1000


class ConfigError(ValueError):
    """The context holds a value that this deployment cannot have; the text names its key."""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment of Sluice. Two in one account need two names: roles are named across regions."""

    name: Annotated[str, Meta(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=40)] = "sluice"
    """The stack's name, the prefix of its roles' names and of its secrets."""
    account: Annotated[str, Meta(pattern=r"^\d{12}$")] | None = None
    region: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[a-z]+)+-\d$")] | None = None
    """Without account and region the template fits any: the credentials of the deploying user decide."""
    assume_role_pattern: Annotated[str, Meta(pattern=r"^[\w+=,.@-]{3}[\w+=,.@*?-]*$")] = "sluice-*"
    """The names that customers' roles may have: functions can assume no other."""
    architecture: Architecture = "arm64"
    retain: bool = True
    """Whether tables, bucket, queues, key and logs outlive the stack; then it is also protected from deletion."""
    alarm_emails: tuple[Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    """Who is told of alarms; a list in the context may also be one string with commas."""
    oldest_message_alarm_seconds: Annotated[int, Meta(ge=60)] = 900
    """Older messages mean that deliveries stand still; SQS leaves those received three times out of this age."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_retention_days: Literal[1, 7, 14, 30, 60, 90, 180, 365, 731] = 30
    failure_retention_days: Annotated[int, Meta(ge=1, le=3650)] = 400
    """How long the body of a failed or held message can be sent again."""
    payload_retention_days: Annotated[int, Meta(ge=1, le=4000)] = 430
    """How long an offloaded body stays: a message held to its last day still passes through both queues."""
    part_retention_days: Annotated[int, Meta(ge=1, le=3650)] = 90
    """How long staged rows stay, and what the ledger tells of their run."""
    largest_run_gigabytes: Annotated[int, Meta(ge=1, le=100)] = 20
    """Staged rows that one delivery takes: a larger run is refused before anything of it is written."""
    open_run_alarm_hours: Annotated[int, Meta(ge=1, le=24 * QUEUE_RETENTION_DAYS)] = 24
    """A run open for longer is waiting for what was probably never sent."""
    event_retention_days: Annotated[int, Meta(ge=1, le=3650)] = 400
    """How long imported events stay in the event store, by the day of their upload."""
    reject_retention_days: Annotated[int, Meta(ge=1, le=3650)] = 90
    """How long the refused rows of imported files stay."""
    import_accounts: tuple[Annotated[str, Meta(pattern=r"^\d{12}$")], ...] = ()
    """The customers' accounts whose buckets may notify us of files, beside our own."""
    output_queue_arns: tuple[
        Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}(\.fifo)?$")], ...
    ] = ()
    """The queues that sources may output events to, encrypted with our key or with SQS's own."""
    chunk_events: Annotated[int, Meta(ge=1, le=500_000)] = 50_000
    """Records of a file that are converted, written and committed together, at most."""
    chunk_megabytes: Annotated[int, Meta(ge=1, le=512)] = 64
    """The same, in decoded bytes."""
    largest_file_gigabytes: Annotated[int, Meta(ge=1, le=10)] = 5
    """A file above is refused."""
    waiting_file_alarm_minutes: Annotated[int, Meta(ge=1, le=24 * 60 * QUEUE_RETENTION_DAYS)] = 60
    """A file that waits for longer is one that nobody reads, or one of more than are read."""
    definition_max_age_seconds: Annotated[int, Meta(ge=0, le=3600)] = 60
    writes_at_once: Annotated[int, Meta(ge=1, le=512)] = 32
    """What an invocation of `message_writer` or `stager` has under way together."""
    payload_budget_megabytes: Annotated[int, Meta(ge=1, le=8192)] = 256
    message_writer_memory_megabytes: Annotated[int, Meta(ge=256, le=10_240)] = 1769
    """1,769 MB is one whole processor."""
    message_writer_timeout_seconds: Annotated[int, Meta(ge=10, le=900)] = 60
    message_writer_batch_size: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    message_writer_window_seconds: Annotated[int, Meta(ge=0, le=300)] = 1
    """How long a batch may wait to fill: all that batching adds to a message's latency."""
    message_writer_max_concurrency: Annotated[int, Meta(ge=2, le=1000)] = 20
    """Invocations at once, limited where the queue is read: reserved concurrency would turn messages away."""
    stager_memory_megabytes: Annotated[int, Meta(ge=256, le=10_240)] = 1769
    stager_timeout_seconds: Annotated[int, Meta(ge=10, le=900)] = 60
    stager_batch_size: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    stager_window_seconds: Annotated[int, Meta(ge=0, le=300)] = 10
    """How long rows may wait to be staged: the longer, the fewer and larger are the parts of a run."""
    stager_max_concurrency: Annotated[int, Meta(ge=2, le=1000)] = 20
    file_writer_memory_megabytes: Annotated[int, Meta(ge=512, le=10_240)] = 1769
    file_writer_storage_megabytes: Annotated[int, Meta(ge=512, le=10_240)] = 10_240
    """The disk of an invocation, where files grow that cannot be sent piece by piece."""
    file_writer_max_concurrency: Annotated[int, Meta(ge=2, le=1000)] = 20
    """Runs delivered at once, each by an invocation of its own."""
    importer_memory_megabytes: Annotated[int, Meta(ge=512, le=10_240)] = 1769
    importer_storage_megabytes: Annotated[int, Meta(ge=512, le=10_240)] = 10_240
    """The disk of an invocation, for what can only be read from its end, as zip archives are."""
    importer_batch_size: Annotated[int, Meta(ge=1, le=10_000)] = 10
    """Notifications that one invocation takes: small files share its start, large ones its time."""
    importer_window_seconds: Annotated[int, Meta(ge=0, le=20)] = 1
    """How long a file may wait for others: it is to be begun within 30 seconds."""
    importer_max_concurrency: Annotated[int, Meta(ge=2, le=1000)] = 20
    planner_memory_megabytes: Annotated[int, Meta(ge=256, le=10_240)] = 512
    planner_timeout_seconds: Annotated[int, Meta(ge=10, le=900)] = 60
    """It is started every minute; what one invocation leaves, the next one finds."""

    def __post_init__(self) -> None:
        """Check what no single value shows.

        Raises:
            ValueError: Two values contradict each other; the text names both.
        """
        self._check_taking(
            "message_writer",
            batch_size=self.message_writer_batch_size,
            window_seconds=self.message_writer_window_seconds,
            memory_megabytes=self.message_writer_memory_megabytes,
        )
        self._check_taking(
            "stager",
            batch_size=self.stager_batch_size,
            window_seconds=self.stager_window_seconds,
            memory_megabytes=self.stager_memory_megabytes,
        )
        self._check_taking(
            "importer",
            batch_size=self.importer_batch_size,
            window_seconds=self.importer_window_seconds,
            memory_megabytes=self.importer_memory_megabytes,
        )
        spooled = self.largest_file_gigabytes * _MEGABYTES_OF_A_GIGABYTE
        if spooled > self.importer_storage_megabytes:
            raise ValueError(
                f"`largest_file_gigabytes` of {self.largest_file_gigabytes} needs at least {spooled}"
                " `importer_storage_megabytes`"
            )
        shortest = self.failure_retention_days + 2 * QUEUE_RETENTION_DAYS
        if self.payload_retention_days < shortest:
            raise ValueError(
                f"`payload_retention_days` must be at least {shortest}: `failure_retention_days` and both queues'"
            )
        shortest = _QUEUES_OF_A_RUN * QUEUE_RETENTION_DAYS
        if self.part_retention_days < shortest:
            raise ValueError(
                f"`part_retention_days` must be at least {shortest}: a run may take as long through its queues"
            )

    def _check_taking(
        self, function: str, *, batch_size: int, window_seconds: int, memory_megabytes: int
    ) -> None:
        """Check how a function takes batches, and the offloaded payloads that belong to them."""
        if batch_size > _ONE_RECEIVE and not window_seconds:
            raise ValueError(
                f"`{function}_batch_size` above {_ONE_RECEIVE} needs `{function}_window_seconds` >= 1"
            )
        needed = _COPIES_OF_PAYLOADS * self.payload_budget_megabytes + _MEMORY_BESIDE_PAYLOADS
        if needed > memory_megabytes:
            raise ValueError(
                f"`payload_budget_megabytes` of {self.payload_budget_megabytes} needs at least {needed}"
                f" `{function}_memory_megabytes`"
            )


_LISTS = ("alarm_emails", "import_accounts", "output_queue_arns")
"""What the command line gives as one string with commas."""


def from_context(context: Mapping[str, Any]) -> Deployment:
    """The deployment that a CDK context describes; keys that belong to the CDK itself are left alone.

    Values may be strings, as `cdk -c key=value` gives them.

    Raises:
        ConfigError: A value is malformed or contradicts another, or a key is a misspelling of one of ours.
    """
    ours = Deployment.__struct_fields__
    for key in context.keys() - set(ours):
        if near := difflib.get_close_matches(key, ours, n=1, cutoff=0.8):
            raise ConfigError(f"context `{key}` is no setting of Sluice: did you mean `{near[0]}`?")
    found = {key: context[key] for key in ours if key in context}
    for key in _LISTS:
        if isinstance(stated := found.get(key), str):
            found[key] = [value.strip() for value in stated.split(",") if value.strip()]
    try:
        return msgspec.convert(found, Deployment, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"context {_with_key(str(error))}") from error


def _with_key(text: str) -> str:
    """Msgspec's sentence with the key in front: "`name`: Expected …" for "Expected … - at `$.name`"."""
    stated = re.fullmatch(r"(?P<what>.*) - at `\$\.(?P<key>\w+)(?P<rest>.*)`", text, re.DOTALL)
    return f"`{stated['key']}`{stated['rest']}: {stated['what']}" if stated else text
