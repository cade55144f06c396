"""Sending rows: several requests at once, told in order, and nothing told that the queue does not have."""

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from functions.adapters.sending import Sender
from functions.core.errors import Code, Permanent, Transient
from functions.core.outgoing import MAX_BYTES, Outgoing
from functions.core.record_batches import Flush

FLUSHES = 40


class Queue:
    """SQS as far as messages are sent to it; it fails at bodies that say so, and is slowest at the first."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._others = threading.Event()

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        bodies = [entry["MessageBody"] for entry in Entries]
        if bodies == ["0"]:
            self._others.wait(5)
        self._others.set()
        with self._lock:
            self._at_once -= 1
            self.bodies += bodies
        failed = [entry for entry in Entries if entry["MessageBody"] == "refused"]
        return {
            "Failed": [{"Id": each["Id"], "Code": "InvalidMessage", "SenderFault": True} for each in failed]
        }


def sender(queue: Queue) -> Sender:
    return Sender(cast("Any", queue), url="", bucket=cast("Any", None), bucket_name="")


def flush(number: int, *bodies: str) -> Flush:
    return Flush(messages=[Outgoing(body=body, group="acme") for body in bodies], rows=number)


def test_flushes_are_given_back_in_order_once_the_queue_has_them() -> None:
    queue = Queue()
    given = [flush(number, str(number)) for number in range(FLUSHES)]
    for number, each in enumerate(sender(queue).flow(given)):
        assert each is given[number]
        assert str(number) in queue.bodies
    assert sorted(map(int, queue.bodies)) == list(range(FLUSHES))
    assert 1 < queue.most_at_once <= 8


def test_a_source_is_read_no_further_than_what_is_under_way() -> None:
    read = []

    def source() -> Iterator[Flush]:
        for number in range(FLUSHES):
            read.append(number)
            yield flush(number, str(number))

    for done, _ in enumerate(sender(Queue()).flow(source())):
        assert len(read) <= done + 10


def test_messages_of_a_flush_go_in_requests_that_sqs_takes() -> None:
    queue = Queue()
    large = "x" * (MAX_BYTES - 10)
    [done] = sender(queue).flow([flush(3, large, large, "small")])
    assert done.rows == 3
    assert sorted(map(len, queue.bodies)) == [5, MAX_BYTES - 10, MAX_BYTES - 10]


def test_a_fault_of_the_source_comes_after_what_came_before_it() -> None:
    def source() -> Iterator[Flush]:
        yield from (flush(number, str(number)) for number in range(5))
        raise Permanent(Code.BAD_FILE, "here")

    told: list[Flush] = []
    with pytest.raises(Permanent, match="here"):
        told.extend(sender(Queue()).flow(source()))
    assert [each.rows for each in told] == list(range(5))


def test_nothing_is_told_behind_a_flush_that_failed() -> None:
    given = [flush(0, "a"), flush(1, "refused"), flush(2, "b")]
    told: list[Flush] = []
    with pytest.raises(Permanent, match="SQS does not take"):
        told.extend(sender(Queue()).flow(given))
    assert [each.rows for each in told] == [0]


def test_what_sqs_cannot_take_now_is_transient() -> None:
    class Busy(Queue):
        def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as above
            return {"Failed": [{"Id": each["Id"], "Code": "InternalError"} for each in Entries]}

    with pytest.raises(Transient):
        list(sender(Busy()).flow([flush(0, "a")]))
