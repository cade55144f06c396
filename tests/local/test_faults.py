import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import boto3
import obstore
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from obstore.store import S3Store

from local.calls import Call
from local.cloud import Cloud
from local.faults import Fault, Faults, calls_of, delay, hang_up, kill, refuse
from local.loopback import Loopback
from local.mappings import Mapping

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def guarded_url(cloud: Cloud, shared_faults: Faults) -> Iterator[str]:
    """The way that the functions go, for clients of this process."""
    aws = DomainDispatcherApplication(create_backend_app)
    with Loopback(shared_faults.around(aws)) as server:
        yield server.url


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    return cloud.outputs["Bucket"]


@pytest.fixture
def s3(guarded_url: str) -> Any:
    session = boto3.Session("local", "local", region_name="us-east-1")
    return session.client("s3", endpoint_url=guarded_url, config=ONCE)


@pytest.fixture
def store(bucket: str, guarded_url: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=guarded_url,
        region="us-east-1",
        access_key_id="local",
        secret_access_key="local",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )


@pytest.fixture
def copier(cloud: Cloud) -> Iterator[Mapping]:
    [mapping] = [each for each in cloud.mappings if each.function.settings.name == "copier"]
    yield mapping
    mapping.expire_visibility()
    cloud.settle(10)


def names_kept(cloud: Cloud, run: str) -> tuple[list[str], list[str]]:
    listed = cloud.client("s3").list_objects_v2(Bucket=cloud.outputs["Bucket"], Prefix=run)
    items = cloud.client("dynamodb").scan(TableName=cloud.outputs["Table"])["Items"]
    rows = [item["pk"]["S"] for item in items if item["pk"]["S"].startswith(run)]
    return sorted(each["Key"] for each in listed.get("Contents", [])), sorted(rows)


def send(cloud: Cloud, *names: str) -> None:
    sqs = cloud.client("sqs")
    for name in names:
        sqs.send_message(QueueUrl=cloud.outputs["Copies"], MessageBody=json.dumps({"name": name}))


@dataclass(frozen=True)
class KillPoint:
    action: str
    nth: int
    when: Literal["before", "after"]
    written: tuple[int, int]
    """The objects and the rows that are there after it."""


KILL_POINTS = [
    KillPoint("PutObject", 1, "before", (0, 0)),
    KillPoint("PutObject", 1, "after", (1, 0)),
    KillPoint("PutItem", 1, "before", (1, 0)),
    KillPoint("PutItem", 1, "after", (1, 1)),
    KillPoint("PutObject", 2, "after", (2, 1)),
    KillPoint("PutItem", 2, "after", (2, 2)),
]


@pytest.mark.parametrize("point", KILL_POINTS, ids=lambda point: f"{point.when} {point.action} {point.nth}")
def test_a_function_is_killed_at_the_point_and_the_batch_comes_again(
    cloud: Cloud, faults: Faults, copier: Mapping, point: KillPoint
) -> None:
    run = f"{point.action}-{point.nth}-{point.when}/"
    send(cloud, f"{run}1", f"{run}2")
    killed = kill(copier.function)
    faults.inject(Fault(on=calls_of(point.action), nth=point.nth, when=point.when, effect=killed))

    first = copier.poll_once()

    assert first
    assert b"signal: killed" in first.outcome.payload
    assert len(first.failed) == 2
    assert faults.pending == []
    assert tuple(map(len, names_kept(cloud, run))) == point.written

    copier.expire_visibility()
    second = copier.poll_once()

    assert second
    assert not second.failed
    assert names_kept(cloud, run) == ([f"{run}1", f"{run}2"],) * 2


def test_calls_are_recorded_with_service_action_and_resource(
    cloud: Cloud, faults: Faults, copier: Mapping
) -> None:
    send(cloud, "recorded")
    copier.poll_once()
    bucket, table = cloud.outputs["Bucket"], cloud.outputs["Table"]
    assert [(call.service, call.action, call.resource) for call in faults.calls] == [
        ("s3", "PutObject", f"{bucket}/recorded"),
        ("dynamodb", "PutItem", table),
    ]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "SlowDown"),
        (412, "PreconditionFailed"),
        (409, "ConditionalRequestConflict"),
        (500, "InternalError"),
    ],
)
def test_s3_refuses_with_the_code(bucket: str, faults: Faults, s3: Any, status: int, code: str) -> None:
    faults.inject(Fault(on=calls_of("PutObject"), effect=refuse(status, code)))
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="refused", Body=b"x")
    answer = refused.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)


def test_a_refusal_reaches_obstore(faults: Faults, store: S3Store) -> None:
    faults.inject(Fault(on=calls_of("PutObject"), effect=refuse(503, "SlowDown")))
    with pytest.raises(obstore.exceptions.BaseError, match="SlowDown"):
        obstore.put(store, "refused", b"x")
    obstore.put(store, "refused", b"x")


@pytest.mark.parametrize("service", ["dynamodb", "sts"])
def test_each_protocol_is_refused_in_its_own_form(faults: Faults, guarded_url: str, service: str) -> None:
    session = boto3.Session("local", "local", region_name="us-east-1")
    client = session.client(service, endpoint_url=guarded_url, config=ONCE)  # type: ignore[call-overload] # the stubs list every service
    faults.inject(Fault(on=lambda call: call.service == service, effect=refuse(400, "ThrottlingException")))
    with pytest.raises(ClientError) as refused:
        client.list_tables() if service == "dynamodb" else client.get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"


def test_a_connection_is_closed_without_an_answer(bucket: str, faults: Faults, s3: Any) -> None:
    faults.inject(Fault(on=calls_of("PutObject", f"{bucket}/closed"), effect=hang_up(), when="after"))
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket=bucket, Key="closed", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="closed")["Body"].read() == b"x"


def test_a_delay_holds_the_call_back(bucket: str, faults: Faults, s3: Any) -> None:
    faults.inject(Fault(on=calls_of("HeadObject"), effect=delay(0.2)))
    s3.put_object(Bucket=bucket, Key="late", Body=b"x")
    started = time.monotonic()
    s3.head_object(Bucket=bucket, Key="late")
    assert time.monotonic() - started >= 0.2


def test_only_the_chosen_calls_are_hit(bucket: str, faults: Faults, s3: Any) -> None:
    fault = Fault(on=calls_of("GetObject"), nth=2, times=2, effect=refuse(503, "SlowDown"))
    faults.inject(fault)
    s3.put_object(Bucket=bucket, Key="counted", Body=b"x")
    seen = []
    for _ in range(4):
        try:
            s3.get_object(Bucket=bucket, Key="counted")
            seen.append(200)
        except ClientError as error:
            seen.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert (fault in faults.pending) == (len(seen) < 3)
    assert seen == [200, 503, 503, 200]


PAYLOAD = bytes(range(256)) * 4096 * 6


@pytest.mark.parametrize("when", ["before", "after"])
def test_bodies_go_through_unchanged(
    bucket: str, faults: Faults, s3: Any, store: S3Store, when: Literal["before", "after"]
) -> None:
    faults.inject(Fault(on=lambda call: call.service == "s3", effect=delay(0), when=when, times=1000))
    s3.put_object(Bucket=bucket, Key="big", Body=PAYLOAD)
    obstore.put(store, "parts", PAYLOAD, chunk_size=5 * 1024 * 1024)
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert bytes(obstore.get(store, "big").bytes()) == PAYLOAD
    assert s3.get_object(Bucket=bucket, Key="parts")["Body"].read() == PAYLOAD
    assert s3.get_object(Bucket=bucket, Key="big", Range="bytes=1-3")["Body"].read() == b"\x01\x02\x03"
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == len(PAYLOAD)
    assert s3.head_object(Bucket=bucket, Key="empty")["ContentLength"] == 0
    done = {call.action for call in faults.calls}
    assert done >= {"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"}


S3_CALLS: list[tuple[Callable[[Any, str], object], str]] = [
    (lambda s3, bucket: s3.list_objects_v2(Bucket=bucket), "ListObjectsV2"),
    (lambda s3, bucket: s3.get_bucket_location(Bucket=bucket), "GetBucketLocation"),
    (lambda s3, bucket: s3.head_bucket(Bucket=bucket), "HeadBucket"),
    (lambda s3, bucket: s3.delete_object(Bucket=bucket, Key="none"), "DeleteObject"),
    (
        lambda s3, bucket: s3.get_bucket_notification_configuration(Bucket=bucket),
        "GetBucketNotificationConfiguration",
    ),
    (lambda s3, bucket: s3.get_bucket_tagging(Bucket=bucket), "GET ?tagging"),
]


@pytest.mark.parametrize(("call", "action"), S3_CALLS, ids=[action for _, action in S3_CALLS])
def test_calls_of_s3_are_told_from_method_path_and_query(
    bucket: str, faults: Faults, s3: Any, call: Callable[[Any, str], object], action: str
) -> None:
    try:
        call(s3, bucket)
    except ClientError:
        assert action == "GET ?tagging"
    [seen] = faults.calls
    assert seen.action == action
    assert seen.resource.startswith(bucket)


def test_a_call_without_signature_has_no_service() -> None:
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": None}
    environ["wsgi.input"] = type("Nothing", (), {"read": lambda self, size: b""})()
    call = Call.read(environ)
    assert (call.service, call.action, call.resource, call.access_key) == ("", "", "", "")
