import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from local.cloud import Cloud
from local.mappings import UnsupportedMappingError
from local.schedules import UnsupportedScheduleError
from tests.local.templates import STACK, attribute, function, mapping, ref, rule


@pytest.fixture(scope="module")
def flowing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose messages flow by themselves."""
    kept = {name: STACK["Resources"][name] for name in ("Key", "DeadLetters", "Bucket", "Table")}
    role = {**STACK["Resources"]["Role"]["Properties"], "RoleName": "flowing-writer"}
    resources = {
        **kept,
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Copies": STACK["Resources"]["Copies"],
        "Idle": STACK["Resources"]["Copies"],
        "Copier": function(
            "copies", Environment={"Variables": {"BUCKET": ref("Bucket"), "TABLE": ref("Table")}}
        ),
        "Mapping": mapping(ref("Copier"), "Copies"),
        "Disabled": mapping(ref("Copier"), "Idle", Enabled=False),
        "Hourly": rule(attribute("Copier"), ScheduleExpression="rate(1 hour)"),
        "Never": rule(attribute("Copier"), State="DISABLED"),
    }
    outputs = {
        "Bucket": {"Value": ref("Bucket")},
        "Copies": {"Value": ref("Copies")},
        "Idle": {"Value": ref("Idle")},
        "Arn": {"Value": attribute("Copies")},
    }
    template = {"Resources": resources, "Outputs": outputs}
    logs = tmp_path_factory.mktemp("logs")
    with Cloud(template, name="flowing", polling=True, logs=logs) as cloud:
        yield cloud


def test_messages_flow_by_themselves_until_all_is_settled(flowing: Cloud) -> None:
    sqs = flowing.client("sqs")
    for number in range(25):
        body = json.dumps({"name": f"flow/{number}"})
        sqs.send_message(QueueUrl=flowing.outputs["Copies"], MessageBody=body)
    flowing.settle(20)
    listed = flowing.client("s3").list_objects_v2(Bucket=flowing.outputs["Bucket"], Prefix="flow/")
    assert listed["KeyCount"] == 25


def test_what_is_left_is_counted_when_it_takes_too_long(flowing: Cloud) -> None:
    sqs = flowing.client("sqs")
    sqs.send_message(QueueUrl=flowing.outputs["Copies"], MessageBody="{}", DelaySeconds=60)
    with pytest.raises(TimeoutError, match=r"flowing-Copies-.*'delayed': 1"):
        flowing.settle(0.2)
    sqs.purge_queue(QueueUrl=flowing.outputs["Copies"])


def test_what_the_template_disables_does_not_run(flowing: Cloud) -> None:
    assert [each.running for each in flowing.mappings] == [True, False]
    assert [each.running for each in flowing.schedules] == [True, False]


def test_logs_are_where_they_are_asked_for(flowing: Cloud) -> None:
    assert {path.parent for path in [each.settings.log for each in flowing.functions.values()]} == {
        Path(flowing.logs)
    }


REFUSED = [
    ("mapping", mapping(ref("Echo"), "Queue", FilterCriteria={}), UnsupportedMappingError),
    ("rule", rule(attribute("Queue")), UnsupportedScheduleError),
]


@pytest.mark.parametrize(("kind", "refused", "error"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_template_that_cannot_be_run_leaves_nothing_running(
    kind: str, refused: dict[str, Any], error: type[Exception]
) -> None:
    role = {**STACK["Resources"]["Role"]["Properties"], "RoleName": f"refused-{kind}"}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Echo": function("echo"),
        "Refused": refused,
    }
    cloud = Cloud({"Resources": resources}, name=f"refused-{kind}")
    with pytest.raises(error):
        cloud.start()
    with pytest.raises(URLError, match="refused"):
        urlopen(cloud.endpoint_url)


def test_schedules_of_another_service_are_refused_before_anything_is_made() -> None:
    template = {"Resources": {"Nightly": {"Type": "AWS::Scheduler::Schedule"}}}
    with pytest.raises(UnsupportedScheduleError, match="AWS::Scheduler::Schedule"):
        Cloud(template, name="nightly").start()
