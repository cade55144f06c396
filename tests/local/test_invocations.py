import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.cloud import Cloud


@pytest.fixture(scope="module")
def lambda_(cloud: Cloud) -> Any:
    given = cloud.environment
    session = boto3.Session(
        given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], region_name=given["AWS_REGION"]
    )
    return session.client("lambda", endpoint_url=given["AWS_ENDPOINT_URL"])


@pytest.mark.parametrize(
    "name",
    ["echo", "arn:aws:lambda:us-east-1:123456789012:function:echo", "echo:$LATEST"],
    ids=["name", "ARN", "qualified"],
)
def test_a_function_is_invoked_and_answers(lambda_: Any, name: str) -> None:
    answer = lambda_.invoke(FunctionName=name, Payload=json.dumps({"a": 1}))
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert json.load(answer["Payload"])["event"] == {"a": 1}


def test_an_invocation_without_payload_has_an_empty_event(lambda_: Any) -> None:
    assert json.load(lambda_.invoke(FunctionName="echo")["Payload"])["event"] == {}


def test_an_error_of_the_function_is_an_answer(lambda_: Any) -> None:
    answer = lambda_.invoke(FunctionName="raises")
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == "KeyError"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"FunctionName": "nobody"}, "ResourceNotFoundException"),
        ({"FunctionName": "echo", "InvocationType": "Event"}, "InvalidParameterValueException"),
        ({"FunctionName": "echo", "Payload": b" " * (6 * 1024 * 1024 + 1)}, "RequestTooLargeException"),
    ],
    ids=["unknown", "asynchronous", "too large"],
)
def test_what_cannot_be_invoked_is_refused(lambda_: Any, wanted: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        lambda_.invoke(**wanted)
    assert refused.value.response["Error"]["Code"] == code
