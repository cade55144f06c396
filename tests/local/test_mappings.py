import json
import time
from collections.abc import Callable, Iterator
from threading import Timer
from typing import Any

import pytest

from local.cloud import Cloud
from local.mappings import EVENT_BYTES, Delivery, Mapping, MappingSettings


class Line:
    """A queue of its own with a dead-letter queue, and a mapping from it to the judging function."""

    def __init__(self, cloud: Cloud, name: str, **settings: Any) -> None:
        self.sqs = cloud.client("sqs")
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": self._arn(self.dead), "maxReceiveCount": 3}
        attributes = {"VisibilityTimeout": "60", "RedrivePolicy": json.dumps(redrive)}
        self.queue = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        stated = {"queue_arn": self._arn(self.queue), "reports_failures": True, **settings}
        self.mapping = Mapping(
            settings=MappingSettings(**stated),
            function=cloud.functions["embedded-Judge"],
            sqs=self.sqs,
            workers=2,
        )

    def send(self, *orders: dict[str, Any]) -> list[str]:
        bodies = [json.dumps(order) for order in orders]
        return [self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)["MessageId"] for body in bodies]

    def deliver(self) -> Delivery:
        delivery = self.mapping.poll_once()
        assert delivery
        return delivery

    def _arn(self, url: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])


@pytest.fixture
def lay(cloud: Cloud) -> Iterator[Callable[..., Line]]:
    laid: list[Line] = []

    def laying(**settings: Any) -> Line:
        laid.append(Line(cloud, f"line-{time.monotonic_ns()}", **settings))
        return laid[-1]

    yield laying
    for each in laid:
        each.mapping.stop()


EMPTY = {"visible": 0, "in flight": 0, "delayed": 0}


def test_nothing_is_delivered_from_an_empty_queue(lay: Callable[..., Line]) -> None:
    assert lay().mapping.poll_once() is None


def test_what_succeeded_is_deleted_and_what_failed_is_received_again(lay: Callable[..., Line]) -> None:
    line = lay()
    _, bad, _ = line.send({}, {"fail": 1}, {})
    first = line.deliver()
    assert first.failed == {bad}
    assert line.mapping.waiting() == {**EMPTY, "in flight": 1}
    line.mapping.expire_visibility()
    [again] = line.deliver().records
    assert again["messageId"] == bad
    assert again["attributes"]["ApproximateReceiveCount"] == "2"


def test_what_failed_stays_invisible_until_its_timeout_ends(lay: Callable[..., Line]) -> None:
    line = lay()
    line.send({"fail": 1})
    line.deliver()
    assert line.mapping.poll_once() is None


def test_a_visibility_that_the_function_set_is_left_alone(lay: Callable[..., Line]) -> None:
    line = lay()
    line.send({"fail": 1, "hide": 0})
    line.deliver()
    line.mapping.expire_visibility()  # it has ended already, and that is no error
    assert line.deliver().records[0]["attributes"]["ApproximateReceiveCount"] == "2"


@pytest.mark.parametrize("answer", ["done", {"batchItemFailures": [{"id": "x"}]}], ids=["text", "bad key"])
def test_a_malformed_answer_fails_the_whole_batch(lay: Callable[..., Line], answer: Any) -> None:
    line = lay()
    sent = line.send({"answer": answer}, {})
    assert line.deliver().failed == frozenset(sent)
    assert line.mapping.waiting() == {**EMPTY, "in flight": 2}


def test_a_null_answer_means_that_all_is_done(lay: Callable[..., Line]) -> None:
    line = lay()
    line.send({"answer": None}, {})
    assert not line.deliver().failed
    assert line.mapping.waiting() == EMPTY


def test_without_reports_the_answer_is_not_read(lay: Callable[..., Line]) -> None:
    line = lay(reports_failures=False)
    line.send({"fail": 1})
    assert not line.deliver().failed
    assert line.mapping.waiting() == EMPTY


def test_a_timeout_fails_the_whole_batch(lay: Callable[..., Line]) -> None:
    line = lay()
    sent = line.send({}, {"sleep": 3})
    delivery = line.deliver()
    assert b"Task timed out after 1.00 seconds" in delivery.outcome.payload
    assert delivery.failed == frozenset(sent)


def test_after_its_last_receive_a_message_is_a_dead_letter(lay: Callable[..., Line]) -> None:
    line = lay()
    [sent] = line.send({"fail": 1})
    counts = []
    for _ in range(3):
        counts.append(line.deliver().records[0]["attributes"]["ApproximateReceiveCount"])
        line.mapping.expire_visibility()
    assert counts == ["1", "2", "3"]
    assert line.mapping.poll_once() is None
    assert line.mapping.waiting() == EMPTY
    [dead] = line.sqs.receive_message(QueueUrl=line.dead)["Messages"]
    assert dead["MessageId"] == sent


def test_a_batch_is_gathered_from_several_receives_up_to_its_size(lay: Callable[..., Line]) -> None:
    line = lay(batch_size=25)
    line.send(*[{}] * 32)
    assert [len(line.deliver().records) for _ in range(2)] == [25, 7]


def test_a_batch_waits_for_more_until_its_window_closes(lay: Callable[..., Line]) -> None:
    line = lay(batch_size=100)
    line.send({})
    later = Timer(0.15, line.send, [{}])
    later.start()
    started = time.monotonic()
    delivery = line.mapping.poll_once(window=0.5)
    later.join()
    assert delivery
    assert len(delivery.records) == 2
    assert time.monotonic() - started >= 0.5


def test_a_full_batch_does_not_wait_for_its_window(lay: Callable[..., Line]) -> None:
    line = lay(batch_size=2)
    line.send({}, {})
    started = time.monotonic()
    line.mapping.poll_once(window=5)
    assert time.monotonic() - started < 2


def test_a_batch_holds_six_megabytes_and_the_rest_goes_into_the_next(lay: Callable[..., Line]) -> None:
    line = lay()
    sent = line.send(*[{"filling": "x" * 1_000_000}] * 8)
    first, second = line.deliver(), line.deliver()
    assert sum(len(record["body"]) for record in first.records) < EVENT_BYTES
    assert (len(first.records), len(second.records)) == (6, 2)
    assert {record["messageId"] for record in first.records + second.records} == set(sent)


def test_a_running_mapping_delivers_by_itself_as_much_at_once_as_it_may(lay: Callable[..., Line]) -> None:
    line = lay(batch_size=1)
    line.mapping.start()
    line.send(*[{"sleep": 0.3}] * 2)
    started = time.monotonic()
    while line.mapping.waiting()["in flight"] < 2:
        assert time.monotonic() - started < 5
    while line.mapping.waiting() != EMPTY:
        assert time.monotonic() - started < 5
    line.mapping.stop()


def test_concurrency_is_bounded_by_the_template(lay: Callable[..., Line]) -> None:
    line = lay(batch_size=1, concurrency=1)
    line.mapping.start()
    line.send(*[{"sleep": 0.2}] * 2)
    most = 0
    while (waiting := line.mapping.waiting()) != EMPTY:
        most = max(most, waiting["in flight"])
    assert most == 1
