"""Our rule among the notifications of a customer's bucket: merged, found again, taken away."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from functions.adapters.notifications import Notifications
from functions.core.errors import Code, Permanent, Transient
from functions.core.notifications import Rule, rule_of
from tests.adapters.aws import Aws


def _queue(aws: Aws) -> str:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=aws.name("queue"))["QueueUrl"]
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


class Place:
    """A bucket that notifies somebody else, and us of nothing yet."""

    def __init__(self, aws: Aws) -> None:
        self._s3 = aws.client("s3")
        self.bucket = aws.bucket()
        self.rule = rule_of(source="acme", queue_arn=_queue(aws), prefix="in/ü b/")
        self.theirs = {"Id": "theirs", "QueueArn": _queue(aws), "Events": ["s3:ObjectCreated:*"]}
        self.write({**self.theirs, "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "log/"}]}}})
        self.notifications = Notifications(self._s3, at={"Bucket": self.bucket})

    def write(self, *rules: dict[str, Any]) -> None:
        self._s3.put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={"QueueConfigurations": list(rules)}
        )

    def found(self) -> dict[str, Any]:
        answer = self._s3.get_bucket_notification_configuration(Bucket=self.bucket)
        return {each["Id"]: each for each in answer.get("QueueConfigurations", [])}


@pytest.fixture
def place(aws: Aws) -> Place:
    return Place(aws)


def test_ours_is_set_up_beside_those_of_others_and_taken_away_alone(place: Place) -> None:
    before = place.found()
    assert not place.notifications.serve(place.rule)
    for _ in range(2):
        place.notifications.set_up(place.rule)
        assert place.notifications.serve(place.rule)
        found = place.found()
        assert set(found) == {"theirs", place.rule.id}
        assert found["theirs"] == before["theirs"]
    for _ in range(2):
        place.notifications.remove(place.rule.id)
        assert place.found() == before


def test_a_rule_that_somebodys_tool_has_removed_is_missed_and_set_up_again(place: Place) -> None:
    place.notifications.set_up(place.rule)
    place.write()
    assert not place.notifications.serve(place.rule)
    place.notifications.set_up(place.rule)
    assert set(place.found()) == {place.rule.id}


def test_a_changed_prefix_replaces_our_rule(place: Place) -> None:
    place.notifications.set_up(place.rule)
    changed = Rule(id=place.rule.id, queue_arn=place.rule.queue_arn, prefix="other/")
    place.notifications.set_up(changed)
    assert place.notifications.serve(changed)
    assert not place.notifications.serve(place.rule)
    assert len(place.found()) == 2


def test_a_rule_of_others_that_overlaps_is_told_and_stays(place: Place) -> None:
    place.write(place.theirs)
    before = place.found()
    for call in (place.notifications.set_up, place.notifications.refuse_overlaps):
        with pytest.raises(Permanent, match="`theirs` to arn:aws:sqs:") as raised:
            call(place.rule)
        assert raised.value.code is Code.EXISTS
        assert "notifications: false" in raised.value.text
    assert place.found() == before


def test_a_bucket_that_is_not_there(aws: Aws, place: Place) -> None:
    nowhere = Notifications(aws.client("s3"), at={"Bucket": "no-such-bucket"})
    with pytest.raises(Permanent) as raised:
        nowhere.set_up(place.rule)
    assert raised.value.code is Code.INVALID_BUCKET


RULE = Rule(id="sluice-acme-1", queue_arn="arn:aws:sqs:eu-central-1:999988887777:arrivals", prefix="")
AT = {"Bucket": "acme", "ExpectedBucketOwner": "111122223333"}


def test_what_others_keep_overwriting_is_transient_and_not_tried_for_ever(aws: Aws) -> None:
    s3 = aws.client("s3")
    with Stubber(s3) as stubber:
        stubber.add_response("get_bucket_notification_configuration", {}, AT)
        for _ in range(3):
            ours = {"NotificationConfiguration": {"QueueConfigurations": [RULE.document]}}
            stubber.add_response("put_bucket_notification_configuration", {}, {**AT, **ours})
            stubber.add_response("get_bucket_notification_configuration", {}, AT)
        with pytest.raises(Transient, match="somebody else"):
            Notifications(s3, at=AT).set_up(RULE)
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        ("InvalidArgument", Code.INVALID_BUCKET, "import_accounts"),
        ("AccessDenied", Code.MISSING_PERMISSION, "AccessDenied"),
    ],
)
def test_what_s3_takes_not_from_us_or_not_to_our_queue(aws: Aws, answer: str, code: Code, says: str) -> None:
    s3 = aws.client("s3")
    with Stubber(s3) as stubber:
        stubber.add_response("get_bucket_notification_configuration", {}, AT)
        stubber.add_client_error("put_bucket_notification_configuration", answer, http_status_code=403)
        with pytest.raises(Permanent, match=says) as raised:
            Notifications(s3, at=AT).set_up(RULE)
    assert raised.value.code is code
    assert not isinstance(raised.value.__cause__, ClientError)
