import json
from typing import Any
from urllib.parse import unquote_plus

import pytest
from botocore.exceptions import ClientError

from local.cloud import Cloud
from local.notification_rules import of_template
from tests.local.templates import CUSTOMER, STACK, attribute, queue, ref

CREATED = "s3:ObjectCreated:*"


@pytest.fixture(scope="module")
def cloud() -> Any:
    """A cloud without functions, whose bucket is told to notify by its template."""
    resources = {
        "Key": STACK["Resources"]["Key"],
        "DeadLetters": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Arrivals": queue("DeadLetters"),
        "Others": queue("DeadLetters"),
        "Drop": notifying({"Event": CREATED, "Queue": attribute("Arrivals")}),
    }
    outputs = {
        "Drop": {"Value": ref("Drop")},
        "Arrivals": {"Value": ref("Arrivals")},
        "Arn": {"Value": attribute("Arrivals")},
        "OthersArn": {"Value": attribute("Others")},
        "Others": {"Value": ref("Others")},
    }
    with Cloud({"Resources": resources, "Outputs": outputs}, name="telling") as running:
        yield running


def notifying(*rules: dict[str, Any], **properties: Any) -> dict[str, Any]:
    stated = {"NotificationConfiguration": {"QueueConfigurations": list(rules)}}
    return {"Type": "AWS::S3::Bucket", "Properties": stated | properties}


def arrived(cloud: Cloud, queue: str = "Arrivals") -> list[dict[str, Any]]:
    """The messages that a queue has, which it has no more."""
    sqs, url = cloud.client("sqs"), cloud.outputs[queue]
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def keys(messages: list[dict[str, Any]]) -> list[str]:
    return [
        unquote_plus(record["s3"]["object"]["key"]) for message in messages for record in message["Records"]
    ]


def customers_bucket(cloud: Cloud, name: str, *rules: dict[str, Any]) -> Any:
    """A bucket in a customer's account that is told to notify; gives a client of that account."""
    s3 = cloud.client("s3", account=CUSTOMER)
    s3.create_bucket(Bucket=name)
    configuration = {"QueueConfigurations": list(rules)}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)
    return s3


def test_a_file_that_is_dropped_arrives_once_as_s3_tells_it(cloud: Cloud) -> None:
    assert arrived(cloud) == []
    cloud.client("s3").put_object(Bucket=cloud.outputs["Drop"], Key="in/ä b+c.json", Body=b"{}")
    [message] = arrived(cloud)
    [record] = message["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert record["awsRegion"] == cloud.region
    assert record["s3"]["bucket"]["name"] == cloud.outputs["Drop"]
    told = record["s3"]["object"]
    assert len(told.pop("sequencer")) == 18
    assert told == {
        "key": "in/%C3%A4+b%2Bc.json",
        "size": 2,
        "eTag": "99914b932bd37a50b983c5e7c90ae93b",
    }


def test_every_way_of_creating_an_object_is_told_once_and_no_other_call_is(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.outputs["Drop"]
    s3.put_object(Bucket=bucket, Key="put", Body=b"1")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "put"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    tag = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"1")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
    s3.put_object_tagging(Bucket=bucket, Key="put", Tagging=tags)
    s3.put_object_acl(Bucket=bucket, Key="put", ACL="private")
    with pytest.raises(ClientError):
        s3.put_object(Bucket=bucket, Key="put", Body=b"2", IfNoneMatch="*")
    s3.delete_object(Bucket=bucket, Key="put")
    events = [record["eventName"] for message in arrived(cloud) for record in message["Records"]]
    assert sorted(events) == [
        "ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Copy", "ObjectCreated:Put",
    ]  # fmt: skip


STRANGE = ["with space", "a+b", "100%", "%2F", "🎉/ü", "folder/", "a//b", "a?b&c=d#e"]


def test_keys_of_all_kinds_come_back_from_what_is_told(cloud: Cloud) -> None:
    for key in STRANGE:
        cloud.client("s3").put_object(Bucket=cloud.outputs["Drop"], Key=key)
    assert sorted(keys(arrived(cloud))) == sorted(STRANGE)


def test_a_customers_bucket_tells_our_queue_once_it_is_told_to(cloud: Cloud) -> None:
    rule = {
        "Id": "sluice",
        "QueueArn": cloud.outputs["Arn"],
        "Events": [CREATED],
        "Filter": {
            "Key": {"FilterRules": [{"Name": "prefix", "Value": "out/"}, {"Name": "Suffix", "Value": ".gz"}]}
        },
    }
    s3 = customers_bucket(cloud, "acme-telling", rule)
    [test] = arrived(cloud)
    assert (test["Event"], test["Bucket"]) == ("s3:TestEvent", "acme-telling")
    for key in ("out/a.gz", "out/a.csv", "in/a.gz"):
        s3.put_object(Bucket="acme-telling", Key=key)
    told = arrived(cloud)
    assert keys(told) == ["out/a.gz"]
    assert told[0]["Records"][0]["s3"]["configurationId"] == "sluice"

    s3.put_bucket_notification_configuration(Bucket="acme-telling", NotificationConfiguration={})
    s3.put_object(Bucket="acme-telling", Key="out/b.gz")
    assert arrived(cloud) == []


def test_what_a_bucket_is_told_is_read_back_whole_with_names_given(cloud: Cloud) -> None:
    topic = {
        "TopicArn": f"arn:aws:sns:us-east-1:{CUSTOMER}:t",
        "Events": ["s3:ObjectRemoved:*"],
        "Id": "theirs",
    }
    ours = {"QueueArn": cloud.outputs["Arn"], "Events": ["s3:ObjectCreated:Put", "s3:ObjectCreated:Copy"]}
    s3 = cloud.client("s3", account=CUSTOMER)
    s3.create_bucket(Bucket="acme-reading")

    def read() -> dict[str, Any]:
        found: dict[str, Any] = s3.get_bucket_notification_configuration(Bucket="acme-reading")
        return {name: value for name, value in found.items() if name != "ResponseMetadata"}

    assert read() == {}
    stated = {"TopicConfigurations": [topic], "QueueConfigurations": [ours], "EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket="acme-reading", NotificationConfiguration=stated)
    arrived(cloud)
    found = read()
    assert len(found["QueueConfigurations"][0].pop("Id")) == 36
    assert found == stated
    s3.put_bucket_notification_configuration(Bucket="acme-reading", NotificationConfiguration={})
    assert read() == {}


def refusal(s3: Any, bucket: str, *rules: dict[str, Any]) -> str:
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(rules)}
        )
    return str(refused.value)


def test_what_s3_refuses_is_refused_and_changes_nothing(cloud: Cloud) -> None:
    def rule(prefix: str, event: str = CREATED, queue: str = cloud.outputs["Arn"]) -> dict[str, Any]:
        only = {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}}
        return {"QueueArn": queue, "Events": [event], "Filter": only}

    s3 = customers_bucket(cloud, "acme-refused", rule("a/"), rule("b/"), rule("a/b/", "s3:ObjectRemoved:*"))
    arrived(cloud)
    put = "s3:ObjectCreated:Put"
    assert "Configurations overlap" in refusal(s3, "acme-refused", rule("a/"), rule("a/b/", put))
    nowhere = f"{cloud.outputs['Arn']}-not"
    assert "Unable to validate" in refusal(s3, "acme-refused", rule("c/", queue=nowhere))
    assert "NoSuchBucket" in refusal(s3, "acme-nowhere", rule("a/"))
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.get_bucket_notification_configuration(Bucket="acme-nowhere")
    found = s3.get_bucket_notification_configuration(Bucket="acme-refused")["QueueConfigurations"]
    assert len(found) == 3


def test_a_customers_template_tells_its_bucket_too_where_its_condition_makes_one(cloud: Cloud) -> None:
    rules = {"S3Key": {"Rules": [{"Name": "prefix", "Value": "out/"}]}}
    stated = notifying({"Event": CREATED, "Queue": ref("Arn"), "Filter": rules}, BucketName="acme-template")
    never = notifying({"Event": CREATED, "Queue": ref("Arn")}, BucketName="acme-never")
    template = {
        "Parameters": {"Arn": {"Type": "String"}},
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Bucket": stated, "None": {**never, "Condition": "Never"}},
    }
    cloud.create_stack(
        template, name="acme", account=CUSTOMER, parameters={"Arn": cloud.outputs["OthersArn"]}
    )
    s3 = cloud.client("s3", account=CUSTOMER)
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}.isdisjoint({"acme-never"})
    for key in ("out/a", "in/a"):
        s3.put_object(Bucket="acme-template", Key=key)
    assert keys(arrived(cloud, "Others")) == ["out/a"]


def test_a_template_that_tells_others_than_queues_is_refused() -> None:
    with pytest.raises(ValueError, match="not driven locally: LambdaConfigurations"):
        of_template({"LambdaConfigurations": []})
