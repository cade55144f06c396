"""The queue that a function is fed by."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from functions.adapters.clients import translated
from functions.core.records import Record
from functions.core.regions import partition_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Queue:
    """One SQS queue; the client is made when it is first needed, which most invocations never do."""

    def __init__(self, sqs: Callable[[], "SQSClient"], *, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def delay(self, record: Record, *, seconds: int) -> None:
        """Keep a message that was received from coming back before this many seconds.

        Raises:
            Transient: SQS cannot be reached; the message comes back when its visibility ends.
        """
        with translated("delaying a message"):
            self._sqs().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds
            )


def queue_arn(url: str, *, region: str) -> str:
    """The ARN of the queue at this URL, which ends in its account and its name."""
    account, name = url.rsplit("/", 2)[1:]
    return f"arn:{partition_of(region).name}:sqs:{region}:{account}:{name}"
