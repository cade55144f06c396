import json
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from local.cloud import Cloud
from local.mappings import UnsupportedMappingError
from tests.local.templates import STACK, attribute, function, mapping, ref


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


def test_a_mapping_that_the_template_disables_does_not_run(flowing: Cloud) -> None:
    assert [each.running for each in flowing.mappings] == [True, False]


def test_logs_are_where_they_are_asked_for(flowing: Cloud) -> None:
    assert {path.parent for path in [each.settings.log for each in flowing.functions.values()]} == {
        Path(flowing.logs)
    }


def test_a_template_that_cannot_be_run_leaves_nothing_running() -> None:
    refused = mapping(ref("Echo"), "Queue", FilterCriteria={})
    role = {**STACK["Resources"]["Role"]["Properties"], "RoleName": "refused-writer"}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Echo": function("echo"),
        "Mapping": refused,
    }
    cloud = Cloud({"Resources": resources}, name="refused")
    with pytest.raises(UnsupportedMappingError):
        cloud.start()
    with pytest.raises(URLError, match="refused"):
        urlopen(cloud.endpoint_url)
